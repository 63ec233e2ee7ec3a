#!/usr/bin/env bash
# The node goes away and the client is not to try again, was never there, or is something else: the
# client says so and ends.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_fog fog

"$fogctl" client --no-retry --connect "$address" --load echo=100/s,sleep=10/s --content 5 \
  --duration 60s --json >"$dir/out" 2>"$dir/err" &
client=$!
has_answered() { "$fogctl" nodes --connect "$address" --json | grep -q '"tasks":[1-9]'; }
wait_for "the load to run" has_answered
stop fog KILL
SECONDS=0
status=0
wait "$client" || status=$?
[ "$SECONDS" -lt 5 ] || fail "it ends when the connection does, not $SECONDS s later"
[ "$status" -eq 1 ] || fail "lost tasks give status $status"
grep -q "the connection to $address broke" "$dir/err" || fail "says why: $(cat "$dir/err")"
python3 - "$dir/out" <<'EOF'
import json, sys
got = json.load(open(sys.argv[1]))
total = got["total"]
assert total["done"] > 0 and total["lost"] > 0 and got["not_sent"] > 1000, got
assert total["sent"] == total["done"] + total["lost"] + total["failed"], got
EOF

status=0
"$fogctl" client --connect "$address" --task light 2>"$dir/err" || status=$?
[ "$status" -eq 3 ] || fail "nothing to connect to gives status $status"
grep -q "cannot connect to $address" "$dir/err" || fail "names the address: $(cat "$dir/err")"
grep -q "start one with 'fogctl fog" "$dir/err" || fail "says what to do: $(cat "$dir/err")"

start_redis everysec
for what in --task\ light "--repeat 5" "--load --duration 20s"; do
  status=0
  SECONDS=0
  # shellcheck disable=SC2086  # several arguments
  "$fogctl" client --connect "127.0.0.1:$redis_port" $what >"$dir/out" 2>"$dir/err" || status=$?
  [ "$status" -eq 1 ] || fail "$what to a Redis gives status $status"
  [ "$SECONDS" -lt 15 ] || fail "$what to a Redis takes $SECONDS s"
  grep -q "does not speak the protocol" "$dir/err" || fail "says so: $(cat "$dir/err")"
done
