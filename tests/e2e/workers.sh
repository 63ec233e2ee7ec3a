#!/usr/bin/env bash
# A fog node and two worker processes share a queue; one is killed while it works, one ends in
# order, and every task is answered once.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_redis
start fog fog --port "$redis_port" --workers 0 --listen 127.0.0.1:0 --no-discovery --lease 1s
export address
for name in one two; do
  start_worker "$name" --port "$redis_port" --concurrency 2 --lease 1s
done
wait_for "the workers to serve" "$fogctl" client --connect "$address" --task echo --content 1 \
  --requirement 100

python3 - "${pid_of[one]}" "${pid_of[two]}" <<'EOF'
import os, signal, sys
from peer import Peer, task, check
one, two = map(int, sys.argv[1:])
peer, count = Peer(), 60
peer.send("".join(task(i, "sleep", 0.1, task_uid=f"uid-{i}") for i in range(count)))
seen, nodes = set(), set()
while len(seen) < count:
    got = peer.read()
    check("error" not in got, got)
    check(got["task_id"] not in seen, "answered twice", got)
    seen.add(got["task_id"])
    nodes.add(got["node"])
    if len(seen) == 10:
        os.kill(one, signal.SIGKILL)
check(nodes == {"one", "two"}, "both worked", nodes)
EOF
unset "pid_of[one]"

stop two
[ "$status" -eq 0 ] || fail "an orderly end has status $status"
grep -q stopping "$dir/two.log" || fail "the worker says that it stops"
[ "$(redis-cli -p "$redis_port" hlen '{fog}:tasks')" = 0 ] || fail "tasks are left in the queue"
