#!/usr/bin/env bash
# A dead task that is tried again, over a slow link to the Redis, and dies again meanwhile is among
# the dead afterwards: it is never nowhere.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
start_redis
start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --workers 1
python3 -c 'from peer import Peer, task
print(Peer().ask(task(1, "fail", 9, task_uid="doomed", max_attempts=1))["error"])'
start_proxy slow "127.0.0.1:$redis_port" --delay 0.05
"$fogctl" tasks retry doomed --redis "$address" || fail "it can be tried again"
died_twice() { [ "$(grep -c 'task doomed .* is dead' "$dir/fog.log")" = 2 ]; }
wait_for "it to die again" died_twice
is_idle() { "$fogctl" queue --port "$redis_port" --json | grep -q '"bytes":0'; }
wait_for "the queue to be done with it" is_idle
"$fogctl" tasks ls --port "$redis_port" | tee "$dir/list"
grep -q "^doomed .*dead" "$dir/list" || fail "it is lost"
