#!/usr/bin/env bash
# Two nodes that serve one queue and are neighbours: what one hands to the other lies in the queue
# of both already, and neither may wait for the other one to run it.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
start_redis
policy_flags=(--policy original) # in-time's waits are the same at both, but for a moment
start_on_queue() {
  launch "$1" "$fogctl" fog --port "$redis_port" --queue both --listen 127.0.0.1:0 --no-discovery \
    --workers 1 "${policy_flags[@]}" --name "$@"
}
start_on_queue one
start_on_queue two --peer "${address_of[one]}"
wait_for "them to know each other" is_mesh one two

python3 - "${address_of[one]}" "${address_of[two]}" <<'END'
import sys
from peer import Peer, task, check
peers = [Peer(address) for address in sys.argv[1:]]
count = 100
for peer in peers:
    peer.socket.settimeout(20)
for burst in range(5):
    for which, peer in enumerate(peers):
        peer.send("".join(task(burst * count + i, "sleep", 0.001, time_requirement=0.001,
                               task_uid=f"{which}-{burst}-{i}") for i in range(count)))
    for which, peer in enumerate(peers):
        got = [peer.answer() for _ in range(count)]
        wrong = [one for one in got if one["message_type"] != "result" or "error" in one]
        check(not wrong, wrong)
        check(len({one["task_uid"] for one in got}) == count, "not each of them once")
END
for name in one two; do
  nodes_of "$name" | tr -d ' \n' | grep -oE '"handed":[0-9]+' | sed "s/^/$name: /"
done
