#!/usr/bin/env bash
# A fogctl node uploads to a cloud of the original system, which understands nothing but tasks, and
# an original node to a fogctl cloud; the tasks of a fogctl client come back to it either way.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"

# upload NODE WHERE: heavy tasks, some at once, are run there.
upload() {
  "$fogctl" client --connect "${address_of[$1]}" --to-cloud --load heavy=40/s --duration 500ms \
    --requirement 100 --json >"$dir/report.json" || fail "$1: $(cat "$dir/report.json")"
  grep -q '"done":20,"failed":0,"lost":0' "$dir/report.json" ||
    fail "$1, each once: $(cat "$dir/report.json")"
  grep -q "\"$2_share\":1[,}]" "$dir/report.json" || fail "$1, $2: $(cat "$dir/report.json")"
}
has_cloud() { holds_at new 'r["cloud"] and r["cloud"]["original"]'; }

claim_port
start_mesh_fog new --workers 2 --cloud "127.0.0.1:$claimed_port"
start_original old_cloud cloud --listen "127.0.0.1:$claimed_port" --time light=0.01,heavy=0.01
wait_for "the cloud" has_cloud
upload new cloud
[ "$(grep -c "^ran heavy" "$dir/old_cloud.out")" -eq 20 ] || fail "ran: $(cat "$dir/old_cloud.out")"
"$fogctl" client --connect "${address_of[new]}" --to-cloud --task echo --content '"é {"' --json \
  --requirement 100 >"$dir/out" 2>&1 ||
  fail "one that the cloud does not know runs in the fog: $(cat "$dir/out")"
grep -q '"process_by":"local"' "$dir/out" || fail "likewise: $(cat "$dir/out")"
"$fogctl" client --connect "${address_of[new]}" --to-cloud --task heavy --content '"é {"' \
  --uid "my-uid-$$" --requirement 100 --json >"$dir/out" 2>&1 || fail "heavy: $(cat "$dir/out")"
grep -q '"process_by":"cloud"' "$dir/out" || fail "that one went up: $(cat "$dir/out")"
end_original old_cloud
start_original old_cloud cloud --listen "127.0.0.1:$claimed_port" --time light=0.01,heavy=0.01
wait_for "the cloud to be back" has_cloud
upload new cloud
end_original old_cloud

claim_port
launch new_cloud "$fogctl" cloud --queue-backend memory --listen 127.0.0.1:0 --name new_cloud
start_original old fog --listen 127.0.0.2:0 --multicast "228.0.0.5:$claimed_port" \
  --cloud "$address" --time light=0.001
wait_for "the original node to have its cloud" grep -q "^cloud" "$dir/old.out"
"$fogctl" client --connect "${address_of[old]}" --task light --requirement 100 \
  >/dev/null 2>&1 || fail "a light one"
"$fogctl" client --connect "${address_of[old]}" --to-cloud --load heavy=10/s --duration 500ms \
  --requirement 100 --json >"$dir/report.json" || fail "old: $(cat "$dir/report.json")"
grep -q '"cloud_share":1[,}]' "$dir/report.json" || fail "old: $(cat "$dir/report.json")"
[ "$(grep -c "^uploaded heavy" "$dir/old.out")" -eq 5 ] || fail "uploaded: $(cat "$dir/old.out")"
end_original old
