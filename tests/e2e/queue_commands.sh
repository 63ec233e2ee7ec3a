#!/usr/bin/env bash
# fogctl queue and tasks, of a Redis and of a running node with its queue in memory: what they say,
# pausing, giving tasks up wherever they are, and their exit codes.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
policy_flags=(--policy original)

# ask STATUS COMMAND…: what it printed is in $dir/said; it must end with that status.
ask() {
  local expected=$1 status=0
  shift
  "$fogctl" "$@" "${where[@]}" >"$dir/said" 2>"$dir/said.err" || status=$?
  [ "$status" -eq "$expected" ] ||
    fail "fogctl $* ${where[*]}: status $status: $(cat "$dir/said" "$dir/said.err")"
}
# says EXPRESSION: true of the JSON objects that were printed, as `o`; the first is `f`.
says() {
  python3 - "$dir/said" "$1" <<'EOF2' || fail "not $1: $(cat "$dir/said")"
import json, sys
o = [json.loads(line) for line in open(sys.argv[1])]
f = o[0] if o else {}
sys.exit(not eval(" ".join(sys.argv[2].split()), {"o": o, "f": f}))
EOF2
}
# is_at UID STATE: a task is there.
is_at() {
  "$fogctl" tasks ls --state "$2" --json "${where[@]}" | grep -q "\"task_uid\":\"$1\""
}
# is_answered UID CODE: its client has been told so, once; "none" is a result.
is_answered() { [ "$(grep -c "^$1 $2\$" "$dir/answers")" = 1 ]; }

# start_client: sends the lines that come in by $dir/tasks; each answer is "uid code" in
# $dir/answers.
start_client() {
  rm -f "$dir/tasks"
  mkfifo "$dir/tasks"
  address=$address python3 -u - "$dir/tasks" >"$dir/answers" 2>"$dir/client.log" <<'EOF2' &
import json, sys, threading
from peer import Peer, task
peer = Peer()
peer.socket.settimeout(None)
def send():
    for line in open(sys.argv[1]):
        uid, name, content, *more = line.split(maxsplit=3)
        fields = json.loads(more[0]) if more else {}
        peer.send(task(0, name, json.loads(content), task_uid=uid, **fields))
threading.Thread(target=send, daemon=True).start()
while (got := peer.read()) is not None:
    if got["message_type"] == "result":
        print(got["task_uid"], got.get("error", {}).get("code", "none"))
EOF2
  pid_of[client]=$!
  exec 9>"$dir/tasks"
}
send() { echo "$*" >&9; }
stop_client() {
  exec 9>&-
  stop client KILL
}

# One worker serves the queue, and a client is connected: the same for each kind of queue.
check_commands() {
  ask 0 queue --json
  says 'f["queued"]["total"] == f["leased"]["total"] == f["delayed"] == f["away"] == f["dead"] == 0'
  says 'f["paused"] is False and f["workers"] == 1 and f["bytes"] == 0 and len(o) == 1'
  ask 0 tasks ls
  grep -q "no tasks" "$dir/said" || fail "an empty queue: $(cat "$dir/said")"

  send running sleep 60
  wait_for "the first to run" is_at running leased
  send waiting sleep 60 '{"time_requirement": 1000}'
  send spare echo 7 '{"time_requirement": 2000}'
  wait_for "the others to wait" is_at waiting queued
  wait_for "the others to wait" is_at spare queued
  ask 0 queue --json
  says 'f["queued"]["light"] == 2 and f["leased"]["total"] == 1 and f["oldest"]["queued"] >= 0'
  ask 0 tasks ls --json
  says 'sorted(x["task_uid"] + " " + x["state"] for x in o) ==
    ["running leased", "spare queued", "waiting queued"]'
  ask 0 tasks ls --state queued --most 1 --json
  says 'len(o) == 1'
  ask 0 tasks show waiting --json
  says 'f["task_name"] == "sleep" and f["content"] == 60 and f["attempts"] == 0'
  says 'f["time_requirement"] == 1000 and f["state"] == "queued"'
  ask 1 tasks show running nobody waiting
  says '[x["task_uid"] for x in o] == ["running", "waiting"]'
  grep -q "no task has the uid 'nobody'" "$dir/said.err" || fail "names not who is missing"
  ask 2 tasks ls waiting
  grep -q "fogctl tasks show waiting" "$dir/said.err" || fail "ls of one: $(cat "$dir/said.err")"
  ask 2 tasks show
  ask 2 tasks dance waiting

  ask 0 tasks cancel waiting running --json
  says '[x["status"] for x in o] == ["cancelled", "will apply"]'
  wait_for "the waiting one's client to be told" is_answered waiting cancelled
  wait_for "the running one's client to be told" is_answered running cancelled
  wait_for "the next to run" is_answered spare none
  ask 1 tasks cancel spare --json
  says 'f["status"] == "already done"'
  ask 1 tasks cancel nobody --json
  says 'f["status"] == "unknown"'
  ask 1 tasks cancel waiting --json
  says 'f["status"] == "already done"'

  ask 0 queue pause --json
  says 'f["paused"] is True'
  send held echo 1
  wait_for "it to wait" is_at held queued
  send deep echo "$(printf '%.0s[' {1..31})$(printf '%.0s]' {1..31})"
  wait_for "the deepest content to wait" is_at deep queued
  ask 0 tasks show deep --json
  says 'str(f["content"]).count("[") == 31'
  ask 0 queue
  grep -q PAUSED "$dir/said" || fail "a paused queue: $(cat "$dir/said")"
  ! is_answered held none || fail "a paused queue runs nothing"
  ask 0 queue resume --json
  says 'f["paused"] is False'
  wait_for "it to run" is_answered held none
  wait_for "the deepest content to run" is_answered deep none

  send doomed fail 9 '{"max_attempts": 1}'
  wait_for "it to die" is_answered doomed task_failed
  ask 0 tasks ls --state dead --json
  says 'f["task_uid"] == "doomed" and f["attempts"] == 1 and f["state"] == "dead" and f["reason"]'
  ask 0 tasks show doomed
  ask 1 tasks cancel doomed
  ask 0 tasks retry doomed --json
  says 'f["status"] == "queued again"'
  wait_for "it to die again" is_at doomed dead
  ask 1 tasks retry nobody doomed --json
  says '[x["status"] for x in o] == ["unknown", "queued again"]'
  wait_for "it to die again" is_at doomed dead
  ask 0 tasks rm doomed --json
  says 'f["status"] == "removed"'
  ask 1 tasks rm doomed --json
  says 'f["status"] == "unknown"'

  send delayed fail 9 '{"max_attempts": 5}'
  wait_for "it to be put off" is_at delayed delayed
  ask 0 tasks cancel delayed --json
  says 'f["status"] == "cancelled"'
  wait_for "its client to be told" is_answered delayed cancelled
  ask 0 queue --json
  says 'f["queued"]["total"] == f["leased"]["total"] == f["delayed"] == f["dead"] == 0'
  says 'f["bytes"] == 0'
}

