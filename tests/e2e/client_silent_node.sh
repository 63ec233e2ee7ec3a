#!/usr/bin/env bash
# A node that is frozen keeps its connections and says nothing: its client goes on at the next one.
# One that says nothing because its task is long is waited for.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_fog first && first=$address
start_fog second && second=$address

"$fogctl" client --connect "$second" --task sleep --content 12 >"$dir/long.out" 2>"$dir/long.log" &
pid_of[long]=$!
"$fogctl" client --connect "$first" --connect "$second" --load echo=4/s --content 1 \
  --duration 10s --timeout 60s --json >"$dir/load.json" 2>"$dir/load.log" &
pid_of[load]=$!
has_answered() { "$fogctl" nodes --connect "$first" --json | grep -q '"tasks":[1-9]'; }
wait_for "the first node to have run a task" has_answered
kill -STOP "${pid_of[first]}"

status=0
wait "${pid_of[load]}" || status=$?
unset "pid_of[load]"
[ "$status" -eq 0 ] || fail "the client of a frozen node ended with $status: $(cat "$dir/load.log")"
grep -q 'it says nothing' "$dir/load.log" || fail "the client did not say why it went on"
python3 - "$dir/load.json" <<'EOF2' || fail "tasks were lost: $(cat "$dir/load.json")"
import json, sys
total = json.load(open(sys.argv[1]))["total"]
assert total["sent"] == total["done"] == 40, total
EOF2

wait "${pid_of[long]}" || true # it is late for its requirement
unset "pid_of[long]"
[ "$(cat "$dir/long.out")" = 12 ] || fail "the long task: $(cat "$dir/long.out" "$dir/long.log")"
! grep -q broke "$dir/long.log" || fail "the node with the long task was left"
kill -CONT "${pid_of[first]}"
