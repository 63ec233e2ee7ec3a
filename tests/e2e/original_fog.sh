#!/usr/bin/env bash
# A fogctl node and one of the original system find each other, whichever comes first, hand tasks on
# both ways, and part; the original one is sent nothing that it cannot bear.
# shellcheck source=tests/e2e/hosts.sh
source "$(dirname "$0")/hosts.sh"
hosts 3
start_new() { start_fog_on 1 new --workers 2 --drain-timeout 500ms; }
start_old() { start_original_on 2 old fog --time light=0.005,medium=0.2,heavy=0.4; }
are_linked() {
  holds_at new 'len(r["neighbours"]) == 1 and r["neighbours"][0]["state_age"] is not None' &&
    grep -q "state 10.77.1.1" "$dir/old.out"
}

start_old
start_new
start_clock
wait_for "one that comes later to be found" are_linked
echo "the original one first: $(took)"
end_original old
wait_for "the log to name the one that left" left new 10.77.1.2
start_old
start_clock
wait_for "an original one that comes later to be found" are_linked
echo "the fogctl node first: $(took)"
at new "$fogctl" tasks kinds --connect "${address_of[new]}" >"$dir/kinds"
[ "$(grep -c ' new, 10.77.1.2$' "$dir/kinds")" -eq 3 ] &&
  [ "$(grep -cE '^(light|medium|heavy) .* new, 10.77.1.2$' "$dir/kinds")" -eq 3 ] ||
  fail "the original node runs light, medium and heavy: $(cat "$dir/kinds")"

# To the original node: both of fogctl's workers are busy.
cat >"$dir/tasks.py" <<'EOF'
import os, sys
from peer import Peer, task, check
peer = Peer()
peer.ask(task(0, "sleep", 0.3, task_type="heavy"))  # now it knows how long these take
peer.send(task(0, "sleep", 1000, task_type="heavy"))
peer.send(task(100, "sleep", 2, task_type="heavy", task_uid=f"long-{os.getpid()}"))
count = 20
for i in range(1, count):
    fields = {"task_uid": f"uid-{os.getpid()}-{i}"} if i % 2 else {}
    peer.send(task(i, "light", {"text": "{ \u00e9 }"}, time_requirement=0, **fields))
answers = [peer.read() for i in range(1, count)]
check(peer.read()["task_id"] == 100, "the long one last")
check(sorted(got["task_id"] for got in answers) == list(range(1, count)), "each once", answers)
for got in answers:
    check(got["content"] == 3 and got["process_by"] == "fog" and got["offload_times"] == 1, got)
    uid = f"uid-{os.getpid()}-{got['task_id']}" if got["task_id"] % 2 else None
    check(got.get("task_uid") == uid, "not its uid", uid, got)
EOF
export address
address=${address_of[new]}
at new python3 "$dir/tasks.py"
[ "$(grep -c "^ran light" "$dir/old.out")" -eq 19 ] || fail "it ran all: $(cat "$dir/old.out")"

# Back to fogctl, whose other worker runs them. One client alone: the original node keys results by
# the number that a client gives, whoever that is.
at old "$fogctl" client --connect "${address_of[old]}" --task medium --requirement 100 \
  >/dev/null 2>&1
at old "$fogctl" client --connect "${address_of[old]}" --load medium=20/s,light=100/s \
  --duration 500ms --requirement medium=100,light=0 --json >"$dir/report.json" ||
  fail "tasks for the original node: $(cat "$dir/report.json")"
grep -q '"done":60,"failed":0,"lost":0' "$dir/report.json" || fail "$(cat "$dir/report.json")"
handed=$(grep -c "handed on light" "$dir/old.out") || fail "it handed none on"
holds_at new "r['neighbours'][0]['taken'] == $handed" || fail "taken: $(cat "$dir/new.nodes")"
echo "the original node handed on $handed of 50"

# It says that it takes no more before it goes: the original node never forgets a state.
stop new
[ "$status" -eq 0 ] || fail "an orderly end has status $status"
wait_for "the link to close" grep -q "closed 10.77.1.1" "$dir/old.out"
grep "state 10.77.1.1" "$dir/old.out" | tail -n 1 | grep -q 1000000 ||
  fail "its last state: $(grep state "$dir/old.out")"
end_original old
