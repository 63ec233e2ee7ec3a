#!/usr/bin/env bash
# Tasks for the cloud run there while it is up, in the fog while it is away, and up there again.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"

claim_port
cloud_port=$claimed_port
start_cloud() {
  start cloud cloud --queue-backend memory --listen "127.0.0.1:$cloud_port" --name cloud
}
start_fog fog --cloud "127.0.0.1:$cloud_port"
fog=$address

# says PLACE: the client reports that the task ran there.
says() {
  "$fogctl" client --connect "$fog" --to-cloud --task heavy --requirement 100 2>&1 | grep -q "$1"
}

says locally || fail "with no cloud the task runs in the fog"
start_cloud
wait_for "the cloud coming up" says "in the cloud"
"$fogctl" client --connect "$fog" --to-cloud --task echo --content '"up"' \
  --requirement 100 >"$dir/out" 2>&1
grep -q '"up"' "$dir/out" || fail "a fogctl cloud runs every task: $(cat "$dir/out")"

# Tasks that are with the cloud when it dies are answered by the fog.
"$fogctl" client --connect "$fog" --to-cloud --load sleep=20/s --content 0.5 --duration 2s \
  --timeout 20s --json >"$dir/report.json" &
load=$!
a_second_old() { [ "$(ps -o etimes= -p "$load")" -ge 1 ]; }
wait_for "tasks in the cloud" a_second_old
stop cloud KILL
wait "$load" || fail "tasks were lost with the cloud: $(cat "$dir/report.json")"

says locally || fail "while the cloud is away the task runs in the fog"
start_cloud
wait_for "the cloud coming back" says "in the cloud"
