#!/usr/bin/env bash
# A Redis that is frozen, and one that is killed, for longer than the leases: what runs meanwhile
# ends well, even where it may be tried only once, and a worker that comes meanwhile takes nothing.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_redis always
start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --workers 2 --lease 2s

# work NAME: the queue may be away then.
work() { spawn "$1" "$fogctl" worker --port "$redis_port" --concurrency 2 --name "$1" --lease 2s; }
count_leased() {
  redis-cli -p "$redis_port" hmget '{fog}:counts' l0 l1 l2 | awk '{ n += $1 } END { print n }'
}
all_run() { [ "$(count_leased)" = 4 ]; }

work worker
await_worker worker
for signal in STOP KILL; do
  python3 - <<'END' &
from peer import Peer, task, check
peer = Peer()
peer.send("".join(task(k, "sleep", 4, time_requirement=100, max_attempts=1) for k in range(4)))
for _ in range(4):
    got = peer.read()
    check(got and "error" not in got, got)
END
  pid_of[client]=$!
  wait_for "four tasks to run" all_run
  kill "-$signal" "${pid_of[redis]}"
  read -rt 3 <><(:) || true
  if [ "$signal" = STOP ]; then
    work "late$signal"
    kill -CONT "${pid_of[redis]}"
  else
    start_redis always "$redis_port"
    work "late$signal"
  fi
  wait "${pid_of[client]}" || fail "what ran was lost over an outage ($signal)"
  stop "late$signal" KILL
done
! grep -h "queued again" "$dir"/*.log || fail "somebody took tasks from a live process"
