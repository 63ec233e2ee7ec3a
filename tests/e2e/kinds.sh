#!/usr/bin/env bash
# Where a task can run: a node tells its neighbours before its first state, hands a task only to one
# that can run it, and answers at once what nobody in reach can run. fogctl tasks kinds lists it.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
mkdir "$dir/tasks.d"
start cloud cloud --queue-backend memory --listen 127.0.0.1:0 --name above --tasks "$dir/tasks.d"
cloud=$address
start_mesh_fog one --cloud "$cloud"
start_mesh_fog two --peer "$address"
one=${address_of[one]}
kinds() { "$fogctl" tasks kinds --connect "$one" "$@"; }
knows_both() { kinds | grep -qE '^echo .* one, two, above$'; }
wait_for "one to know what two and the cloud can run" knows_both

python3 - "$one" "$cloud" <<'EOF'
import json, sys, time
from peer import Peer, task, check
one, cloud = sys.argv[1:]

def read_until(peer, kind):
    seen = []
    while True:
        got = peer.read()
        check(got is not None, "closed before", kind, seen)
        seen.append(got["message_type"])
        if got["message_type"] == kind:
            return got, seen

# A client asks; so does a fog node its cloud.
for address in (one, cloud):
    asker = Peer(address)
    asker.send('{"message_type":"kinds_query"}')
    got, _ = read_until(asker, "kinds")
    own = {kind["name"]: kind["class"] for kind in got["tasks"]}
    check(own["heavy"] == "heavy" and own["echo"] == "light", got)
    check({kind["task_name"] for kind in got["mesh"]} >= set(own), got)

client = Peer(one)
begin = time.monotonic()
got = client.ask(task(1, "thumbnail"))
check(got["error"]["code"] == "unplaceable" and "'thumbnail'" in got["error"]["message"], got)
check(time.monotonic() - begin < 1.9, "not at once")

# A neighbour that can run nothing else.
def neighbour(node):
    other = Peer(one)
    other.send(json.dumps({"message_type": "fog_ready", "send_time": 1, "node": node,
                           "name": "other", "protocol": 2}))
    _, seen = read_until(other, "state")
    check("kinds" in seen, "the kinds come before the first state", seen)
    other.send('{"message_type":"kinds","tasks":[{"name":"thumbnail","class":"medium","time":0.5,'
               '"runs":3}]}{"message_type":"state","task_time":0}')
    return other

other = neighbour("f" * 32)
other.send('{"message_type":"nodes_query"}')
read_until(other, "nodes")  # it has heard all that

client.send(task("t", "thumbnail", "in", task_uid="uid-t", want_progress=True))
got, _ = read_until(other, "task")
check(got["task_name"] == "thumbnail" and got["task_type"] == "medium", got)
check(got["estimated_execution_time"] == 0.5, "by the neighbour's word", got)
other.send(json.dumps({"message_type": "progress", "task_id": got["task_id"], "progress": 0.25}))
news = client.read()
check(news == {"message_type": "progress", "task_id": "t", "task_uid": "uid-t", "progress": 0.25},
      news)
other.send(json.dumps({"message_type": "result", "task_id": got["task_id"], "content": "b3V0",
                       "content_encoding": "base64", "time_requirement": 1, "sending_time": 1,
                       "distribution_time": 1, "execution_time": 0.5, "task_type": "medium",
                       "offload_times": 1, "process_by": "fog"}))
got = client.read()
check(got["content"] == "b3V0" and got["content_encoding"] == "base64", got)

# Whatever the sender would rather have, it goes to nobody who cannot run it.
client.send("".join(task(i, time_requirement=0, max_offload=9) for i in range(20)))
for _ in range(20):
    check("error" not in client.answer(), "a neighbour was handed what it cannot run")

# The neighbour is gone: the task waits for another one, and new ones are answered at once.
client.send(task("w", "thumbnail", "in", task_uid="uid-w"))
read_until(other, "task")
other.socket.close()
got = Peer(one).ask(task(1, "thumbnail"))
check(got["error"]["code"] == "unplaceable", got)
other = neighbour("e" * 32)
got, _ = read_until(other, "task")
check(got["task_uid"] == "uid-w", got)
other.send(json.dumps({"message_type": "result", "task_id": got["task_id"], "content": "out",
                       "time_requirement": 1, "sending_time": 1, "distribution_time": 1,
                       "execution_time": 0.5, "task_type": "medium", "offload_times": 1,
                       "process_by": "fog"}))
got = client.answer()
check(got["task_id"] == "w" and got["content"] == "out", got)
EOF

# A neighbour that ran some of them tells so with its next state.
all_counted() {
  kinds --json >"$dir/kinds.json"
  python3 -c 'import json, sys
echo = [kind for kind in map(json.loads, sys.stdin) if kind["task_name"] == "echo"]
sys.exit(not echo or echo[0]["runs"] < 20)' <"$dir/kinds.json"
}
wait_for "each of the 20 tasks to be counted" all_counted
python3 - "$dir/kinds.json" <<'EOF'
import json, sys
from peer import check
kinds = {one["task_name"]: one for one in map(json.loads, open(sys.argv[1]))}
check(kinds["echo"]["time"] is not None, kinds["echo"])
check(kinds["echo"]["nodes"] == ["one", "two", "above"], kinds["echo"])
check(kinds["mean"]["time"] is None and kinds["mean"]["runs"] == 0, kinds["mean"])
check("thumbnail" not in kinds, kinds)
EOF
kinds | grep -qE '^heavy +heavy +- +0  one' || fail "a line for heavy: $(kinds)"
status=0
"$fogctl" tasks kinds --connect 127.0.0.1:1 >"$dir/out" 2>"$dir/err" || status=$?
[ "$status" -eq 3 ] || fail "nobody there: status $status"
grep -q "127.0.0.1:1" "$dir/err" || fail "it names the address: $(cat "$dir/err")"

# The cloud's tasks change, and what is measured there: its nodes come to know.
printf '[task.late]\ncommand = ["cat"]\n' >"$dir/tasks.d/late.toml"
kill -HUP "${pid_of[cloud]}"
knows_late() { kinds | grep -qE "^late +light +$1 +above\$"; }
wait_for "one to know what the cloud can run now" knows_late '- +0'
"$fogctl" client --connect "$one" --task late --content 5 --requirement 100 \
  >"$dir/out" 2>"$dir/err" ||
  fail "one knows it, and does not send it: $(cat "$dir/err")"
wait_for "one to know what that takes there" knows_late '[0-9.]+[mu]?s +1'
rm "$dir/tasks.d/late.toml"
kill -HUP "${pid_of[cloud]}"
knows_late_no_more() { ! kinds | grep -q '^late '; }
wait_for "one to know that the cloud cannot run it any more" knows_late_no_more
