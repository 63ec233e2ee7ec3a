#!/usr/bin/env bash
# A task whose worker is not free in time goes to the cloud at the last moment, not after it: also
# where nobody knows yet how long what runs will take, and when nothing else happens at the node.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
start above cloud --queue-backend memory --listen 127.0.0.1:0 --name above --workers 8
start_mesh_fog here --workers 1 --cloud "$address"
wait_for "the cloud" holds_at here "r['cloud'] is not None"
python3 - <<'EOF2'
import random
import time
from peer import Peer, task, check
peer = Peer()
peer.send(task(0, "sleep", 100))
time.sleep(0.2)
requirement, count = 0.1, 20
waits = []
for i in range(1, count + 1):
    time.sleep(random.uniform(0, 0.1))
    begin = time.monotonic()
    got = peer.ask(task(i, "echo", i, time_requirement=requirement))
    wait = time.monotonic() - begin
    check(got.get("content") == i and got["process_by"] == "cloud", got)
    waits.append(wait)
waits.sort()
print("answered after", *(f"{1000 * wait:.1f}" for wait in waits), "ms")
check(waits[0] > requirement / 2, "not before the last moment", waits)
# Were they looked after each 100 ms, half of them would be more than 50 ms late.
check(waits[count // 2] <= requirement + 0.03, "most go in time", waits)
EOF2
