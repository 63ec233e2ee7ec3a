#!/usr/bin/env bash
# A node that gets five times what it can do hands tasks on: its in-time rate is more than twice
# that of a node alone, and every task is answered once.
# shellcheck source=tests/e2e/hosts.sh
source "$(dirname "$0")/hosts.sh"
hosts 4

# load REPORT NODE ARGUMENT…: 2 s of tasks of 20 ms, 250 a second: five times one worker's capacity.
# The first task tells the node how long they take.
load() {
  local report=$1 node=$2
  shift 2
  at "$node" "$fogctl" client --connect "${address_of[$node]}" --task sleep --content 0.02 \
    >/dev/null 2>&1 || true
  at "$node" "$fogctl" client --connect "${address_of[$node]}" --load sleep=250/s --content 0.02 \
    --requirement sleep=0.2 --duration 2s --json "$@" >"$dir/$report.json" || true
}

start_fog_on 1 alone --workers 1
load alone alone --timeout 500ms
stop alone KILL

for host in 1 2 3 4; do start_fog_on "$host" "node$host" --workers 1; done
wait_for "a mesh" is_mesh node1 node2 node3 node4
load mesh node1
nodes_of node1 >"$dir/nodes.json"

python3 - "$dir" <<'EOF'
import json, sys
from peer import check
alone, mesh, nodes = (json.load(open(f"{sys.argv[1]}/{name}.json"))
                      for name in ("alone", "mesh", "nodes"))
rates = [report["total"]["in_time_rate"] for report in (alone, mesh)]
handed = {one["name"]: one["handed"] for one in nodes["neighbours"]}
print("in time: alone", rates[0], "in the mesh", rates[1], "handed on", handed)
total = mesh["total"]
check(total["sent"] == 500 == total["done"], "every task is answered", mesh)
check(mesh["repeated_answers"] == mesh["unknown_answers"] == 0, "once", mesh)
check(rates[1] > 2 * rates[0], "more than twice as many are in time", rates)
check(sum(count > 0 for count in handed.values()) > 1, "several neighbours help", handed)
check(total["neighbour_share"] > 0.3, "so the client sees", mesh)
EOF
