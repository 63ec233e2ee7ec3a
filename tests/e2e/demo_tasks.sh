#!/usr/bin/env bash
# The example tasks in demos/tasks, in Python, Node and bash, do what they say.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
fogctl=$(realpath "$fogctl")
cd "$here/../../demos/tasks"
start_fog fog --tasks tasks.toml

# asks TASK CONTENT ANSWER…: the result, or a part of the error.
asks() {
  local task=$1 content=$2 got
  shift 2
  got=$("$fogctl" client --connect "$address" --requirement 30 --task "$task" \
    --content "$content" 2>&1) || true
  grep -qF -- "$1" <<<"$got" || fail "$task of $content: $got"
}
asks squares '[1, 2, 3]' 14
asks squares "[$(seq -s, 3000)]" 9004500500 # with progress in between
asks squares 5 "content: expected a list of numbers"
asks factors 360 '[2,2,2,3,3,5]'
asks factors '"x"' "content: expected a whole number"
if command -v node >/dev/null; then
  asks words '"to be or not to be"' '{"to":2,"be":2,"or":1,"not":1}'
  asks words 5 "content: expected a string"
fi
! grep 'is replaced' "$dir/fog.log" || fail "one broke the protocol"
stop fog
