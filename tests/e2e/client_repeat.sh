#!/usr/bin/env bash
# The original closed loop: N tasks, one at a time, then a table, or the figures as JSON.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_fog fog

"$fogctl" client --connect "$address" --repeat 500 --task echo --json >"$dir/out" 2>"$dir/err"
[ ! -s "$dir/err" ] || fail "nothing to say on standard error: $(cat "$dir/err")"
python3 - "$dir/out" <<'EOF'
import json, sys
got = json.load(open(sys.argv[1]))
[one] = got["classes"]
assert one["name"] == "echo" and one["class"] == "light", one
assert got["total"]["sent"] == got["total"]["done"] == one["done"] == 500, got
assert one["failed"] == one["lost"] == 0 and one["local_share"] == 1, one
assert 0 < one["response_p50_s"] <= one["response_p99_s"] <= one["response_max_s"] < 5, one
# One at a time: together they take no longer than the run.
assert one["response_average_s"] * 500 <= got["elapsed_s"], got
EOF

"$fogctl" client --connect "$address" --repeat 3 >"$dir/out"
grep -qE '^light +3 +3 +0 +0 ' "$dir/out" || fail "light is what is repeated: $(cat "$dir/out")"
[ "$(wc -l <"$dir/out")" -eq 4 ] || fail "one task name has no total: $(cat "$dir/out")"

status=0
"$fogctl" client --connect "$address" --repeat 3 --task nosuch >"$dir/out" 2>"$dir/err" || status=$?
[ "$status" -eq 1 ] || fail "failed tasks give status $status"
grep -q "3 tasks failed: unplaceable" "$dir/err" || fail "the reason is told: $(cat "$dir/err")"
