#!/usr/bin/env bash
# A load sends each name at its rate, exactly, and reports each: also thousands of tasks a second,
# late tasks (--min-in-time), and tasks from a CSV file in turn.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_fog fog --workers 2

# figures ARGUMENT…: the JSON report of a load is then in $dir/out, its exit status in $status.
figures() {
  status=0
  "$fogctl" client --connect "$address" --json "$@" >"$dir/out" 2>"$dir/err" || status=$?
}
# holds EXPRESSION: true of the report, as `r`, with its classes by name as `c`.
holds() {
  python3 - "$dir/out" "$1" <<'EOF' || fail "not so: $1: $(cat "$dir/out" "$dir/err")"
import json, sys
r = json.load(open(sys.argv[1]))
c = {one["name"]: one for one in r["classes"]}
sys.exit(not eval(sys.argv[2]))
EOF
}

figures --load --duration 1s
[ "$status" -eq 0 ] || fail "the original load has status $status: $(cat "$dir/err")"
holds 'list(c) == ["light", "medium"]'
holds 'c["light"]["done"] == 4 and c["medium"]["done"] == 1 and r["total"]["done"] == 5'

figures --load echo=5000/s,heavy=60/min --duration 2s --min-in-time 0
[ "$status" -eq 0 ] || fail "a load of thousands a second has status $status: $(cat "$dir/err")"
holds 'c["echo"]["done"] == 10000 and c["heavy"]["done"] == 2 and c["heavy"]["class"] == "heavy"'
holds 'r["elapsed_s"] >= 1.9'

figures --load sleep=20/s --content 0.3 --duration 500ms --requirement sleep=0.001 --min-in-time 99
[ "$status" -eq 5 ] || fail "too many late tasks have status $status"
holds 'r["total"]["done"] == 10 and r["total"]["in_time_rate"] < 0.99'

printf 'name,seconds\nfast,0.001\nfaster,0\n' >"$dir/rows.csv"
figures --load sleep=10/s,sum=10/s --content-csv "$dir/rows.csv:seconds" --duration 500ms
[ "$status" -eq 1 ] || fail "sum takes no number, so those fail: status $status"
holds 'c["sleep"]["done"] == 5 and c["sum"]["failed"] == 5 and r["errors"] == {"invalid_task": 5}'

"$fogctl" client --connect "$address" --load echo=10/s,light=10/s --duration 300ms >"$dir/out"
grep -qE '^echo +3 +3 ' "$dir/out" || fail "a line for echo: $(cat "$dir/out")"
grep -qE '^total +6 +6 ' "$dir/out" || fail "a line for both: $(cat "$dir/out")"
awk 'length > 100 { exit 1 }' "$dir/out" || fail "readable at 100 columns: $(cat "$dir/out")"
