#!/usr/bin/env bash
# A fog killed with -9 under a load and started again, and one that another fog of the same queue
# stands in for: the client connects again and sends again, and every task is answered once.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_redis always
claim_port
first=127.0.0.1:$claimed_port
claim_port
second=127.0.0.1:$claimed_port
start_on() { # NAME ADDRESS ARGUMENT…
  start "$1" fog --port "$redis_port" --listen "$2" --no-discovery --lease 1s "${@:3}"
}

results() { redis-cli -p "$redis_port" hlen '{fog}:results'; }

# start_load ARGUMENT…: a load of some seconds in the background, of which some is answered.
start_load() {
  local before
  before=$(results)
  "$fogctl" client --load sleep=100/s,echo=100/s --content 0.01 --duration 4s --requirement 100 \
    --json "$@" >"$dir/out" 2>"$dir/client.log" &
  pid_of[load]=$!
  is_answered() { [ "$(results)" -ge $((before + 100)) ]; }
  wait_for "the load to be answered" is_answered
}

# all_answered WHAT: the load has ended, nothing lost or failed, and says that it connected again.
all_answered() {
  local status=0
  wait "${pid_of[load]}" || status=$?
  unset "pid_of[load]"
  [ "$status" -eq 0 ] || fail "$1: status $status: $(cat "$dir/client.log" "$dir/out")"
  python3 - "$dir/out" <<'PYTHON' || fail "$1"
import json, sys
got = json.load(open(sys.argv[1]))
total = got["total"]
assert total["sent"] == total["done"] == 800, got
assert total["lost"] == total["failed"] == got["not_sent"] == 0, got
assert got["sent_again"] > 0 and got["reconnects"] >= 1, got
PYTHON
  grep -q "connecting again" "$dir/client.log" || fail "$1: a person is told of it"
}

start_on fog "$first"
start_load --connect "$first"
stop fog KILL
start_on fog "$first"
all_answered "killed and started again"

start_on second "$second"
start_load --connect "$first" --connect "$second"
stop fog KILL
all_answered "killed, and another goes on"
grep -q "connected to $second" "$dir/client.log" || fail "says where it goes on"

# A single task too, and where the first is away from the start.
"$fogctl" client --connect "$first" --connect "$second" --task echo --content 7 \
  --requirement 100 >"$dir/out" 2>"$dir/client.log" ||
  fail "a node that is there is taken: $(cat "$dir/client.log")"
[ "$(cat "$dir/out")" = 7 ] || fail "its result: $(cat "$dir/out")"
"$fogctl" client --connect "$second" --task sleep --content 2 --requirement 100 >"$dir/out" \
  2>"$dir/client.log" &
pid_of[single]=$!
is_leased() { redis-cli -p "$redis_port" --scan --pattern '{fog}:held:*' | grep -q .; }
wait_for "the task to run" is_leased
stop second KILL
start_on second "$second"
wait "${pid_of[single]}" || fail "a single task survives its node: $(cat "$dir/client.log")"
unset "pid_of[single]"
[ "$(cat "$dir/out")" = 2 ] || fail "its result: $(cat "$dir/out")"

# A queue that is away for a moment fails no task, and one that stays away does when time is over.
stop second KILL
start_on second "$second" --patience 300ms
stop redis KILL
SECONDS=0
status=0
"$fogctl" client --connect "$second" --task echo --timeout 3s 2>"$dir/client.log" || status=$?
[ "$status" -eq 1 ] || fail "a queue that is away gives status $status"
grep -q unavailable "$dir/client.log" || fail "the last word is told: $(cat "$dir/client.log")"
[[ "$SECONDS" -ge 2 && "$SECONDS" -lt 20 ]] || fail "it was tried for $SECONDS s of 3"
for command in queue "tasks ls"; do
  status=0
  # shellcheck disable=SC2086
  "$fogctl" $command --connect "$second" >"$dir/out" 2>"$dir/asked.log" || status=$?
  [ "$status" -eq 3 ] || fail "$command: the node's queue is away, status $status"
  grep -q "redis 127.0.0.1:$redis_port" "$dir/asked.log" || fail "why: $(cat "$dir/asked.log")"
done
"$fogctl" client --connect "$second" --task echo --content 8 --requirement 100 >"$dir/out" \
  2>"$dir/client.log" &
pid_of[single]=$!
start_redis always "$redis_port"
wait "${pid_of[single]}" || fail "the task waits for the queue: $(cat "$dir/client.log")"
unset "pid_of[single]"
[ "$(cat "$dir/out")" = 8 ] || fail "its result: $(cat "$dir/out")"
