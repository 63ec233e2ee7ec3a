#!/usr/bin/env bash
# Two nodes share a queue; one of them has no workers and only takes tasks. The other one stops, and
# hands what is queued to a neighbour that knows nothing of that queue. Whoever waits at the first
# node gets every answer.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
start_redis
start_mesh_fog neighbour --workers 1
start_on_queue() {
  launch "$1" "$fogctl" fog --port "$redis_port" --queue both --listen 127.0.0.1:0 --no-discovery \
    --name "$@"
}
start_on_queue front --workers 0
start_on_queue leaving --workers 1 --drain-timeout 30s --peer "${address_of[neighbour]}"
wait_for "them to know each other" is_mesh neighbour leaving
wait_for "the front to know of a worker" holds_at front "r['workers'] == 1"

address=${address_of[front]} python3 - >"$dir/answers" 2>"$dir/client.log" <<'END' &
from peer import Peer, task, check
peer = Peer()
peer.socket.settimeout(30)
count = 20
for i in range(count):
    got = peer.ask(task(i, "sleep", 0.5, task_uid=f"front-{i}", time_requirement=100,
                        want_accept=True))
    while got["message_type"] != "accepted":
        print(got["task_id"], got["node"], flush=True)
        got = peer.answer()
print("accepted", flush=True)
seen = []
while (got := peer.read()) is not None:
    if got["message_type"] != "result":
        continue
    check("error" not in got, got)
    print(got["task_id"], got["node"], flush=True)
END
pid_of[client]=$!
wait_for "all to be accepted" grep -qx accepted "$dir/answers"
stop leaving
[ "$status" -eq 0 ] || fail "an orderly end has status $status"
answers() { grep -cE '^[0-9]+ ' "$dir/answers"; }
all_answered() { [ "$(answers)" -eq 20 ]; }
wait_for "every answer" all_answered
echo "by the neighbour: $(grep -c ' neighbour$' "$dir/answers") of 20"
grep -q ' neighbour$' "$dir/answers" || fail "nothing was handed on"
[ "$(grep -E '^[0-9]+ ' "$dir/answers" | sort -u | wc -l)" -eq 20 ] || fail "one twice"
