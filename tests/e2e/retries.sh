#!/usr/bin/env bash
# Runs that fail are tried again: as often as the task's max_attempts allows and no later than it
# expires, wherever the runs were: on another node, or on a worker that was killed.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"

# check_retries: of a node with one worker; its address is in $address.
check_retries() {
  python3 - <<'EOF2'
import time
from peer import Peer, task, check

peer, number = Peer(), 0
def run(name, content, **fields):
    """The answer, and after how many seconds it came."""
    global number
    number += 1
    begin = time.monotonic()
    got = peer.ask(task(number, name, content, task_uid=f"r-{number}", **fields))
    check(got["task_id"] == number, got)
    return got, time.monotonic() - begin

for failures in (0, 1, 2, 4):
    got, took = run("fail", failures, max_attempts=9)
    # 50 ms, doubled each time, of which up to a half is left out; a node looks every 100 ms
    least = 0.025 * (2 ** failures - 1)
    check("error" not in got and got["content"] == failures + 1, "that many runs failed", got)
    check(least <= took < 4 * least + 1.5 + 0.2 * failures, failures, "retries took", took)
    print(f"{failures} failed runs: answered after {took:.3f} s")

for most, failures in ((1, 1), (2, 9), (3, 3)):
    got, took = run("fail", failures, max_attempts=most)
    check(got["error"]["code"] == "task_failed" and got["content"] is None, got)
    check(f"run {most} of" in got["error"]["message"], "it was run as often as allowed", got)
    print(f"{most} runs allowed: task_failed after {took:.3f} s")
got, _ = run("fail", 2, max_attempts=3)
check(got.get("content") == 3, "the last run allowed counts", got)
got, _ = run("fail", 3)
check("run 3 of" in got["error"]["message"], "the node allows three", got)

# Never tried again past the time at which it expires.
got, took = run("fail", 99, max_attempts=99, expires=1)
check(got["error"]["code"] in ("task_failed", "expired"), got)
check(took < 2, "answered when it can no more be done", took)
print(f"expires in 1 s: {got['error']} after {took:.3f} s")

# One that cannot start in time is answered so, and is not run.
begin = time.monotonic()
peer.send(task(1000, "sleep", 1.5, task_uid="long"))
peer.send(task(1001, "fail", 0, task_uid="late", expires=0.5))
answers = {got["task_id"]: (got, time.monotonic() - begin) for got in (peer.read(), peer.read())}
got, took = answers[1001]
check(got["error"]["code"] == "expired", got)
check("error" not in answers[1000][0], answers[1000])
print(f"one that expires after 0.5 s, behind one of 1.5 s: answered after {took:.3f} s")
EOF2
}

start_mesh_fog memory --workers 1 --retry-delay 50ms
check_retries || fail "in memory"
is_dead() { "$fogctl" tasks ls --state dead --json "$@" | grep -c '"attempts":'; }
echo "$(is_dead --connect "$address") dead in memory"
stop memory
start_redis
start onredis fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --workers 1 \
  --retry-delay 50ms
check_retries || fail "on Redis"
echo "$(is_dead --port "$redis_port") dead on Redis"
stop onredis

# A task that is handed on counts on: its runs there and those that were begun here are one sum.
start_mesh_fog helper --workers 1 --retry-delay 50ms
start_mesh_fog busy --workers 1 --retry-delay 50ms --peer "${address_of[helper]}"
wait_for "them to know each other" is_mesh busy helper
python3 - <<'EOF2' || fail "a task that was handed on"
from peer import Peer, task, check
peer = Peer()
peer.ask(task(0, "sleep", 0.3))
peer.send(task(1, "sleep", 5, time_requirement=1000))
for number, (failures, most) in enumerate(((2, 3), (3, 3)), 2):
    got = peer.ask(task(number, "fail", failures, time_requirement=0, max_attempts=most,
                        task_uid=f"away-{number}"))
    check(got["task_id"] == number and got["node"] == "helper", "the neighbour ran it", got)
    check(got.get("content") == (3 if failures == 2 else None), got)
    check(("error" in got) == (failures == 3), got)
# One that this node's peer began already, as often as its `attempts` say.
got = peer.ask(task(9, "fail", 5, time_requirement=0, max_attempts=6, attempts=4, waited=0))
check(got.get("content") == 6, "runs before it came here count", got)
got = peer.ask(task(10, "fail", 5, time_requirement=0, max_attempts=5, attempts=4, waited=0))
check("run 5 of" in got["error"]["message"], "and are limited together", got)
EOF2
stop busy
stop helper

# A worker that is killed between two retries does not lose the count, on Redis.
start front fog --port "$redis_port" --queue kept --workers 0 --listen 127.0.0.1:0 --no-discovery
work() { # NAME RETRY_DELAY
  start_worker "$1" --port "$redis_port" --queue kept --concurrency 1 --lease 1s --retry-delay "$2"
}
work first 4s
wait_for "the worker to serve" "$fogctl" client --connect "$address" --task echo --content 1 \
  --requirement 100
python3 - >"$dir/counted" <<'EOF2' &
from peer import Peer, task
peer = Peer()
for uid, failures, most in (("counted", 2, 3), ("spent", 9, 2)):
    peer.send(task(0, "fail", failures, max_attempts=most, task_uid=uid))
for _ in range(2):
    got = peer.read()
    print(got["task_uid"], got["content"], got.get("error", {}).get("message"))
EOF2
pid_of[client]=$!
are_put_off() { [ "$(redis-cli -p "$redis_port" zcard '{kept}:delayed')" = 2 ]; }
wait_for "both to be put off" are_put_off
stop first KILL
work second 50ms
wait "${pid_of[client]}" || fail "not answered"
unset "pid_of[client]"
grep -qx "counted 3 None" "$dir/counted" || fail "the count was kept: $(cat "$dir/counted")"
grep -q "spent None run 2 of 9" "$dir/counted" || fail "the limit was kept: $(cat "$dir/counted")"
[ "$(grep -c 'tried again' "$dir/second.log")" = 1 ] ||
  fail "one more retry: $(cat "$dir/second.log")"
