#!/usr/bin/env bash
# Long tasks that fail for good fill neither the node nor the Redis nor the file: the last of them
# are kept, up to --max-dead-bytes, and one that alone is longer is answered and kept nowhere.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"

counts() { "$fogctl" queue --json --connect "$address"; }

# check_dead KIND: of the node at $address, which keeps 1 MiB.
check_dead() {
  python3 - <<'EOF2' || fail "$1"
from peer import Peer, task, check
peer = Peer()
def fail(i, size):
    got = peer.ask(task(i, "fail", 9, max_attempts=1, task_uid=f"d-{i}", pad="x" * size))
    check(got["task_id"] == i and got["error"]["code"] == "task_failed", got)
for i in range(20):
    fail(i, 200_000)
fail(20, 1_100_000)
EOF2
  counts >"$dir/before"
  "$fogctl" tasks ls --state dead --connect "$address" >"$dir/list"
  [ "$(grep -oE '^d-[0-9]+' "$dir/list" | xargs)" = "d-19 d-18 d-17 d-16 d-15" ] ||
    fail "$1: the last five: $(cut -c1-100 "$dir/list")"
  "$fogctl" tasks rm d-19 d-18 d-17 d-16 --connect "$address" >/dev/null
  counts >"$dir/after"
  python3 - "$dir/before" "$dir/after" <<'EOF2' || fail "$1: the bytes"
import json, sys
from peer import check
before, after = (json.load(open(path)) for path in sys.argv[1:])
print(before["dead"], "dead of", before["dead_bytes"], "bytes, then of", after["dead_bytes"])
check(before["dead"] == 5 and 1_000_000 < before["dead_bytes"] <= 1 << 20, before)
check(after["dead"] == 1 and after["dead_bytes"] * 5 == before["dead_bytes"], after)
EOF2
}

# check_again KIND: of a node that has the queue of the one before it.
check_again() {
  counts | grep -q "$(grep -o '"dead_bytes":[0-9]*' "$dir/after")" || fail "$1, started again"
}

flags=(--listen 127.0.0.1:0 --no-discovery --workers 1 --max-message 2MiB --max-dead-bytes 1MiB)
start memory fog --queue-backend memory "${flags[@]}"
check_dead "in memory"
stop memory

in_file=(--queue-backend file --queue-file "$dir/queue")
start file fog "${in_file[@]}" "${flags[@]}"
check_dead "in a file"
stop file KILL
start file fog "${in_file[@]}" "${flags[@]}"
check_again "in a file"
stop file

start_redis
start onredis fog --port "$redis_port" "${flags[@]}"
check_dead "on Redis"
stop onredis KILL
start onredis fog --port "$redis_port" "${flags[@]}"
check_again "on Redis"
"$fogctl" queue --port "$redis_port" | tail -n 1
