#!/usr/bin/env bash
# Two nodes that serve one queue: a task that is given up at one of them ends for all who asked for
# it, also where that node has not brought it into the queue, which had no worker then.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
start_redis
start_on_queue() {
  launch "$1" "$fogctl" fog --port "$redis_port" --queue both --listen 127.0.0.1:0 --no-discovery \
    --lease 1s --name "$@"
}
start_on_queue busy --workers 1
start_on_queue other --workers 0

cat >"$dir/client.py" <<'END'
import json, os, signal, sys, time
from peer import Peer, task, check
busy, other = (Peer(address) for address in sys.argv[1:3])
pid = int(sys.argv[3])


codes_of = {}  # of the results at `busy`


def until_result(uid):
    while uid not in codes_of:
        got = busy.read()
        if got["message_type"] == "result":
            codes_of[got["task_uid"]] = got.get("error", {}).get("code", "ok")
    return codes_of[uid]


def ask(words):
    got = other.ask(json.dumps({"message_type": "queue_query", **words}))
    return got["objects"][0]


for how in ("cancel", "queue_query"):
    uid = "u-" + how
    busy.send(task(1, "sleep", 8, task_uid="first-" + how))
    got = busy.ask(task(2, "sleep", 0.01, task_uid=uid, want_accept=True))
    check(got["message_type"] == "accepted", got)
    os.kill(pid, signal.SIGSTOP)
    while ask({"action": "counts"})["workers"] > 0:
        time.sleep(0.05)
    other.send(task(3, "sleep", 0.01, task_uid=uid))
    if how == "cancel":
        other.send(json.dumps({"message_type": "cancel", "task_uid": uid}))
    else:
        other.send(json.dumps({"message_type": "queue_query", "action": "cancel",
                               "task_uids": [uid]}))
    answers = [other.read(), other.read()]
    os.kill(pid, signal.SIGCONT)
    codes = [one["error"]["code"] for one in answers if one["message_type"] == "result"]
    said = [one.get("status") or one["objects"][0]["status"] for one in answers
            if one["message_type"] != "result"]
    # The one that is stopped may hold it yet.
    check(codes == ["cancelled"] and said[0] in ("cancelled", "will apply"), how, answers)
    there = until_result(uid)
    check(there == "cancelled", how, "ended for one, and for the other one it was", there)
    check(until_result("first-" + how) == "ok", "another one is not given up")
    # Nobody has asked for this one.
    other.send(json.dumps({"message_type": "cancel", "task_uid": "never-sent"}))
    check(other.read()["status"] == "unknown", "a task that nobody knows")
END
python3 "$dir/client.py" "${address_of[busy]}" "${address_of[other]}" "${pid_of[busy]}" ||
  fail "a cancel does not end it for all"
