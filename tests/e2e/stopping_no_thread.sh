#!/usr/bin/env bash
# SIGTERM where no thread can be had any more: what runs is finished, a node answers it, and nothing
# stays held. As another user than root, who has no such limit.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # that takes a thread
start_redis
as_user=()
if [ "$(id -un)" = root ]; then
  as_user=(setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups)
  chmod 755 "$dir"
  cp "$fogctl" "$dir/program"
  printf '#!/bin/sh\nexec %s "%s" "$@"\n' "${as_user[*]}" "$dir/program" >"$dir/fogctl"
  chmod +x "$dir/fogctl"
  fogctl=$dir/fogctl
fi

start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --workers 1
start_worker worker --port "$redis_port" --concurrency 1

python3 - >"$dir/answers" <<'EOF' &
from peer import Peer, task
peer = Peer()
peer.send("".join(task(i, "sleep", 1) for i in range(2)))
while (got := peer.read()) is not None:
    print(got["task_id"], got["content"], got.get("error"))
EOF
client=$!
# A run of 50 ms is noted in the queue.
begun() {
  redis-cli -p "$redis_port" --scan --pattern '{fog}:held:*' |
    xargs -r -n 1 redis-cli -p "$redis_port" hvals | grep -c 's[0-9]*$'
}
both_run() { [ "$(begun)" = 2 ]; }
wait_for "both to run a task" both_run

for name in fog worker; do
  "${as_user[@]}" prlimit --pid "${pid_of[$name]}" --nproc=1:1
  kill -TERM "${pid_of[$name]}"
done
for name in fog worker; do
  wait "${pid_of[$name]}" && status=0 || status=$?
  unset "pid_of[$name]"
  [ "$status" -eq 0 ] || fail "an orderly end of the $name has status $status"
  grep -q "no thread can be had to stop on" "$dir/$name.log" || fail "the $name had one"
done
wait "$client"
grep -q ' 1 None' "$dir/answers" || fail "what the node ran is answered: $(cat "$dir/answers")"
[ -z "$(redis-cli -p "$redis_port" --scan --pattern '{fog}:held:*')" ] || fail "a task is held"
