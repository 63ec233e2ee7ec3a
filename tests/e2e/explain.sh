#!/usr/bin/env bash
# fogctl explain tells why a task went where it went, with what was predicted and what came, and
# fogctl plan where one would go now, which changes nothing. What is not known is said.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
policy_flags=(--policy original)
start cloud cloud --queue-backend memory --listen 127.0.0.1:0 --name above
start_mesh_fog one --workers 1 --cloud "$address"
one=${address_of[one]}
start_mesh_fog two --peer "$one"
wait_for "two to have said how busy it is" \
  holds_at one 'n["two"]["state_age"] is not None and r["cloud"]'

python3 - "$one" <<'EOF'
import sys
from peer import Peer, task
peer = Peer(sys.argv[1])
peer.ask(task(0, "sleep", 2, task_type="heavy"))
peer.send(task(0, "sleep", 100, task_type="heavy"))
for uid in ("late", "later"):
    peer.ask(task(uid, time_requirement=1, task_uid=uid))
EOF
explain() { "$fogctl" explain --connect "$one" "$@"; }
explain late >"$dir/late"
explain late --json >"$dir/late.json"
"$fogctl" plan --task echo --requirement 1 --connect "$one" >"$dir/plan"
status=0
"$fogctl" plan --task nobodys --connect "$one" --json >"$dir/nobodys.json" 2>"$dir/err" || status=$?
[ "$status" -eq 1 ] || fail "status $status of a plan for what nobody can run"
grep -qF "no node in reach can run 'nobodys'; 'fogctl tasks kinds' lists" "$dir/err" ||
  fail "of what nobody can run it is said: $(cat "$dir/err")"
"$fogctl" plan --task echo --requirement 1s --content '"x"' --connect "$one" --json \
  >"$dir/plan.json"
nodes_of one >"$dir/nodes.json"
python3 - "$dir" <<'EOF'
import json, sys
from peer import check
late, plan, nobodys, nodes = (json.load(open(f"{sys.argv[1]}/{name}.json"))
                              for name in ("late", "plan", "nobodys", "nodes"))
check(late["task_uid"] == "late" and len(late["decisions"]) == 1, late)
one = late["decisions"][0]
check(one["site"] == "neighbour" and one["name"] == "two" and one["policy"] == "original", one)
places = {place["name"]: place for place in one["candidates"]}
check(set(places) == {"one", "two", "above"}, places)
check(places["one"]["verdict"] == "late" and places["one"]["headroom"] < 0, places)
check(places["two"]["verdict"] == "chosen" and places["two"]["state_age"] < 5, places)
check(places["above"]["verdict"] == "in_time" and places["above"]["site"] == "cloud", places)
outcome = one["outcome"]
check(outcome["node"] == "two" and outcome["in_time"] and outcome["error"] is None, outcome)
check(0 <= outcome["waited"] < 1 and outcome["execution_time"] >= 0, outcome)

check(plan["site"] == "neighbour" and plan["name"] == "two" and plan["outcome"] is None, plan)
check({p["verdict"] for p in nobodys["candidates"]} == {"cannot_run"}, nobodys)
check(nobodys["site"] is None and nobodys["error"] == "unplaceable", nobodys)
check(plan["error"] is None and plan["copies"] == [], plan)

two, = nodes["neighbours"]
check(two["handed"] == 2, "a plan hands nothing on", two)
check(two["prediction"]["tasks"] == 2 and two["prediction"]["spread"] >= 0, two)
errors = nodes["predictions"]
by_task = {one["task_name"]: one for one in errors["by_task"]}
check(by_task["echo"]["tasks"] == 2 and by_task["sleep"]["tasks"] == 1, errors)
check(errors["here"]["tasks"] == 1 and errors["cloud"]["tasks"] == 0, errors)
EOF
grep -q "by original: neighbour two" "$dir/late" || fail "where it went: $(cat "$dir/late")"
grep -qE "^  here \(one\) .* late +it would be late there" "$dir/late" || fail "$(cat "$dir/late")"
grep -qE "^  came: waited .* at two, in time" "$dir/late" || fail "what came: $(cat "$dir/late")"
grep -qE "^  neighbour two .* chosen" "$dir/plan" || fail "the plan: $(cat "$dir/plan")"
! grep -q "came:" "$dir/plan" || fail "a plan has no outcome: $(cat "$dir/plan")"
"$fogctl" nodes --connect "$one" | grep -qE "^task echo +2 +[+-].* \+- " || fail "predictions shown"

# refused STATUS TEXT ARGUMENT…: it ends with that status, and says that on standard error.
refused() {
  local status=0 want=$1 text=$2
  shift 2
  timeout 20 "$fogctl" "$@" >"$dir/out" 2>"$dir/err" || status=$?
  [ "$status" -eq "$want" ] || fail "$*: status $status, not $want: $(cat "$dir/err")"
  grep -qF -- "$text" "$dir/err" || fail "$*: says not '$text': $(cat "$dir/err")"
}
refused 1 "no decision about task 'unheard-of' is remembered here" \
  explain unheard-of --connect "$one"
refused 1 "no decision about task '$(printf 'x%.0s' {1..64})'" \
  explain "$(printf 'x%.0s' {1..64})" --connect "$one"
refused 2 "'$(printf '\xff%.0s' {1..64})' is no task_uid" explain "$(printf '\xff%.0s' {1..64})"
refused 1 "no decision about task '-dash' is remembered" explain --connect "$one" -- -dash
refused 2 "TASK_UID is required" explain
refused 3 "127.0.0.1:1" explain late --connect 127.0.0.1:1
refused 3 "127.0.0.1:1" plan --connect 127.0.0.1:1
refused 2 "'a b' is not 1 to 64" plan --task "a b"
refused 2 "--requirement" plan --requirement soon

# A node that does not know the question says so, and the program what that may mean.
claim_port
python3 - "$claimed_port" <<'EOF' &
import json, socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    peer, _ = server.accept()
    try:
        peer.sendall(json.dumps({"message_type": "fog_ready", "send_time": 1, "node": "a" * 32,
                                 "name": "older", "protocol": 2}).encode() + b"\n")
        peer.recv(1000)
        peer.sendall(json.dumps({"message_type": "error", "code": "invalid_message", "message":
                                 "field 'message_type': expected a known message type"}).encode())
        peer.recv(1)
    except OSError:
        pass  # whoever only looked whether it listens
EOF
pid_of[older]=$!
wait_for "the older node" bash -c "exec 3<>/dev/tcp/127.0.0.1/$claimed_port"
for command in "explain late" "plan"; do
  # shellcheck disable=SC2086
  refused 1 "a node of an older version does not know this question" $command \
    --connect "127.0.0.1:$claimed_port"
done
