#!/usr/bin/env bash
# A chain: the near node reaches the middle one, and only that one the far node, on a network of
# its own. Tasks go along the chain, results come back the same way, each once to its own client.
# shellcheck source=tests/e2e/hosts.sh
source "$(dirname "$0")/hosts.sh"
policy_flags=(--policy original)
for host in 1 2 3; do add_host "$host"; done
plug 1 1
plug 2 1
plug 2 2
plug 3 2
start_fog_on 3 far --no-discovery
start_fog_on 2 middle --no-discovery --workers 1 --peer 10.77.2.3:10000
start_fog_on 1 near --no-discovery --workers 1 --peer 10.77.1.2:10000
wait_for "the near link" joined near middle
wait_for "the far link" joined middle far

# The near node's only worker is kept busy, and two more such tasks wait; the middle one has one.
cat >"$dir/occupy.py" <<'EOF'
import sys
from peer import Peer, task
peer = Peer()
peer.ask(task(0, "sleep", 0.3, task_type="heavy"))  # now it knows how long these take
for i in range(int(sys.argv[1])):
    peer.send(task(i, "sleep", 1000, task_type="heavy"))
print("occupied", flush=True)
peer.read()
EOF
occupy() {
  address=${address_of[$1]} at "$1" python3 "$dir/occupy.py" "$2" >"$dir/$1.occupied" &
  wait_for "$1 to be occupied" grep -q occupied "$dir/$1.occupied"
}
occupy near 3
occupy middle 1
middle_is_known() { holds_at near 'n["middle"]["waiting_time"] > 0.1'; }
wait_for "near to know that middle is not idle" middle_is_known

export address=${address_of[near]}
at near python3 - <<'EOF'
import os
from peer import Peer, task, check
one, two = Peer(), Peer()
for i in range(20):
    one.send(task(i, content=f"one {i}", time_requirement=0, task_uid=f"chain-{os.getpid()}-{i}"))
    two.send(task(i, content=f"two {i}", time_requirement=0, offloading_fog=["10.9.9.9"]))
seen = set()
for _ in range(20):
    got = one.read()
    seen.add(got["task_id"])
    check(got["content"] == f"one {got['task_id']}" and got["node"] == "far", got)
    check(got["offload_times"] == 2 and got["process_by"] == "fog", got)
    got = two.read()
    check(got["content"] == f"two {got['task_id']}" and got["offload_times"] == 2, got)
check(seen == set(range(20)), "each once", seen)

one.send(task(50, time_requirement=0, task_uid=f"chain-{os.getpid()}", max_offload=1))
one.send(task(51, time_requirement=0, max_offload=0) + task(52, time_requirement=0))
got = one.read()
check(got["task_id"] == 52, "one hop at most is no way to the far node, none keeps it near", got)
EOF
holds_at near 'list(n) == ["middle"]' || fail "near knows only middle: $(cat "$dir/near.nodes")"
holds_at middle 'n["far"]["handed"] == n["near"]["taken"] - 1' ||
  fail "middle passed on all but one: $(cat "$dir/middle.nodes")"
