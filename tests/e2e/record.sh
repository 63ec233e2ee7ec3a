#!/usr/bin/env bash
# fogctl fog --record writes what happens to tasks, a line each, and fogctl simulate --trace runs
# them again: with other policies, nodes and links. A disk that is full costs lines, and no task.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
policy_flags=(--policy original)
trace=$dir/trace
printf '{"event":"start","at":1,"node":"before","task_uid":"old"}\n' >"$trace"
start cloud cloud --queue-backend memory --listen 127.0.0.1:0 --name above \
  --record "$dir/cloud.trace"
start_mesh_fog one --workers 1 --cloud "$address" --record "$trace"
one=${address_of[one]}
wait_for "the cloud" holds_at one 'r["cloud"]'
python3 - "$one" <<'EOF'
import sys, time
from peer import Peer, task
peer = Peer(sys.argv[1])
for i in range(40):  # twice what one worker can do
    peer.send(task(i, "sleep", 0.02, task_uid=f"s{i}", time_requirement=0.1))
    time.sleep(0.01)
peer.send(task("up", task_uid="up", cloud_processing=True))
peer.send(task("bad", "fail", "no", task_uid="bad", max_attempts=1))
for _ in range(42):
    peer.answer()
EOF
is_written() { [ "$(grep -c '"event":"end"' "$trace")" -eq 42 ]; }
wait_for "all ends to be in the file while the node runs" is_written
stop one
[ "$status" -eq 0 ] || fail "the node ends with $status"
stop cloud
python3 - "$trace" "$dir/cloud.trace" <<'EOF'
import json, sys
from peer import check
lines = [json.loads(line) for line in open(sys.argv[1])]
check(lines[0]["node"] == "before", "what was there is kept", lines[0])
check(lines[1]["event"] == "node" and lines[1]["workers"] == 1, lines[1])
of = {}
for line in lines[2:]:
    check(line["node"] == "one", line)
    of.setdefault(line["event"], {})[line["task_uid"]] = line
for event, count in (("arrival", 42), ("placement", 42), ("start", 41), ("end", 42)):
    check(len(of[event]) == count, event, len(of[event]))
check(of["placement"]["up"]["site"] == "cloud", of["placement"]["up"])
up, bad = of["end"]["up"], of["end"]["bad"]
check(up["ran_at"] == "above" and bad["error"] and bad["execution_time"] is None, up, bad)
s0, s39 = of["end"]["s0"], of["end"]["s39"]
check(s0["in_time"] and not s39["in_time"] and 0.2 < s39["waited"] < 5, s0, s39)
check(s39["error"] is None and 0.019 < s39["execution_time"] < 1, s39)
check(of["arrival"]["s0"]["at"] <= of["start"]["s0"]["at"] <= s0["at"], of["start"]["s0"])
above = [json.loads(line) for line in open(sys.argv[2])]
check([line["event"] for line in above] == ["node", "arrival", "placement", "start", "end"], above)
EOF

# All of it again: one node is too few, four are enough, and the same seeds give the same figures.
simulate() { "$fogctl" simulate --trace "$trace" --seeds 2 --json "$@" 2>"$dir/err"; }
simulate --workers 1 >"$dir/same"
simulate --workers 1 >"$dir/again"
cmp "$dir/same" "$dir/again" || fail "other figures the second time"
grep -q "1 task was not run to the end" "$dir/err" || fail "a guess is told: $(cat "$dir/err")"
simulate --workers 1 --nodes 4 --policy deadline >"$dir/four"
simulate --workers 1 --nodes 4 --policy deadline --link-delay 1s >"$dir/slow"
simulate --workers 1 --cloud-delay 10ms --policy deadline >"$dir/cloud"
cat "$dir/cloud.trace" "$trace" >"$dir/both"
scenario=$here/../../bench/scenarios/hotspot5.toml
"$fogctl" simulate "$scenario" --trace "$dir/both" --seeds 1 --json >"$dir/scenario" 2>/dev/null
python3 - "$dir" <<'EOF'
import json, sys
from peer import check
def of(name, policy):
    run, = json.load(open(f"{sys.argv[1]}/{name}"))["runs"]
    return next(one for one in run["policies"] if one["policy"] == policy)
