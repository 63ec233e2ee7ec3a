#!/usr/bin/env bash
# A long queue is listed whole, by its Redis and by the node: 10,000 tasks, and one that is large.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_redis
start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --workers 1
"$fogctl" queue pause --port "$redis_port" >/dev/null
python3 - <<'EOF2'
from peer import Peer, task
peer = Peer()
for first in range(0, 10_000, 100):
    peer.send("".join(task(i, task_uid=f"one-of-many-{i}") for i in range(first, first + 100)))
peer.send(task(0, content="x" * 1_000_000, task_uid="large"))
EOF2
queued() { "$fogctl" queue --port "$redis_port" --json | grep -q '"total":10001}.*"leased"'; }
wait_for "them to be queued" queued
for where in "--port $redis_port" "--connect $address"; do
  for action in "ls --most 20000 --json" "show large"; do
    # shellcheck disable=SC2086
    "$fogctl" tasks $action $where >"$dir/list" 2>"$dir/list.err" ||
      echo "tasks $action $where: $(cat "$dir/list.err")" | tee -a "$dir/failed"
    [ "$action" = "show large" ] || echo "$where: $(wc -l <"$dir/list") tasks listed"
  done
done
[ ! -e "$dir/failed" ] || fail "a long list"
