#!/usr/bin/env bash
# A Redis that comes back without its last writes, as after a power cut: what it had forgotten to
# have ended at the cloud does not stay away for ever, and nothing is answered twice.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start cloud cloud --queue-backend memory --listen 127.0.0.1:0 --name cloud
cloud=$address
start_redis always
start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --cloud "$cloud"
wait_for "the cloud" grep -q "is up" "$dir/fog.log"
away() { redis-cli -p "$redis_port" hget '{fog}:counts' away; }
away_is() { [ "$(away)" = "$1" ]; }
is_idle() { [ "$(redis-cli -p "$redis_port" hlen '{fog}:tasks')" = 0 ]; }

python3 - "$dir" <<'EOF' &
import os, sys, time
from peer import Peer, task, check
peer, folder = Peer(), sys.argv[1]
peer.send("".join(task(i, "sleep", 3, cloud_processing=True) for i in range(5)))
seen = [peer.read() for _ in range(5)]
check(all("error" not in got and got["process_by"] == "cloud" for got in seen), seen)
open(f"{folder}/answered", "w").close()
while not os.path.exists(f"{folder}/over"):
    time.sleep(0.05)
peer.send(task(9))
check(peer.read()["task_id"] == 9, "something was answered twice")
EOF
pid_of[client]=$!
wait_for "the tasks to be with the cloud" away_is 5
cp -r "$dir/appendonlydir" "$dir/before"
wait_for "their answers" test -e "$dir/answered"
wait_for "the queue to have heard" is_idle

stop redis KILL
rm -r "$dir/appendonlydir"
mv "$dir/before" "$dir/appendonlydir"
start_redis always "$redis_port"
wait_for "what is not away to be given up" is_idle
away_is 0 || fail "$(away) are away"
touch "$dir/over"
wait "${pid_of[client]}" || fail "the client"
