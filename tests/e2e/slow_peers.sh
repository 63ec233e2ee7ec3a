#!/usr/bin/env bash
# A client that sends and never reads, and one that connects and never sends, cost bounded memory
# and block nobody.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_fog fog
export address pid="${pid_of[fog]}"

python3 - <<'EOF'
import os, socket
from peer import Peer, task, check

def resident_mb():
    with open(f"/proc/{os.environ['pid']}/status") as status:
        return next(int(l.split()[1]) for l in status if l.startswith("VmRSS")) / 1024

silent = [Peer() for _ in range(100)]
before = resident_mb()
deaf = Peer()
deaf.socket.setblocking(False)
batch = "".join(task(i, content="x" * 200) for i in range(100)).encode()
sent, refused, data = 0, 0, batch
good = Peer()
while refused < 200 and sent < 200_000_000:
    try:
        n = deaf.socket.send(data)
        sent, data, refused = sent + n, data[n:] or batch, 0
    except BlockingIOError:
        refused += 1
        check(good.ask(task(refused))["task_id"] == refused, "others go on")
    except OSError:
        break
check(refused >= 200 or sent < 200_000_000, "the deaf client was slowed or dropped")
grown = resident_mb() - before
check(grown < 150, "memory grew by MB:", grown)
EOF
