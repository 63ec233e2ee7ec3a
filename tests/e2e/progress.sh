#!/usr/bin/env bash
# How far a task is reaches the client: from a node itself, from its neighbour, from its cloud, and
# from a worker process over Redis. A client that did not ask hears nothing of it.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"

# hears ADDRESS NODE [FIELDS]: a task at this node runs at that one, and says how far it is.
hears() {
  python3 - "$@" <<'EOF'
import json, sys, time
from peer import Peer, task, check
address, node, fields = sys.argv[1], sys.argv[2], json.loads((sys.argv[3:] or ["{}"])[0])
peer = Peer(address)
peer.send(task("a", "sleep", 3, task_uid="uid-" + node,
               want_progress=True, **fields))
shares, begin = [], time.monotonic()
while (got := peer.read())["message_type"] == "progress":
    check(got["task_id"] == "a" and got["task_uid"] == "uid-" + node, got)
    shares.append(got["progress"])
check("error" not in got and got["node"] == node, got)
check(len(shares) >= 3, "too few", shares)
check(len(shares) <= 1 + 10 * (time.monotonic() - begin), "more than ten a second", shares)
check(shares == sorted(shares) and 0 < shares[0] < 0.7 and 0.5 < shares[-1] <= 1, shares)
peer.send(task(7, "sleep", 0.3, **fields))
check(peer.read()["message_type"] == "result", "a client hears that did not ask")
EOF
}

start cloud cloud --queue-backend memory --listen 127.0.0.1:0 --name above
start_mesh_fog one --cloud "$address" --workers 1
one=$address
start_mesh_fog two --peer "$one" --workers 1
wait_for "one to know two" holds_at one '"two" in n and n["two"]["waiting_time"] is not None'
hears "$one" one
hears "$one" above '{"cloud_processing": true}'
# It is busy for long from now on, so that what is in a hurry goes on to two.
python3 - "$one" <<'EOF'
import sys
from peer import Peer, task
peer = Peer(sys.argv[1])
peer.ask(task(0, "sleep", 0.1, task_type="heavy"))
peer.send(task(0, "sleep", 1000, task_type="heavy"))
peer.ask(task(1, "echo", task_type="light", cloud_processing=True))
EOF
hears "$one" two '{"time_requirement": 0}'

start_redis
start queued fog --port "$redis_port" --workers 0 --listen 127.0.0.1:0 --no-discovery
start_worker apart --port "$redis_port" --concurrency 1
wait_for "it to serve" "$fogctl" client --connect "$address" --task echo --content 1 \
  --requirement 100
hears "$address" apart

# A person sees a bar on a terminal, a program an object a line, and nobody else anything.
"$fogctl" client --connect "$one" --to-cloud --task sleep --content 1.5 --requirement 9 --json \
  >"$dir/out" 2>"$dir/err"
grep -qE '^\{"progress":0\.[0-9]+\}$' "$dir/err" || fail "as JSON: $(cat "$dir/err")"
[ "$(wc -l <"$dir/out")" -eq 1 ] || fail "the result alone: $(cat "$dir/out")"
"$fogctl" client --connect "$one" --to-cloud --task sleep --content 1.5 --requirement 9 \
  >"$dir/out" 2>"$dir/err"
[ "$(wc -l <"$dir/err")" -eq 1 ] || fail "nothing but how it went: $(cat "$dir/err")"
command="'$fogctl' client --connect $one --to-cloud --task sleep --content 1.5 --requirement 9"
script -qec "$command" "$dir/tty" >/dev/null
grep -qE '\[#+\.+\] +[0-9]+%' "$dir/tty" || fail "a bar: $(cat "$dir/tty")"
