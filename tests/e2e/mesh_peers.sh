#!/usr/bin/env bash
# Without multicast one --peer is enough to join a mesh: nodes tell each other whom they know. A
# named node may come later, or go and come back.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
claim_port
hub=127.0.0.1:$claimed_port
start_hub() {
  launch hub "$fogctl" fog --queue-backend memory --listen "$hub" --no-discovery --name hub "$@"
}

start_mesh_fog one --peer "$hub"
start_mesh_fog two --peer "$hub"
is_mesh one || fail "nobody is there yet"
start_clock
start_hub
wait_for "all three to know each other" is_mesh hub one two
echo "a named node that came later: $(took)"

start_clock
start_mesh_fog three --peer "${address_of[two]}" --peer 127.0.0.1:1 --peer "$hub"
wait_for "a fourth to know all" is_mesh hub one two three
echo "one more: $(took)"

stop hub KILL
wait_for "the others to go on without it" is_mesh one two three
left one hub || fail "the log says that it left"
start_clock
start_hub
wait_for "it to be back" is_mesh hub one two three
echo "a named node that came back: $(took)"

# It stops in order: the others know at once.
start_clock
stop three
[ "$status" -eq 0 ] || fail "an orderly end has status $status"
wait_for "the rest" is_mesh hub one two
left hub three || fail "the log says that three left"

# A node that names itself, and one that is named by two names, has no more links for that.
start_mesh_fog odd --peer "localhost:${hub##*:}" --peer "$hub"
wait_for "the odd one" is_mesh hub one two odd
stop hub KILL
start_hub --peer "$hub" --peer "${address_of[one]}"
wait_for "one that names itself" is_mesh hub one two odd
one_link_each() { [ "$(ss -Htnp state established | grep -c "pid=${pid_of[hub]},")" -eq 3 ]; }
wait_for "one connection to each" one_link_each
