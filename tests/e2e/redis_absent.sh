#!/usr/bin/env bash
# No Redis at the start: exit 3 and what to do. Redis gone later: new tasks are refused after a
# bounded wait, the cloud is used meanwhile, and the node resumes by itself.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
claim_port
port=$claimed_port

for role in fog cloud worker; do
  status=0
  "$fogctl" "$role" --port "$port" 2>"$dir/err" || status=$?
  [ "$status" -eq 3 ] || fail "$role without Redis ends with $status"
  grep -q "127.0.0.1:$port" "$dir/err" || fail "$role names the address: $(cat "$dir/err")"
  grep -q "redis-server" "$dir/err" || fail "$role says what to do: $(cat "$dir/err")"
done

start cloud cloud --queue-backend memory --listen 127.0.0.1:0
cloud=$address
start_redis
start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --patience 500ms
alone=$address
start other fog --port "$redis_port" --queue other --listen 127.0.0.1:0 --no-discovery \
  --cloud "$cloud"
with_cloud=$address
wait_for "the cloud" grep -q "is up" "$dir/other.log"

runs() {
  "$fogctl" client --no-retry --connect "$1" --task echo --content 1 --requirement 100 \
    >"$dir/out" 2>&1
}
runs "$alone" || fail "with Redis: $(cat "$dir/out")"
stop redis KILL
runs "$alone" && fail "without Redis and cloud the task cannot be accepted"
grep -q unavailable "$dir/out" || fail "the answer says unavailable: $(cat "$dir/out")"
for where in "--connect $alone" "--port $redis_port"; do
  status=0
  # shellcheck disable=SC2086
  "$fogctl" tasks ls $where >"$dir/out" 2>&1 || status=$?
  [ "$status" -eq 3 ] || fail "tasks ls $where ends with $status: $(cat "$dir/out")"
done
runs "$with_cloud" || fail "the cloud is used while Redis is away: $(cat "$dir/out")"
grep -q "in the cloud" "$dir/out" || fail "it ran in the cloud: $(cat "$dir/out")"
start_redis everysec "$redis_port"
wait_for "the node to resume" runs "$alone"
