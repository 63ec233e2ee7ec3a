#!/usr/bin/env bash
# A task that takes its worker down each time it runs: after three runs it is answered task_failed
# and kept among the dead; what waited beside it runs. A person looks at it and tries it again.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_redis
start fog fog --port "$redis_port" --workers 0 --listen 127.0.0.1:0 --no-discovery --lease 1s
export address
tasks() { "$fogctl" tasks "$@" --port "$redis_port"; }
work() { start_worker "$1" --port "$redis_port" --concurrency 1 --lease 1s; }

# begins_after LOST: after so many lost runs it runs again. The queue marks a run as begun, by the
# letter s before its lease number, once it is 50 ms old.
redis() { redis-cli -p "$redis_port" "$@"; }
begins_after() {
  [ "$(redis hget '{fog}:attempts' poison)" = "$1" ] || return 1
  redis --scan --pattern '{fog}:held:*' | while read -r held; do redis hget "$held" poison; done |
    grep -q 's[0-9]*$'
}
work zero
wait_for "it to serve" "$fogctl" client --connect "$address" --task echo --content 1 \
  --requirement 100

python3 - >"$dir/answers" <<'EOF2' &
import json
from peer import Peer, task
peer = Peer()
peer.send(task(1, "sleep", 60, task_uid="poison"))
peer.send("".join(task(i, "sleep", 0.01, task_uid=f"bystander-{i}") for i in range(2, 12)))
for _ in range(11):
    print(json.dumps(peer.read()), flush=True)
EOF2
client=$!
lost=
for worker in zero one two; do
  [ "$worker" = zero ] || work "$worker"
  wait_for "$worker to begin with it" begins_after "$lost"
  stop "$worker" KILL
  lost=$((lost + 1))
done
work three
wait "$client" || fail "not every task was answered"
answered() { python3 -c 'import json, sys
for line in sys.stdin:
    got = json.loads(line)
    if eval(sys.argv[1]):
        print(got)' "$1" <"$dir/answers"; }
[ "$(answered 'got["task_id"] == 1 and got["error"]["code"] == "task_failed"' | wc -l)" = 1 ] ||
  fail "the task that kills workers has failed: $(cat "$dir/answers")"
[ "$(answered 'got["task_id"] > 1 and "error" not in got' | wc -l)" = 10 ] ||
  fail "the others were done: $(cat "$dir/answers")"

tasks ls >"$dir/out"
grep -qE "^poison +dead +sleep +three +3 .*worker" "$dir/out" ||
  fail "it is listed: $(cat "$dir/out")"
tasks show poison | grep -q '"content":60' || fail "it is shown whole"
"$fogctl" queue --port "$redis_port" --json | grep -q '"dead":1' || fail "the queue counts it"
tasks retry nobody >"$dir/out" 2>&1 && fail "nobody is no task"
tasks retry poison | grep -q "poison: queued again" || fail "it can be tried again"
wait_for "three to begin with it" begins_after ""
tasks ls --state dead | grep -q "no tasks" || fail "it is not dead any more"
stop three KILL
