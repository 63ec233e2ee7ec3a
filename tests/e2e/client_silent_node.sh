#!/usr/bin/env bash
# A node that is frozen keeps its connections and says nothing: its client goes on at the next one.
# One that says nothing because its task is long is waited for. A port that has said nothing at all
# is left once another node speaks, and else waited for: an original cloud says nothing before its
# results.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_fog first && first=$address
start_fog second && second=$address

start_fog frozen && frozen=$address
kill -STOP "${pid_of[frozen]}"
# python_port NAME SECONDS: accepts, says nothing, and answers a task after so long; its address is
# then in $address.
python_port() {
  python3 - "$2" >"$dir/$1.out" <<'EOF2' &
import json, socket, sys, threading, time
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
def serve(client):
    line = client.makefile().readline()
    if not line:
        return
    task = json.loads(line)
    time.sleep(float(sys.argv[1]))
    client.sendall(json.dumps({"message_type": "result", "task_id": task["task_id"], "content": 5,
                               "execution_time": 0, "task_type": "light"}).encode())
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
EOF2
  pid_of[$1]=$!
  wait_for "the port $1" grep -q . "$dir/$1.out"
  address=127.0.0.1:$(cat "$dir/$1.out")
}
python_port cloud 13 && cloud=$address
python_port mute 3600 && mute=$address

# run NAME ARGUMENT…: in the background a client that sends one task.
run() {
  local name=$1
  shift
  "$fogctl" client --task echo --content 5 --timeout 100s --requirement 200 "$@" \
    >"$dir/$name.out" 2>"$dir/$name.log" &
  pid_of[$name]=$!
}
# The port that is mute as well is passed over.
run from_frozen --connect "$frozen" --connect "$mute" --connect "$second"
run only_one --connect "$cloud"
run all_silent --connect "$cloud" --connect "$mute"
"$fogctl" client --connect "$frozen" --connect "$second" --load echo=2000/s --content 1 \
  --duration 2s --timeout 60s --json >"$dir/flood.json" 2>"$dir/flood.log" &
pid_of[flood]=$!
"$fogctl" client --connect "$second" --task sleep --content 12 >"$dir/long.out" 2>"$dir/long.log" &
pid_of[long]=$!
"$fogctl" client --connect "$first" --connect "$second" --load echo=4/s --content 1 \
  --duration 10s --timeout 60s --json >"$dir/load.json" 2>"$dir/load.log" &
pid_of[load]=$!
has_answered() { "$fogctl" nodes --connect "$first" --json | grep -q '"tasks":[1-9]'; }
wait_for "the first node to have run a task" has_answered
kill -STOP "${pid_of[first]}"

status=0
wait "${pid_of[load]}" || status=$?
unset "pid_of[load]"
[ "$status" -eq 0 ] || fail "the client of a frozen node ended with $status: $(cat "$dir/load.log")"
grep -q 'it says nothing' "$dir/load.log" || fail "the client did not say why it went on"
python3 - "$dir/load.json" <<'EOF2' || fail "tasks were lost: $(cat "$dir/load.json")"
import json, sys
total = json.load(open(sys.argv[1]))["total"]
assert total["sent"] == total["done"] == 40, total
EOF2

wait "${pid_of[long]}" || true # it is late for its requirement
unset "pid_of[long]"
[ "$(cat "$dir/long.out")" = 12 ] || fail "the long task: $(cat "$dir/long.out" "$dir/long.log")"
! grep -q broke "$dir/long.log" || fail "the node with the long task was left"
kill -CONT "${pid_of[first]}"

for name in from_frozen only_one all_silent; do
  status=0
  wait "${pid_of[$name]}" || status=$?
  unset "pid_of[$name]"
  [ "$status" -eq 0 ] || fail "$name: status $status: $(cat "$dir/$name.log")"
  [ "$(cat "$dir/$name.out")" = 5 ] || fail "$name: $(cat "$dir/$name.out")"
done
grep -q "the connection to $frozen broke: it says nothing; going on at $second" \
  "$dir/from_frozen.log" || fail "no word on why it went on: $(cat "$dir/from_frozen.log")"
! grep -q broke "$dir/only_one.log" "$dir/all_silent.log" || fail "a silent original was left"
wait "${pid_of[flood]}" || true # what it could not send while the load lasted
unset "pid_of[flood]"
python3 - "$dir/flood.json" <<'EOF2' || fail "a flood for a frozen node: $(cat "$dir/flood.log")"
import json, sys
total = json.load(open(sys.argv[1]))["total"]
assert total["sent"] == total["done"] > 0, total
EOF2
kill -CONT "${pid_of[frozen]}"
