#!/usr/bin/env bash
# The four cases of the original placement rule: with and without neighbours, with and without a
# cloud (--no-fog, --no-cloud).
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
policy_flags=(--policy original)
start_mesh_fog beside --workers 2
beside=$address
launch above "$fogctl" cloud --queue-backend memory --listen 127.0.0.1:0 --name above
above=$address

cat >"$dir/mode.py" <<'EOF'
import os, sys
from peer import Peer, task, check
mode, expected = sys.argv[1], dict(part.split("=") for part in sys.argv[2:])
peer = Peer()
peer.ask(task(0, "sleep", 0.1, task_type="heavy"))  # now it knows how long these take
peer.send(task(0, "sleep", 1000, task_type="heavy"))  # and one of its two workers is busy

def place_of(name, **fields):
    uid = f"{mode}-{name}-{os.getpid()}"
    return peer.ask(task(1, task_uid=uid, **fields))["node"]

urgent = {"time_requirement": 0}
for name, fields in {
        "for_cloud": {"cloud_processing": True},
        "patient": {"task_type": "heavy"},
        "light": urgent,
        "heavy": urgent | {"task_type": "heavy"},
        "light_no_hop": urgent | {"max_offload": 0},
        "heavy_no_hop": urgent | {"task_type": "heavy", "max_offload": 0},
}.items():
    place = place_of(name, **fields)
    check(place == expected[name], mode, "puts", name, place, "and not", expected[name])
EOF

# check_mode MODE NAME=PLACE… -- ARGUMENT…: where a node with these arguments has tasks run.
check_mode() {
  local mode=$1 expected=()
  shift
  while [ "$1" != -- ]; do
    expected+=("$1")
    shift
  done
  shift
  start_mesh_fog here --workers 2 --peer "$beside" --cloud "$above" "$@"
  wait_for "$mode: a neighbour" is_mesh here beside
  [[ $mode = *no_cloud* ]] || wait_for "$mode: the cloud" holds_at here 'r["cloud"]'
  address=${address_of[here]} python3 "$dir/mode.py" "$mode" "${expected[@]}" ||
    fail "$mode: $(cat "$dir/here.log")"
  stop here KILL
}

check_mode both for_cloud=above patient=here light=beside heavy=beside light_no_hop=here \
  heavy_no_hop=above --
check_mode no_cloud for_cloud=here patient=here light=beside heavy=beside light_no_hop=here \
  heavy_no_hop=here -- --no-cloud
check_mode no_fog for_cloud=above patient=here light=here heavy=above light_no_hop=here \
  heavy_no_hop=above -- --no-fog
check_mode no_cloud_no_fog for_cloud=here patient=here light=here heavy=here light_no_hop=here \
  heavy_no_hop=here -- --no-cloud --no-fog
