#!/usr/bin/env bash
# fogctl nodes: what a node knows of its neighbours and its cloud, as a table and as JSON. A
# neighbour and a cloud of the original system are told from fogctl's.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
policy_flags=(--policy original)
start_mesh_fog alone
nodes_of alone >"$dir/alone.json"
"$fogctl" nodes --connect "$address" | grep -q "no neighbours" || fail "it says that it has none"

claim_port
start_original old fog --listen "127.0.0.2:$claimed_port" --multicast "228.0.0.5:$claimed_port"
start_original old_cloud cloud --listen 127.0.0.1:0
start_mesh_fog one --workers 1 --peer "127.0.0.2:$claimed_port" --cloud "$address"
start_mesh_fog two --peer "$address"
one=${address_of[one]} two=${address_of[two]} old=${address_of[old]}
wait_for "two neighbours that have said how busy they are, and a cloud" \
  holds_at one 'len(n) == 2 and r["cloud"] and all(x["state_age"] is not None for x in n.values())'

python3 - "$one" <<'EOF'
import sys
from peer import Peer, task
peer = Peer(sys.argv[1])
peer.ask(task(0, "sleep", 0.1, task_type="heavy"))
peer.send(task(0, "sleep", 1000, task_type="heavy"))
for i in range(1, 6):
    peer.ask(task(i, time_requirement=0))
EOF

nodes_of one >"$dir/one.json"
nodes_of two >"$dir/two.json"
python3 - "$dir" "$two" "$old" "${address_of[old_cloud]}" <<'EOF'
import json, sys
from peer import check
folder, two_address, old_address, cloud_address = sys.argv[1:]
alone, one, two = (json.load(open(f"{folder}/{name}.json")) for name in ("alone", "one", "two"))
check(alone["name"] == "alone" and len(alone["node"]) == 32 and alone["waiting_time"] == 0, alone)
check(alone["neighbours"] == [] and alone["cloud"] is None, alone)

cloud = one["cloud"]
check(cloud["address"] == cloud_address and cloud["original"] is True, cloud)
check(0 <= cloud["link_delay"] < 5, cloud)
old, = (item for item in one["neighbours"] if item["original"])
new, = (item for item in one["neighbours"] if not item["original"])
for item in (old, new):
    check(set(item) == {"node", "name", "address", "waiting_time", "link_delay", "state_age",
                        "handed", "taken", "original", "prediction"}, item)
    check(0 <= item["link_delay"] < 5 and 0 <= item["state_age"] < 5, item)
check(old["node"] is None and old["name"] == "127.0.0.2" and old["address"] == old_address, old)
check(new["node"] == two["node"] != one["node"] and len(new["node"]) == 32, new)
check(new["name"] == "two" and new["address"] == two_address and new["waiting_time"] == 0, new)
check(new["prediction"]["tasks"] == 5 and old["prediction"]["tasks"] == 0, one)
check(new["handed"] == 5 and new["taken"] == 0 == old["handed"] == old["taken"], one)
back, = two["neighbours"]
check(back["name"] == "one" and back["taken"] == 5 and back["handed"] == 0, two)
EOF
is_busy() { holds_at two 'n["one"]["waiting_time"] > 0.05'; }
wait_for "two to know that one is busy" is_busy

"$fogctl" nodes --connect "$one" >"$dir/table"
grep -qE "^two +$two " "$dir/table" || fail "a line for two: $(cat "$dir/table")"
grep -qE "^127.0.0.2 +$old " "$dir/table" || fail "a line for old: $(cat "$dir/table")"
grep -q "cloud ${address_of[old_cloud]}" "$dir/table" || fail "the cloud: $(cat "$dir/table")"
awk 'length > 100 { exit 1 }' "$dir/table" || fail "readable at 100 columns"
end_original old old_cloud

status=0
"$fogctl" nodes --connect 127.0.0.1:1 >"$dir/out" 2>"$dir/err" || status=$?
[ "$status" -eq 3 ] || fail "nobody there: status $status"
grep -q "127.0.0.1:1" "$dir/err" || fail "it names the address: $(cat "$dir/err")"
status=0
"$fogctl" nodes --connect nonsense >"$dir/out" 2>"$dir/err" || status=$?
[ "$status" -eq 2 ] || fail "no address at all: status $status"
