#!/usr/bin/env bash
# A task that came while the cloud was away, and waits here, goes there at the last moment once the
# cloud is back.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
start above cloud --queue-backend memory --listen 127.0.0.1:0 --name above
cloud=$address
start_mesh_fog here --workers 1 --cloud "$cloud"
wait_for "the cloud" holds_at here "r['cloud'] is not None"
stop above
wait_for "the cloud to be away" holds_at here "r['cloud'] is None"
address=${address_of[here]} python3 - "$dir/accepted" <<'EOF' &
import sys
from peer import Peer, task, check
peer = Peer()
for one in (task(0, "sleep", 100, want_accept=True),
            task(1, "echo", "late", time_requirement=20, want_accept=True)):
    got = peer.ask(one)
    check(got["message_type"] == "accepted", got)
open(sys.argv[1], "w").close()
got = peer.answer()
check(got.get("content") == "late" and got["process_by"] == "cloud", got)
EOF
waits=$!
wait_for "the task to be in the queue" test -e "$dir/accepted"
start above cloud --queue-backend memory --listen "$cloud" --name above
wait "$waits" || fail "it did not go to the cloud that is back"
