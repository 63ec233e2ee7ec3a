#!/usr/bin/env bash
# A cloud that is frozen keeps its connections and says nothing: what is with it runs elsewhere, it
# gets no more, and is not taken for one of the original system. Once it goes on, it is the cloud.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
start above cloud --queue-backend memory --listen 127.0.0.1:0 --name above
cloud=$address
start_mesh_fog here --workers 1 --cloud "$cloud"
has_cloud() { holds_at here "r['cloud'] is not None"; }
has_none() { holds_at here "r['cloud'] is None"; }
to_cloud() {
  timeout 30 "$fogctl" client --connect "${address_of[here]}" --task echo --content "$1" \
    --requirement 100 --to-cloud 2>&1
}
wait_for "the cloud" has_cloud
to_cloud 1 | grep -q "ran in the cloud" || fail "the cloud does not run tasks"

kill -STOP "${pid_of[above]}"
start_clock
got=$(to_cloud 2) || fail "a task that is with a frozen cloud is lost: $got"
grep -q "ran locally" <<<"$got" || fail "a frozen cloud ran it: $got"
echo "taken back after $(took)"
has_none || fail "a frozen cloud is up"
pause() { read -rt "$1" <><(:) || true; }
pause 7 # it is dialled meanwhile, and its kernel answers
has_none || fail "a frozen cloud came up: $(tail -n 2 "$dir/here.log")"
start_clock
to_cloud 3 | grep -q "ran locally" || fail "a task went to a frozen cloud"
! passed 4500 || fail "it was waited for"

kill -CONT "${pid_of[above]}"
wait_for "the cloud to be back" has_cloud
to_cloud 4 | grep -q "ran in the cloud" || fail "the cloud that goes on gets nothing"
[ "$(grep -c 'an original one' "$dir/here.log")" -eq 0 ] || fail "taken for an original one"
