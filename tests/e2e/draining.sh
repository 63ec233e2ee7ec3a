#!/usr/bin/env bash
# A fog with a long queue gets SIGTERM: a neighbour gets what is queued, the most urgent first;
# where a worker serves the queue on, that one does it, and the results are kept for who asks again.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
export PYTHONUNBUFFERED=1
policy_flags=(--policy deadline)  # its queue's order is that of in-time, which hands on before, too

# send_tasks: 40 tasks of 0.3 s, their order of urgency not that of their ids, and what is answered:
# a line each, in order, and then the end of the connection.
send_tasks() {
  : >"$dir/answers"  # none of before
  address=${address_of[leaving]} python3 - >"$dir/answers" 2>"$dir/client.log" <<'EOF2' &
import json
from peer import Peer, task
peer = Peer()
def requirement(i):
    return 100 + i * 17 % 40
peer.send("".join(task(i, "sleep", 0.3, task_uid=f"drain-{i}", time_requirement=requirement(i))
                  for i in range(40)))
while (got := peer.read()) is not None:
    print(json.dumps(got))
print("closed")
EOF2
  pid_of[client]=$!
}
answered() { [ "$(grep -c '"result"' "$dir/answers")" -ge "$1" ]; }

# Every task is answered once, and the neighbour's in the order of urgency.
check_handed_on() {
  python3 - "$dir/answers" <<'EOF2'
import json, sys
from peer import check
lines = open(sys.argv[1]).read().splitlines()
check(lines[-1] == "closed", "the connection is closed at the end", lines[-1])
answers = [json.loads(line) for line in lines[:-1]]
answers = [got for got in answers if got["message_type"] == "result"]
check(not any("error" in got for got in answers), "no error", answers)
check(sorted(got["task_id"] for got in answers) == list(range(40)), "all, once", answers)
there = [got["time_requirement"] for got in answers if got["node"] == "neighbour"]
print("handed on", len(there), "of 40; their requirements as they were answered:", there)
check(len(there) >= 30, "what was queued was handed on")
check(there == sorted(there), "the most urgent first")
EOF2
}

start_mesh_fog neighbour --workers 1
start_mesh_fog leaving --workers 1 --drain-timeout 30s --peer "${address_of[neighbour]}"
wait_for "them to know each other" is_mesh neighbour leaving
send_tasks
wait_for "some answers" answered 3
start_clock
stop leaving
echo "the node left after $(took)"
wait "${pid_of[client]}" || fail "the client: $(cat "$dir/client.log")"
unset "pid_of[client]"
[ "$status" -eq 0 ] || fail "an orderly end has status $status"
check_handed_on || failed=order
# Nothing ran twice: what the neighbour took is what the client was answered by it.
holds_at neighbour "r['dropped_results'] == 0" || fail "dropped: $(cat "$dir/neighbour.nodes")"

# An original neighbour is told that the node takes nothing more.
start_original old fog --listen 127.0.0.1:0 --multicast 228.0.0.5:18005
start_mesh_fog leaving --peer "${address_of[old]}"
wait_for "the original one" grep -q "^state .* 0" "$dir/old.out"
stop leaving
wait_for "it to be told" grep -q "^state .* 1000000" "$dir/old.out"
end_original old

# On Redis, with a worker that serves the queue on: nothing is handed on.
start_redis
start_on_redis() {
  launch leaving "$fogctl" fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery \
    --name leaving "${policy_flags[@]}" --workers 1 --lease 2s --peer "${address_of[neighbour]}"
}
start_on_redis
start_worker worker --port "$redis_port" --concurrency 1
wait_for "both to serve" holds_at leaving "r['workers'] == 2"
wait_for "the neighbour" is_mesh neighbour leaving
taken_before=$(nodes_of leaving | grep -o '"handed": *[0-9]*')
send_tasks
wait_for "some answers" answered 3
start_clock
stop leaving
echo "the node left after $(took), $(grep -c '"result"' "$dir/answers") tasks answered"
[ "$status" -eq 0 ] || fail "an orderly end has status $status"
wait "${pid_of[client]}"
unset "pid_of[client]"
! grep -q '"node": "neighbour"' "$dir/answers" || fail "handed on: $(cat "$dir/answers")"
! answered 40 || fail "it left before all was done"
[ "$taken_before" = '"handed": 0' ] || [ "$taken_before" = '"handed":0' ] || fail "$taken_before"
queue_is_empty() { [ "$(redis-cli -p "$redis_port" hlen '{fog}:tasks')" = 0 ]; }
wait_for "the worker to do the rest" queue_is_empty
start_on_redis
send_tasks
wait_for "the kept results" answered 40
python3 - "$dir/answers" "${EPOCHREALTIME/[.,]*/}" <<'EOF2'
import json, sys
from peer import check
answers = [json.loads(line) for line in open(sys.argv[1])]
answers = [got for got in answers if got["message_type"] == "result"]
check(sorted(got["task_id"] for got in answers) == list(range(40)), "each once", answers)
check({got["node"] for got in answers} == {"leaving", "worker"}, "they did it", answers)
check(not any("error" in got for got in answers), "kept", answers)
EOF2
[ "$(redis-cli -p "$redis_port" hget '{fog}:counts' q0)" = 0 ] || fail "something was queued again"
[ -z "${failed:-}" ] || fail "the order in which tasks were handed on"
