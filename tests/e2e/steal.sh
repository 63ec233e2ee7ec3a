#!/usr/bin/env bash
# Policy in-time with real nodes: a node with a free worker takes tasks that wait at a neighbour,
# also those that are never copied. Each runs once and is answered once, where it came; when the
# node that took one is killed, it runs again where it came from. People are told who took what.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
export dir
cat >"$dir/tasks.toml" <<EOF
[task.mark]
class = "medium"
command = ["sh", "-c", 'read -r s; echo "\$FOGCTL_TASK_UID" >>$dir/runs; sleep "\$s"; echo 1']
EOF
touch "$dir/runs"
start_redis

# one NAME ARGUMENT…: a node of one worker.
one() {
  local name=$1
  shift
  launch "$name" "$fogctl" fog --listen 127.0.0.1:0 --no-discovery --name "$name" \
    --workers 1 --sharing-interval 1s --tasks "$dir/tasks.toml" "$@"
}

cat >"$dir/tasks.py" <<'EOF'
import os, sys, time
from peer import Peer, task, check
home, tag, count, again = Peer(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:]
runs = os.path.join(os.environ["dir"], "runs")

def mark(uid):
    seconds = 5 if uid in again else 0.2  # which is time to kill who runs it, on a slow machine too
    home.send(task(uid, "mark", seconds, task_uid=uid, time_requirement=60, exclusive=True))

uids = [f"{tag}{i}" for i in range(count)]
mark(uids[0])
home.answer()  # now the node knows how long they take
for uid in uids[1:]:
    mark(uid)
print("sent", flush=True)
ran_on = {}
for _ in uids[1:]:
    got = home.answer()
    check("error" not in got and got["task_id"] not in ran_on, "answered once, well", got)
    ran_on[got["task_id"]] = got["node"]
time.sleep(0.5)  # what should not run has the time to
with open(runs) as lines:
    ran = lines.read().split()
for uid in uids:
    check(ran.count(uid) == (2 if uid in again else 1), uid, "ran", ran.count(uid), "times")
print(*(uid for uid, node in ran_on.items() if node == "away"))
EOF

# send TAG COUNT UID…: so many tasks to home, of which these run twice. Goes on when they are there.
send() {
  rm -f "$dir/sent"  # of the ones before
  python3 "$dir/tasks.py" "${address_of[home]}" "$@" >"$dir/sent" &
  sender=$!
  wait_for "the tasks to be sent" grep -qx sent "$dir/sent"
}
# answered: waits for all answers; the uids of those that ran at away are in $taken.
answered() {
  wait "$sender" || fail "not every task was answered once"
  taken=$(tail -n 1 "$dir/sent")
}
explains() { # NAME UID TEXT
  "$fogctl" explain --connect "${address_of[$1]}" "$2" >"$dir/why" && grep -qF -- "$3" "$dir/why"
}

echo "a node joins while tasks wait"
one home --queue-backend memory --record "$dir/trace"
send m 48
one away --queue-backend memory --peer "${address_of[home]}"
answered
[ -n "$taken" ] || fail "the node that joined took nothing"
for uid in $taken; do
  explains home "$uid" "it asked for a task" || fail "home: $(cat "$dir/why")"
  grep -q "neighbour away" "$dir/why" || fail "home does not say who: $(cat "$dir/why")"
  explains away "$uid" "this node asked for it" || fail "away: $(cat "$dir/why")"
done
wait_for "home to count them" holds_at home "n['away']['handed'] == $(wc -w <<<"$taken")"
stop home
grep -q "it asked for a task" "$dir/trace" || fail "the trace does not say so"
"$fogctl" simulate --trace "$dir/trace" --policy in-time >"$dir/again" || fail "no replay"

echo "the node that took a task is killed"
one home --queue-backend memory --peer "${address_of[away]}"
wait_for "a mesh" is_mesh home away
send k 24 k23
is_taken() { grep -qx k23 "$dir/runs" && explains home k23 "it asked for a task"; }
wait_for "the last task to be taken" is_taken
kill -9 "${pid_of[away]}"
wait "${pid_of[away]}" 2>/dev/null || true
unset "pid_of[away]"
answered
stop home

echo "Redis"
one home --port "$redis_port" --queue home
one away --port "$redis_port" --queue away --peer "${address_of[home]}"
wait_for "a mesh" is_mesh home away
send r 24
answered
[ -n "$taken" ] || fail "the idle node took nothing"

echo "a neighbour with a policy that does not steal takes nothing"
stop away
one away --port "$redis_port" --queue away --peer "${address_of[home]}" --policy deadline
wait_for "a mesh" is_mesh home away
send d 5
answered
[ -z "$taken" ] || fail "it took $taken"
