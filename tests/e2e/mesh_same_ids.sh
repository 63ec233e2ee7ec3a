#!/usr/bin/env bash
# Two nodes that hand tasks to each other, and a client at each that counts its tasks from 1: each
# gets its own answers, once.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
policy_flags=(--policy original)
start_mesh_fog one --workers 2 --sharing-interval 500ms
start_mesh_fog two --workers 2 --sharing-interval 500ms --peer "$address"
wait_for "a mesh" is_mesh one two

python3 - "${address_of[one]}" "${address_of[two]}" <<'EOF'
import sys
from peer import Peer, task, check
peers, count = [Peer(address) for address in sys.argv[1:]], 200

def length(client, i):
    """How long task i of a client sleeps, and its answer: different for each."""
    return round(0.002 + 0.002 * client + i * 1e-6, 6)

for peer in peers:
    peer.ask(task(0, "sleep", 0.002))  # now it knows how long these take
for first in (1, 1 + count):  # the second time each knows that the other is no better off
    batches = ["".join(task(i, "sleep", length(client, i), time_requirement=0)
                       for i in range(first, first + count)) for client in range(2)]
    for peer, batch in zip(peers, batches):
        peer.send(batch)
    handed_on = []
    for client, peer in enumerate(peers):
        got = [peer.read() for _ in range(count)]
        ids = sorted(one["task_id"] for one in got)
        check(ids == list(range(first, first + count)), "each once, at client", client, ids)
        for one in got:
            check(one["content"] == length(client, one["task_id"]), "client", client, one)
        handed_on.append(sum(one["process_by"] == "fog" for one in got))
    print("handed on:", handed_on)
    check(first > 1 or all(handed_on), "each handed some on", handed_on)
EOF
