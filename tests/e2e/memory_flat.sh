#!/usr/bin/env bash
# A fog that served 400,000 tasks takes as much memory as after 100,000, with its queue in memory
# and on Redis: nothing is kept of a task that no client can ask for again.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"

# check_flat WHAT: of the node at $address, whose process is $pid.
check_flat() {
  pid=${pid_of[fog]} python3 - "$1" <<'EOF2' || fail "$1"
import os, sys
from peer import Peer, check

def resident_kb():
    with open(f"/proc/{os.environ['pid']}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

BATCH, window = 200, 5
peer = Peer()
def batch(first):
    return b"".join(b'{"message_type":"task","task_id":%d,"task_name":"echo","content":1}\n' % i
                    for i in range(first, first + BATCH))

def serve(first, count):
    """Sends so many, at most `window` batches ahead of the answers."""
    sent = answered = 0
    while answered < count:
        while sent < count and sent - answered < window * BATCH:
            peer.send(batch(first + sent))
            sent += BATCH
        got = peer.socket.recv(1 << 18)
        check(got and b'"error"' not in got, got[:300])
        answered += got.count(b"\n")
    check(answered == count, "as many answers as tasks", answered, count)

serve(100_000, 100_000)
first = resident_kb()
steps = []
for k in range(2, 5):
    serve(k * 100_000, 100_000)
    steps.append(resident_kb())
print(f"{sys.argv[1]}: {first} kB after 100,000 tasks; after 200, 300 and 400 thousand: {steps}")
check(steps[-1] - first <= max(2048, first * 0.05), "memory grew by kB:", steps[-1] - first)
EOF2
}

start_fog fog
check_flat "in memory"
stop fog
start_redis
start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery
check_flat "on Redis"
used() { redis-cli -p "$redis_port" info memory | sed -n 's/^used_memory:\([0-9]*\).*/\1/p'; }
[ "$(used)" -lt 10000000 ] || fail "Redis holds $(used) bytes of nothing"
