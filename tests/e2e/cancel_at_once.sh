#!/usr/bin/env bash
# A task that is given up in the same breath as it is sent is known and is not run, on every kind of
# queue, and at the neighbour that it is handed to: also where a copy of it has begun. A neighbour
# can end only what it sent itself.
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

start_mesh_fog node --workers 1
python3 - <<'EOF2' || fail "a neighbour ends a task of somebody else"
import json
from peer import Peer, task, check
client, neighbour = Peer(), Peer()
cancel = lambda uid: json.dumps({"message_type": "cancel", "task_uid": uid})
neighbour.send(json.dumps({"message_type": "fog_ready", "send_time": 1, "node": 32 * "7",
                           "name": "other", "protocol": 2}))
client.ask(task(1, "sleep", 60, task_uid="of-a-client", want_accept=True))
neighbour.send(task(2, "sleep", 60, task_uid="its-own") + cancel("its-own") + cancel("of-a-client"))
said = {}
while "of-a-client" not in said:
    got = neighbour.read()
    if got["message_type"] == "cancelled":
        said[got["task_uid"]] = got["status"]
check(said["its-own"] in ("cancelled", "will apply") and said["of-a-client"] == "unknown", said)
got = client.ask(cancel("of-a-client"))
check(got["status"] == "will apply", "it runs, and its client may cancel it", got)
EOF2
