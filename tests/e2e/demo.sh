#!/usr/bin/env bash
# The demo runs as the README says, and reports what it did.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
"$here/../../demos/main-job.sh" "$fogctl" 3s >"$dir/demo.log" 2>&1 || fail "the demo fails"
grep -q "in time" "$dir/demo.log" || fail "no report"
grep -q "in the cloud\|cloud" "$dir/demo.log" || fail "nothing of the cloud"