# A task that was handed to a neighbour is given up there, too: its sleep ends.
check_away() { # ROUND: of the uids
  local keeps=keeps-$1 gone=gone-$1
  send "$keeps" sleep 60 '{"time_requirement": 1000}'
  wait_for "one to run here" is_at "$keeps" leased
  send "$gone" sleep 60 '{"time_requirement": 0}'
  wait_for "one to be away" is_at "$gone" away
  runs_there() { "$fogctl" tasks ls --state leased --connect "$neighbour" | grep -q "^$gone"; }
  wait_for "it to run at the neighbour" runs_there
  ask 0 tasks cancel "$gone" --json
  echo "cancel of one that is away: $(cat "$dir/said")"
  wait_for "its client to be told" is_answered "$gone" cancelled
  nothing_there() { "$fogctl" tasks ls --connect "$neighbour" | grep -q "no tasks"; }
  wait_for "the neighbour to give it up" nothing_there
  ask 0 tasks cancel "$keeps"
  wait_for "the other to be given up" is_answered "$keeps" cancelled
  ask 0 queue --json
  says 'f["away"] == f["queued"]["total"] == f["leased"]["total"] == 0'
}
learn() { # how long such a task takes, by one of them
  send "learns-$1" sleep 0.2
  wait_for "it to be learnt" is_answered "learns-$1" none
}

claim_port
neighbour=127.0.0.1:$claimed_port
start_neighbour() {  # not before: it takes what a paused node does not begin
  launch neighbour "$fogctl" fog "${policy_flags[@]}" \
    --queue-backend memory --listen "$neighbour" --no-discovery \
    --name neighbour --workers 1
  wait_for "the neighbour" is_mesh neighbour "$1"
}
common=(--retry-delay 2s --lease 1s --peer "$neighbour")

start_mesh_fog inmemory --workers 1 "${common[@]}"
where=(--connect "$address")
start_client
check_commands
start_neighbour inmemory
learn memory
check_away memory
stop_client
stop neighbour
stop inmemory
ask 3 queue
[ -s "$dir/said.err" ] || fail "says that nobody is there"

start_redis
redis_fog() { # WORKERS
  launch onredis "$fogctl" fog "${policy_flags[@]}" \
    --port "$redis_port" --listen 127.0.0.1:0 --no-discovery \
    --name onredis --workers "$1" "${common[@]}"
}
redis_fog 1
node=$address
where=(--port "$redis_port")
start_client
check_commands
start_neighbour onredis
learn redis
check_away redis
where=(--connect "$node")
learn again
check_away again
stop_client
stop onredis KILL

# A worker is frozen, its task is given up meanwhile, and it is killed: the word holds.
where=(--port "$redis_port" --queue frozen)
launch cold "$fogctl" fog --port "$redis_port" --queue frozen --listen 127.0.0.1:0 --no-discovery \
  --name cold --workers 0 --lease 8s
start_client
for ending in CONT KILL; do
  start_worker "before$ending" "${where[@]}" --concurrency 1 --lease 8s
  send "ice$ending" sleep 30
  wait_for "it to run" is_at "ice$ending" leased
  kill -STOP "${pid_of[before$ending]}"
  ask 0 tasks cancel "ice$ending" --json
  says 'f["status"] == "will apply"'
  ! is_answered "ice$ending" cancelled || fail "answered by a frozen worker"
  kill "-$ending" "${pid_of[before$ending]}"
  [ "$ending" = CONT ] || start_worker after "${where[@]}" --concurrency 1 --lease 8s
  wait_for "it to apply ($ending)" is_answered "ice$ending" cancelled
  [ "$ending" = KILL ] || stop "before$ending" KILL
done
ask 0 queue --json
says 'f["queued"]["total"] == f["leased"]["total"] == f["dead"] == f["bytes"] == 0'
send last echo 1
wait_for "the queue to go on" is_answered last none
