#!/usr/bin/env bash
# A task that is given up in the same breath as it is sent is known and is not run, on every kind of
# queue, and at the neighbour that it is handed to: also where a copy of it has begun.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
start_redis
start_mesh_fog neighbour --workers 1
failed=
for backend in "--queue-backend memory" "--port $redis_port"; do
  # shellcheck disable=SC2086
  launch node "$fogctl" fog $backend --listen 127.0.0.1:0 --no-discovery --workers 1 \
    --name node --peer "${address_of[neighbour]}"
  wait_for "the neighbour" holds_at node 'n["neighbour"]["state_age"] is not None'
  address=${address_of[node]} python3 - "$backend" <<'EOF2' || failed+=" $backend"
import collections, json, sys
from peer import Peer, task, check
peer, count, said = Peer(), 20, collections.Counter()
peer.ask(task(0, "sleep", 0.2))
for i in range(count):  # every other one goes to the neighbour
    uid = f"{sys.argv[1].split()[-1]}-{i}"
    peer.send(task(i, "sleep", 60, task_uid=uid, time_requirement=1000 * (i % 2)) +
              json.dumps({"message_type": "cancel", "task_uid": uid}))
while sum(said.values()) < 2 * count:
    got = peer.read()
    said[got["message_type"], got.get("status", got.get("error", {}).get("code"))] += 1
print(sys.argv[1], dict(said))
check(said["result", "cancelled"] == count, "none is run")
check(said["cancelled", "unknown"] == 0, "each is known")
EOF2
  is_idle() { "$fogctl" queue --connect "${address_of[$1]}" --json | grep -q '"bytes":0'; }
  for name in node neighbour; do wait_for "$name to be idle" is_idle "$name"; done
  stop node
done
[ -z "$failed" ] || fail "given up at once:$failed"
