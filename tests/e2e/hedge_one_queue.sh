#!/usr/bin/env bash
# Two nodes that serve one queue, and a client that gave a task to both: the one that it tells to
# give the task up does not take it from the other one, whichever of them had it first, and whenever
# the other one is asked for it.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
start_redis
for name in one two; do
  launch "$name" "$fogctl" fog --listen 127.0.0.1:0 --no-discovery --name "$name" --workers 1 \
    --port "$redis_port" --queue both
done
python3 - "${address_of[one]}" "${address_of[two]}" <<'END'
import json, sys, time
from peer import Peer, task, check
one, two = sys.argv[1:]

def ask(uid, gives_up_first):
    busy, first, second = Peer(one), Peer(one), Peer(two)
    for peer in (first, second):
        peer.socket.settimeout(10)
    busy.send(task(1, "sleep", 3) + task(2, "sleep", 3))
    time.sleep(0.3)
    for peer, is_copy in ((first, False), (second, True)):
        got = peer.ask(task(3, "echo", uid, time_requirement=20, task_uid=uid, want_accept=True,
                            is_copy=is_copy))
        check(got["message_type"] == "accepted", got)
    loser, winner = (first, second) if gives_up_first else (second, first)
    loser.send(json.dumps({"message_type": "cancel_copy", "task_uid": uid}))
    got = winner.answer()
    check("error" not in got and got["content"] == uid, uid, got)
    for _ in range(2):
        busy.answer()

ask("first-gives-up", True)
ask("second-gives-up", False)

# One gives tasks up just while the other one is asked for them.
busy, first, second = Peer(one), Peer(one), Peer(two)
for peer in (first, second):
    peer.socket.settimeout(20)
busy.send(task(1, "sleep", 5) + task(2, "sleep", 5))
time.sleep(0.3)
uids = [f"both-{i}" for i in range(300)]
def tasks(uid):
    return task(3, "echo", uid, time_requirement=20, task_uid=uid, want_accept=True)
first.send("".join(tasks(uid) for uid in uids))
for _ in uids:
    check(first.answer()["message_type"] == "accepted", "not accepted")
for uid in uids:
    first.send(json.dumps({"message_type": "cancel_copy", "task_uid": uid}))
    second.send(tasks(uid))
left = set(uids)
while left:
    got = second.answer()
    if got["message_type"] != "result":
        continue
    check("error" not in got and got["content"] == got["task_uid"], got)
    left.remove(got["task_uid"])
END
