#!/usr/bin/env bash
# One task: its result alone on standard output, all else on standard error, and an exit status
# that says whether it was done, failed, lost or late.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_fog fog

# expect STATUS OUTPUT MESSAGE ARGUMENT…: what the client ends with and says.
expect() {
  local status=0 want=$1 output=$2 message=$3
  shift 3
  "$fogctl" client --connect "$address" "$@" >"$dir/out" 2>"$dir/err" || status=$?
  [ "$status" -eq "$want" ] || fail "client $*: status $status, not $want: $(cat "$dir/err")"
  [ "$(cat "$dir/out")" = "$output" ] || fail "client $*: printed $(cat "$dir/out")"
  grep -qF -- "$message" "$dir/err" || fail "client $*: says not '$message': $(cat "$dir/err")"
}

at_leisure=(--requirement 100)  # status 5 is for what is late, as on a slow machine
expect 0 3 "ran locally" --task medium --content 1 "${at_leisure[@]}"
expect 0 6.5 "in time (requirement 100s)" --task sum --content '[1, 2, 3.5]' "${at_leisure[@]}"
("$fogctl" client --connect "$address" --task echo 2>&1 || true) | grep -qF "(requirement 200ms)" ||
  fail "a light task may wait for 200 ms"
expect 0 '"a word"' "ran locally" --task echo --content 'a word' "${at_leisure[@]}"
expect 0 '"\u007b \u00fc"' "ran locally" --task echo --content '{ ü' "${at_leisure[@]}"
expect 0 null "ran locally" --task echo "${at_leisure[@]}"
printf '{"lines":\n[1,\n2]}\n' >"$dir/input.json"
expect 0 '{"lines": [1, 2]}' "ran locally" --task echo --content-file "$dir/input.json" \
  "${at_leisure[@]}"
expect 0 '"from a pipe"' "ran locally" --task echo --content-file - "${at_leisure[@]}" \
  < <(printf 'from a pipe')
expect 1 "" "task 'nosuch' failed: unplaceable: " --task nosuch
expect 1 "" "task 'sum' failed: invalid_task: " --task sum --content 1
expect 1 "" "cannot read '$dir/absent'" --task echo --content-file "$dir/absent"
expect 1 "" "task 'sleep' is lost" --task sleep --content 10 --timeout 300ms

# Nothing comes back in no time at all.
expect 5 '"late"' "late (requirement 0us)" --task echo --content late --requirement 0

"$fogctl" client --connect "$address" --task echo --content '[1]' --uid me-1 --json \
  "${at_leisure[@]}" >"$dir/out" 2>/dev/null
python3 - "$dir/out" <<'EOF'
import json, sys
got = json.load(open(sys.argv[1]))
assert got["status"] == "done" and got["content"] == [1] and got["in_time"] is True, got
assert got["process_by"] == "local" and got["node"] == "fog", got
assert abs(got["response_s"] - got["execution_s"] - got["waiting_s"]) < 1e-6, got
EOF
# The same uid with another content is refused: it reached the node.
expect 1 "" "invalid_task" --task echo --content '[2]' --uid me-1
