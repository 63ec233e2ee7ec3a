#!/usr/bin/env bash
# A node without workers of its own: the only worker process of its queue is killed, and what is
# queued goes to a neighbour. That one is killed, too, and what it had waits until it is back.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
start_redis
claim_port && other=127.0.0.1:$claimed_port
start_other() {
  launch other "$fogctl" fog --queue-backend memory --listen "$other" --no-discovery --name other \
    --workers 2
}
start_other
launch front "$fogctl" fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --name front \
  --workers 0 --peer "$other" --lease 1s
start_worker worker --port "$redis_port" --concurrency 1 --lease 1s
knows_all() { holds_at front "r['workers'] == 1 and n['other']['state_age'] is not None"; }
wait_for "front to know of both" knows_all

address=${address_of[front]} python3 - >"$dir/answers" 2>"$dir/client.log" <<'END' &
from peer import Peer, task
peer = Peer()
peer.socket.settimeout(60)
for i in range(4):
    peer.send(task(i, "sleep", 5, task_uid=f"t-{i}", time_requirement=1000, want_accept=True))
while (got := peer.read()) is not None:
    if got["message_type"] in ("accepted", "result"):
        print(got["message_type"], got["task_id"], got.get("node"), got.get("error"), flush=True)
END
pid_of[client]=$!
count() { grep -c "^$1" "$dir/answers" || true; }
all_accepted() { [ "$(count accepted)" -eq 4 ]; }
wait_for "all to be accepted" all_accepted
stop worker KILL
start_clock
runs_there() {
  grep -q "handed on .*: no worker serves the queue" "$dir/front.log" &&
    "$fogctl" tasks ls --connect "$other" | grep -q leased
}
wait_for "the neighbour to run one" runs_there
echo "handed on after $(took)"
stop other KILL
start_clock
pause() { read -rt "$1" <><(:) || true; }
pause 3
start_other
all_done() { [ "$(count result)" -eq 4 ]; }
wait_for "every answer" all_done
echo "all answered $(took) after the neighbour's end"
[ "$(count 'result . other None')" -eq 4 ] || fail "$(cat "$dir/answers")"
