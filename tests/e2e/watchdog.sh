#!/usr/bin/env bash
# Work that stands still for no reason that a part could see by itself: new connections are tried,
# then the log gives an alarm and the node is not ready, until it is over.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_redis
start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --workers 2 --watchdog 1s

says() { grep -q "$1" "$dir/fog.log"; }
is_ready() { "$fogctl" nodes --connect "$address" --json | grep -q "\"ready\":$1,"; }
# count_queued NUMBER: the queue claims so many tasks more than it has.
count_queued() { redis-cli -p "$redis_port" hincrby '{fog}:counts' q0 "$1" >/dev/null; }

"$fogctl" client --connect "$address" --task echo --requirement 100 >"$dir/out" 2>&1 ||
  fail "$(cat "$dir/out")"
is_ready true || fail "not ready at first"
count_queued 3
wait_for "new connections" says "warning 3 tasks wait and 2 workers are free.*new connections"
wait_for "the alarm" says "error   work stands still.*3 tasks wait.*fogctl redis-check"
wait_for "the node not to be ready" is_ready false
"$fogctl" nodes --connect "$address" >"$dir/nodes"
grep -q "^NOT READY: tasks wait" "$dir/nodes" || fail "not said: $(cat "$dir/nodes")"

count_queued -3
wait_for "the alarm to end" says "info    work goes on"
wait_for "the node to be ready" is_ready true
[ "$(grep -cE 'new connections|work goes on' "$dir/fog.log")" -eq 3 ] ||
  fail "not said once each: $(cat "$dir/fog.log")"
