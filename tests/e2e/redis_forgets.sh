#!/usr/bin/env bash
# A Redis that may lose what it took: whoever serves its queue says so at the start, and what to do;
# a person who looks at the queue is not bothered.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_redis

# is_warned_of COUNT: of so many losses does a node warn at its start, and a worker.
is_warned_of() {
  start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery
  stop fog
  start_worker worker --port "$redis_port"
  stop worker
  local role
  for role in fog worker; do
    [ "$(grep -c "warning redis 127.0.0.1:$redis_port" "$dir/$role.log")" -eq "$1" ] ||
      fail "$role is to warn of $1: $(cat "$dir/$role.log")"
  done
}
is_warned_of 0

redis-cli -p "$redis_port" config set maxmemory-policy allkeys-lru >/dev/null
is_warned_of 0 # it throws nothing away as long as it may use all memory
redis-cli -p "$redis_port" config set maxmemory 100mb >/dev/null
is_warned_of 1
grep -q "throws away tasks.*config set maxmemory-policy noeviction" "$dir/fog.log" ||
  fail "it says what and what to do: $(cat "$dir/fog.log")"

redis-cli -p "$redis_port" config set appendonly no >/dev/null
is_warned_of 2
grep -q "accepted tasks are lost" "$dir/fog.log" || fail "it says what: $(cat "$dir/fog.log")"
"$fogctl" queue --port "$redis_port" >"$dir/queue.out" 2>&1
! grep -q warning "$dir/queue.out" || fail "a look at the queue warns: $(cat "$dir/queue.out")"