same = of("same", "original")
check(same["tasks"] == 2 * 42 and same["lost"] == 0, same)
check(same["in_time"]["mean"] < 0.5 and same["neighbour"] == 0 == same["cloud"], same)
four = of("four", "deadline")
check(four["in_time"]["mean"] > same["in_time"]["mean"] + 0.2, "more nodes", four)
slow = of("slow", "deadline")
check(slow["in_time"]["mean"] < four["in_time"]["mean"] - 0.2, "too far away", slow, four)
check(slow["neighbour"] == 0 < four["neighbour"], slow, four)
check(of("cloud", "deadline")["cloud"] > 0.2, "there is a cloud")
check(of("scenario", "original")["tasks"] == 42, "a task that was handed on counts once")
EOF
"$fogctl" simulate --trace "$trace" --seeds 1 --policy original 2>/dev/null >"$dir/table"
grep -q "42 tasks that came to 1 node within .*; on 1 of 1 worker each" "$dir/table" ||
  fail "the heading: $(cat "$dir/table")"

# refused STATUS TEXT ARGUMENT…: it ends with that status, and says that on standard error.
refused() {
  local status=0 want=$1 text=$2
  shift 2
  timeout 20 "$fogctl" "$@" >"$dir/out" 2>"$dir/err" || status=$?
  [ "$status" -eq "$want" ] || fail "$*: status $status, not $want: $(cat "$dir/err")"
  grep -qF -- "$text" "$dir/err" || fail "$*: says not '$text': $(cat "$dir/err")"
}
{ head -n 5 "$trace" && echo '{"event":"arrival","at":"noon"}'; } >"$dir/broken"
refused 1 "$dir/broken:6: field 'at': expected seconds" simulate --trace "$dir/broken"
refused 1 "cannot read trace $dir/none" simulate --trace "$dir/none"
refused 1 "cannot read trace $dir:" simulate --trace "$dir"
refused 2 "are for a --trace" simulate "$scenario" --nodes 3
refused 2 "the trace has its own" simulate --trace "$trace" --load 0.5
fog=(fog --queue-backend memory --listen 127.0.0.1:0 --no-discovery)
refused 1 "cannot write to $dir: Is a directory" "${fog[@]}" --record "$dir"
refused 1 "cannot write to $dir/no/trace: No such file" "${fog[@]}" --record "$dir/no/trace"
echo >"$dir/locked"
chmod 0 "$dir/locked"
status=0
as_somebody=(env)
[ "$UID" -ne 0 ] || as_somebody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
timeout 20 "${as_somebody[@]}" "$fogctl" "${fog[@]}" --record "$dir/locked" 2>"$dir/err" ||
  status=$?
[ "$status" -eq 1 ] || fail "no permission: status $status"
grep -q "cannot write to $dir/locked: Permission denied" "$dir/err" || fail "$(cat "$dir/err")"

# The disk is full: the node serves on, and says so once, and at the end how much was lost.
start_fog full --record /dev/full
python3 - <<'EOF'
import time
from peer import Peer, task, check
peer = Peer()
for _ in range(3):
    check(peer.ask(task(1))["content"] == 1, "it serves on")
    time.sleep(1.1)
EOF
stop full
[ "$status" -eq 0 ] || fail "it ends with $status"
[ "$(grep -c 'cannot write to /dev/full: No space left' "$dir/full.log")" -eq 1 ] ||
  fail "said once: $(cat "$dir/full.log")"
grep -qE '/dev/full: 13 lines were lost' "$dir/full.log" || fail "counted: $(cat "$dir/full.log")"
