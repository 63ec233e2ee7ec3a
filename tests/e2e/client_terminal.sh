#!/usr/bin/env bash
# A load shows a line of progress on a terminal, and erases it at the end; elsewhere there is none.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_fog fog

command="$fogctl client --connect $address --load echo=50/s --duration 1s"
begun=${EPOCHREALTIME/[.,]/}
script -qec "stty cols 200; $command >$dir/table" "$dir/typescript" </dev/null >/dev/null
took=$((${EPOCHREALTIME/[.,]/} - begun))  # us
grep -q "sent [0-9]*, done [0-9]*, failed 0, lost 0, in flight" "$dir/typescript" ||
  fail "progress: $(cat -v "$dir/typescript")"
[ "$(grep -o 'sent ' "$dir/typescript" | wc -l)" -le $((2 + took / 200000)) ] ||
  fail "redrawn up to 5 times a second"
grep -q "^echo " "$dir/table" || fail "the table is on standard output: $(cat "$dir/table")"
grep -q $'in time [0-9.%-]*\r\033\\[K\r\\?$' "$dir/typescript" ||
  fail "the line is erased: $(cat -v "$dir/typescript")"

$command >"$dir/table" 2>"$dir/err"
[ ! -s "$dir/err" ] || fail "no progress without a terminal: $(cat "$dir/err")"
