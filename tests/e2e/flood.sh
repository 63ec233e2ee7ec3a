#!/usr/bin/env bash
# A client that sends faster than the queue takes is slowed: the task of another waits behind few of
# its tasks, not behind all that it has sent.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_redis
start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --workers 1
"$fogctl" queue pause --connect "$address" >/dev/null
export address redis_port

python3 - <<'EOF'
import os, socket, threading
from peer import Peer, task, check

FLOOD = 150_000
FEW = 20_000
redis = socket.create_connection(("127.0.0.1", int(os.environ["redis_port"])))

def queued():
    redis.sendall(b"HGET {fog}:counts q0\r\n")
    reply = b""
    while reply.count(b"\n") < 2 and reply != b"$-1\r\n":
        reply += redis.recv(100)
    return int(reply.split()[1]) if reply.count(b"\n") == 2 else 0

flood, other = Peer(), Peer()
flood.socket.settimeout(None)  # it is to be slowed
tasks = "".join(task(i) for i in range(FLOOD)).encode()
sender = threading.Thread(target=flood.send, args=(tasks,))
sender.start()
behind = []
while not behind or queued() < FLOOD:
    before = queued()
    answer = other.ask(task(1, task_uid=f"other-{len(behind)}", want_accept=True))
    check(answer["message_type"] == "accepted", answer)
    behind.append(queued() - before)
sender.join()
check(max(behind) < FEW, "a task waited behind", max(behind))
print(f"{len(behind)} tasks of another client waited behind at most {max(behind)} of {FLOOD}")
EOF
