#!/usr/bin/env bash
# SIGTERM: what runs is finished and answered, what waits goes back to the queue, exit 0. A second
# signal ends the process at once.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_redis
start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --workers 2
export address

# The queue marks a run as begun, by the letter s before its lease number, once it is 50 ms old.
begun() {
  redis-cli -p "$redis_port" --scan --pattern '{fog}:held:*' |
    xargs -r redis-cli -p "$redis_port" hvals | grep -c 's[0-9]*$'
}
two_have_begun() { [ "$(begun)" = 2 ]; }
python3 - >"$dir/answers" <<'EOF' &
from peer import Peer, task
peer = Peer()
peer.send("".join(task(i, "sleep", 1) for i in range(10)))
while (got := peer.read()) is not None:
    print(got["task_id"], got["content"], got.get("error"))
EOF
load=$!
wait_for "two tasks to run" two_have_begun
stop fog
wait "$load"
[ "$status" -eq 0 ] || fail "an orderly end has status $status"
answered=$(grep -c ' 1 None' "$dir/answers") || true
[ "$answered" -ge 2 ] || fail "what ran is answered: $(cat "$dir/answers")"
left=$((10 - answered))
queued=$(redis-cli -p "$redis_port" hget '{fog}:counts' q0)
[ "$queued" = "$left" ] || fail "the rest waits in Redis: $queued of $left"

start_worker worker --port "$redis_port" --concurrency 8
queue_is_empty() { [ "$(redis-cli -p "$redis_port" hlen '{fog}:tasks')" = 0 ]; }
wait_for "a worker to run what was left" queue_is_empty
stop worker INT
[ "$status" -eq 0 ] || fail "SIGINT is an orderly end too: $status"

start_fog second --drain-timeout 60s --workers 1
"$fogctl" client --no-retry --connect "$address" --task sleep --content 50 2>/dev/null &
client=$!
pid=${pid_of[second]}
runs_there() { "$fogctl" tasks ls --state leased --connect "$address" | grep -q sleep; }
wait_for "the task to run" runs_there
kill -TERM "$pid"
wait_for "the node to say that it stops" grep -q stopping "$dir/second.log"
SECONDS=0
stop second TERM
[ "$SECONDS" -lt 10 ] || fail "the second signal ends it at once"
[ "$status" -eq 143 ] || fail "an end by the second signal has status $status"
wait "$client" && fail "the client's task was lost and it says so"
exit 0
