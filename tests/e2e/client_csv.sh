#!/usr/bin/env bash
# A column of a CSV file: each row's value is the content of one task, and the results come in the
# order of the rows, one a line.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_fog fog --workers 8

seq 20000 >"$dir/numbers.csv"
"$fogctl" client --connect "$address" --task echo --content-csv "$dir/numbers.csv" >"$dir/out" \
  2>"$dir/err"
cmp -s "$dir/numbers.csv" "$dir/out" || fail "20,000 rows in order: $(head -n 3 "$dir/err")"

# The later rows are done first.
printf 'n\n0.4\n0.3\n0.2\n0.1\n0\n' >"$dir/sleeps.csv"
"$fogctl" client --connect "$address" --task sleep --content-csv "$dir/sleeps.csv:n" >"$dir/out" \
  2>/dev/null
[ "$(tr '\n' ' ' <"$dir/out")" = "0.4 0.3 0.2 0.1 0 " ] || fail "in order: $(cat "$dir/out")"

printf 'name,"value, quoted"\r\na,"say ""hi"""\r\nb,"[1,\r\n2]"\r\n\r\nc,{}\r\n' >"$dir/rows.csv"
"$fogctl" client --connect "$address" --task echo --content-csv "$dir/rows.csv:value, quoted" \
  >"$dir/out" 2>/dev/null
printf '"say \\"hi\\""\n[1,  2]\n{}\n' | cmp -s - "$dir/out" || fail "quotes: $(cat "$dir/out")"

printf '[1,2]\nx\n[3]\n' >"$dir/sums.csv"
sed -i 's/\(.*\)/"\1"/' "$dir/sums.csv"
status=0
"$fogctl" client --connect "$address" --task sum --content-csv "$dir/sums.csv:1" >"$dir/out" \
  2>"$dir/err" || status=$?
[ "$status" -eq 1 ] || fail "a row that fails gives status $status"
[ "$(tr '\n' ' ' <"$dir/out")" = "3 null 3 " ] || fail "the others are there: $(cat "$dir/out")"
grep -q "row 2: task 'sum' failed: invalid_task" "$dir/err" || fail "says which: $(cat "$dir/err")"

"$fogctl" client --connect "$address" --task sum --content-csv "$dir/sums.csv:1" --json \
  >"$dir/out" 2>"$dir/err" || true
python3 - "$dir/out" "$dir/err" <<'EOF'
import json, sys
rows, told = (open(name).read().splitlines() for name in sys.argv[1:])
assert [json.loads(row)["status"] for row in rows] == ["done", "failed", "done"], rows
figures = [json.loads(line) for line in told if line.startswith("{")]
assert len(figures) == 1 and figures[0]["total"]["sent"] == 3, told
assert all(line.startswith(("{", "fogctl: ")) for line in told), told
EOF

status=0
"$fogctl" client --connect "$address" --task echo --content-csv "$dir/rows.csv:price" \
  2>"$dir/err" || status=$?
[ "$status" -eq 1 ] || fail "a column that is not there gives status $status"
grep -q "no column 'price'" "$dir/err" || fail "the column is named: $(cat "$dir/err")"
