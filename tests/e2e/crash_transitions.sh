#!/usr/bin/env bash
# A fog, its worker, its Redis or its neighbour is killed at each moment of a task's life: before it
# is accepted, queued, leased, running, finished but not delivered, away. Each time a client that
# knows the task's uid gets one answer, and nothing is left in the queue.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
pause() { read -rt "$1" <><(:) || true; }

start_redis always
claim_port && fog_at=127.0.0.1:$claimed_port
claim_port && neighbour_at=127.0.0.1:$claimed_port
start_part() {
  case $1 in
    redis) start_redis always "$redis_port" ;;
    worker)
      spawn worker "$fogctl" worker --port "$redis_port" --concurrency 1 --lease 1s \
        --policy original --name worker
      ;;
    fog)
      launch fog "$fogctl" fog --port "$redis_port" --listen "$fog_at" --no-discovery --workers 0 \
        --lease 1s --policy original --name fog --peer "$neighbour_at" --max-attempts 9
      ;;
    neighbour)
      launch neighbour "$fogctl" fog --queue-backend memory --listen "$neighbour_at" \
        --no-discovery --workers 1 --name neighbour --peer "$fog_at"
      ;;
  esac
}

# ask UID SECONDS [FIELDS]: a client that sends a sleep again, by its uid, over each new connection,
# until it is answered; "sent" when it was sent first, then each answer is a line. With a $gate, a
# file, it is "ready" first, and sends once that is there.
cat >"$dir/ask.py" <<'EOF2'
import json, os, sys, time
from peer import Peer, task
uid, content, fields = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
text = task(7, "sleep", content, task_uid=uid, **fields)
end, answered = time.monotonic() + 60, False

def read_answers(peer):
    """True: there is one, and half a second later still one."""
    global answered
    while (got := peer.read()) is not None:
        if got["message_type"] != "result":
            continue
        if got.get("error", {}).get("code") == "unavailable":
            time.sleep(0.1)
            peer.send(text)
            continue
        print(got["task_uid"], json.dumps(got["content"]), got.get("error", ""), flush=True)
        answered = True
        peer.socket.settimeout(0.5)

while not answered and time.monotonic() < end:
    try:
        peer = Peer()
        if (gate := os.environ.get("gate")) and not os.path.exists(gate):
            print("ready", flush=True)
            while not os.path.exists(gate):
                time.sleep(0.01)
        peer.send(text)
        print("sent", flush=True)
        read_answers(peer)
    except (OSError, TypeError):
        time.sleep(0.05)
EOF2
ask() {
  : >"$dir/$1.answers"
  address=$fog_at python3 "$dir/ask.py" "$1" "$2" "${3:-{\}}" >"$dir/$1.answers" 2>"$dir/$1.log" &
  pid_of[$1]=$!
  wait_for "$1 to be sent" grep -qE 'sent|ready' "$dir/$1.answers"
}

redis() { redis-cli -p "$redis_port" "$@"; }
is_in() { "$fogctl" tasks ls --port "$redis_port" --state "$2" --json | grep -q "\"$1\""; }
held() {
  redis --scan --pattern '{fog}:held:*' | while read -r key; do redis hget "$key" "$1"; done
}
is_held() { held "$1" | grep -q .; }
is_away() { [ "$(redis hget '{fog}:counts' away)" = 1 ]; }
has_begun() { held "$1" | grep -q 's[0-9]*$'; }
is_done() { [ "$(redis hexists '{fog}:tasks' "$1")" = 0 ]; }
serves() { [ "$(redis hlen '{fog}:workers')" -ge 2 ]; }  # the fog itself is one, with no thread

# at_MOMENT UID: a client asks, and the task is brought there. killed_MOMENT, before the victims are
# started again, and after_MOMENT UID: what is then undone.
at_unaccepted() {
  kill -STOP "${pid_of[redis]}"
  ask "$1" 0.1
  pause 0.2  # for the fog to read it and to turn to its queue
}
killed_unaccepted() { [ -z "${pid_of[redis]:-}" ] || kill -CONT "${pid_of[redis]}"; }
at_queued() {
  "$fogctl" queue pause --port "$redis_port" >/dev/null
  ask "$1" 0.1 '{"max_offload": 0}'
  wait_for "$1 to be queued" is_in "$1" queued
}
after_queued() { "$fogctl" queue resume --port "$redis_port" >/dev/null; }
at_leased() {
  ask "$1" 1.5 '{"time_requirement": 1000}'
  wait_for "$1 to be leased" is_held "$1"
}
at_running() {
  ask "$1" 1.5 '{"time_requirement": 1000}'
  wait_for "$1 to run" has_begun "$1"
}
at_finished() {
  at_running "$1"
  kill -STOP "${pid_of[fog]}"
  wait_for "$1 to be done" is_done "$1"
}
at_away() {
  ask "learnt-$1" 0.2 '{"time_requirement": 1000}'  # how long such tasks take
  check_answer "learnt-$1"
  gate=$dir/$1.gate ask "$1" 2.9 '{"time_requirement": 0}'
  ask "before-$1" 2.5 '{"time_requirement": 1000}'
  wait_for "another to run" has_begun "before-$1"
  : >"$dir/$1.gate"
  wait_for "$1 to be away" is_away
}
after_away() { check_answer "before-$1"; }

check_answer() {
  wait "${pid_of[$1]}" || fail "$1: the client: $(cat "$dir/$1.log")"
  unset "pid_of[$1]"
  local answers
  answers=$(grep -vE '^(sent|ready)' "$dir/$1.answers") || true
  [[ $answers =~ ^$1\ [0-2]\.[0-9]\ *$ ]] || fail "$1: one answer: '$answers'"
}
is_empty() {
  "$fogctl" queue --port "$redis_port" --json | grep -qE \
    '"queued":\{[^}]*"total":0\},"leased":\{[^}]*"total":0\},"delayed":0,"away":0,"dead":0'
}

# crash MOMENT VICTIM…: one case.
crash() {
  local moment=$1 victim uid
  shift
  uid=$moment-$(IFS=-; echo "$*")
  wait_for "the parts to know each other" holds_at fog \
    "r['workers'] == 1 and n['neighbour']['state_age'] is not None"
  start_clock
  "at_$moment" "$uid"
  for victim; do stop "$victim" KILL; done
  ! is_there "killed_$moment" || "killed_$moment"
  for victim; do start_part "$victim"; done
  ! is_there "after_$moment" || "after_$moment" "$uid"
  check_answer "$uid"
  wait_for "the queue to be empty after $uid" is_empty
  echo "$moment, killed $*: answered once, $(took)"
}
is_there() { declare -F "$1" >/dev/null; }

start_part worker
start_part neighbour
start_part fog
wait_for "the worker to serve" serves
crash unaccepted redis
crash unaccepted fog
crash unaccepted redis fog
for victims in fog redis "redis fog"; do
  # shellcheck disable=SC2086
  crash queued $victims
done
crash leased worker
crash leased fog worker
for victims in fog worker redis "fog worker" "redis fog"; do
  # shellcheck disable=SC2086
  crash running $victims
done
crash finished fog
crash finished redis fog
for victims in fog redis neighbour worker "redis fog" "fog neighbour"; do
  # shellcheck disable=SC2086
  crash away $victims
done
