#!/usr/bin/env bash
# Redis restarted under load, in order and by kill -9 (appendfsync always), and once with its data
# gone: every accepted task is answered, and the node goes on by itself.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_redis always
start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --patience 20s
export address

for round in TERM KILL LOSS; do
  python3 - "$dir/sent-$round" <<'EOF' &
import sys, threading
from peer import Peer, task, check
peer, count = Peer(), 4000
def send():
    for i in range(0, count, 20):
        peer.send("".join(task(k, "sleep", 0.002) for k in range(i, i + 20)))
        threading.Event().wait(0.01)
        if i == 400:
            open(sys.argv[1], "w").close()
threading.Thread(target=send).start()
seen = set()
for _ in range(count):
    got = peer.read()
    check(got is not None and "error" not in got, got)
    check(got["task_id"] not in seen, "answered twice", got)
    seen.add(got["task_id"])
EOF
  load=$!
  wait_for "the load to run" test -e "$dir/sent-$round"
  stop redis "${round/LOSS/KILL}"
  [ "$round" != LOSS ] || rm -rf "$dir/appendonlydir"
  start_redis always "$redis_port"
  wait "$load" || fail "not every task was answered once over a restart ($round)"
done
