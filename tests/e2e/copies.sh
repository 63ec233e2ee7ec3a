#!/usr/bin/env bash
# Policy in-time with real nodes: what would be late in one queue waits at a neighbour as well, runs
# where a worker has it first, and only there; whatever becomes of the copy, it is answered once.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
cat >"$dir/tasks.toml" <<EOF
[task.mark]
class = "light"
command = ["sh", "$dir/mark.sh", "$dir"]
EOF
# It sleeps so long, or, of no length, until there is a file go.UID.
cat >"$dir/mark.sh" <<'EOF'
read -r seconds
echo "$FOGCTL_TASK_UID" >>"$1/runs"
if [ "$seconds" = null ]; then
  until [ -e "$1/go.$FOGCTL_TASK_UID" ]; do sleep 0.02; done
else
  sleep "$seconds"
fi
echo 1
EOF
touch "$dir/runs"
start_redis

# pair ARGUMENT…: two nodes of one worker each, "home" and "away"; of these the latter gets the
# arguments after "--".
pair() {
  local home_flags=()
  while [ "$#" -gt 0 ] && [ "$1" != -- ]; do
    home_flags+=("$1")
    shift
  done
  shift
  launch home "$fogctl" fog --listen 127.0.0.1:0 --no-discovery --name home --policy in-time \
    --workers 1 --sharing-interval 1s --tasks "$dir/tasks.toml" "${home_flags[@]}"
  home=$address
  launch away "$fogctl" fog --listen 127.0.0.1:0 --no-discovery --name away --policy in-time \
    --workers 1 --sharing-interval 1s --tasks "$dir/tasks.toml" --peer "$home" "$@"
  away=$address
  wait_for "a mesh" is_mesh home away
}

is_empty() { # ADDRESS: nothing is left in its queue
  "$fogctl" queue --connect "$1" --json | grep -q '"bytes":0}'
}

cat >"$dir/copies.py" <<'EOF'
import json, os, signal, sys, time
from peer import Peer, task, check
home, away, victim = sys.argv[1], sys.argv[2], int(sys.argv[3])
runs = os.path.join(os.environ["dir"], "runs")
os.environ["address"] = home
at_home, at_away = Peer(home), Peer(away)

def runs_of(uid):
    with open(runs) as lines:
        return lines.read().split().count(uid)

def until(what, condition):
    end = time.monotonic() + 20
    while not condition():
        check(time.monotonic() < end, "waited 20 s for:", what)
        time.sleep(0.02)

def mark(peer, uid, naptime=0.05, requirement=0.02, **fields):
    peer.send(task(uid, "mark", naptime, task_uid=uid, time_requirement=requirement, **fields))

def answer(peer, uid):
    got = peer.answer()
    check(got["task_id"] == uid and "error" not in got, uid, "expected, not", got)
    check(runs_of(uid) == 1, uid, "ran", runs_of(uid), "times")
    return got["node"]

def busy(peer, uid):
    """Its worker is, until it may go."""
    mark(peer, uid, None, requirement=60, max_offload=0)
    until(uid, lambda: runs_of(uid) == 1)

def go(uid):
    open(os.path.join(os.environ["dir"], "go." + uid), "w").close()

tag = f"{os.getpid()}-"
for round in range(3):  # now both know how long these take, and each other's state
    mark(at_home, f"{tag}warm{round}"); answer(at_home, f"{tag}warm{round}")
    mark(at_away, f"{tag}cold{round}"); answer(at_away, f"{tag}cold{round}")
time.sleep(1.5)  # states are shared every second: none is of before

busy(at_home, f"{tag}b1")
mark(at_home, f"{tag}t1")
check(answer(at_home, f"{tag}t1") == "away", "an idle neighbour begins what waits here")
at_home.send(json.dumps({"message_type": "explain_query", "task_uid": f"{tag}t1"}))
decision = at_home.answer()["decisions"][0]
copy, = decision["copies"]
check(copy["name"] == "away" and copy["fate"] == "began", decision)
check({place["name"]: place["verdict"] for place in decision["candidates"]} ==
      {"home": "chosen", "away": "copied"}, decision)
go(f"{tag}b1"); answer(at_home, f"{tag}b1")

busy(at_home, f"{tag}b2"); busy(at_away, f"{tag}b3")
mark(at_home, f"{tag}t2")
time.sleep(0.5)  # it waits at both
go(f"{tag}b2"); answer(at_home, f"{tag}b2")
check(answer(at_home, f"{tag}t2") == "home", "where both are busy, who is free first has it")
go(f"{tag}b3"); answer(at_away, f"{tag}b3")

busy(at_home, f"{tag}b4"); busy(at_away, f"{tag}b5")
mark(at_home, f"{tag}t3")
time.sleep(0.5)
go(f"{tag}b5")
check(answer(at_home, f"{tag}t3") == "away", "and the other way round")
answer(at_away, f"{tag}b5")
go(f"{tag}b4"); answer(at_home, f"{tag}b4")

busy(at_home, f"{tag}b6")
mark(at_home, f"{tag}t4", exclusive=True, max_offload=0)
time.sleep(0.5)
go(f"{tag}b6"); answer(at_home, f"{tag}b6")
check(answer(at_home, f"{tag}t4") == "home", "what is exclusive and handed on no more stays")

if victim:
    busy(at_home, f"{tag}b7")
    mark(at_home, f"{tag}t5", naptime=5)
    until("the copy to begin", lambda: runs_of(f"{tag}t5") == 1)
    os.kill(victim, signal.SIGKILL)
    go(f"{tag}b7"); answer(at_home, f"{tag}b7")
    got = at_home.answer()
    check(got["task_id"] == f"{tag}t5" and got["node"] == "home", "it runs again here", got)
    check(runs_of(f"{tag}t5") == 2, "once for each node")
time.sleep(0.5)  # what should not run has the time to
for uid in ("t1", "t2", "t3", "t4"):
    check(runs_of(tag + uid) == 1, uid, "ran", runs_of(tag + uid), "times in the end")
EOF
export dir

# check_pair WHAT VICTIM: 0 for none.
check_pair() {
  echo "$1"
  python3 "$dir/copies.py" "$home" "$away" "$2"
  wait_for "nothing left at home" is_empty "$home"
  if [ "$2" = 0 ]; then
    wait_for "nothing left at away" is_empty "$away"
    stop away
  else
    wait "${pid_of[away]}" 2>/dev/null || true
    unset "pid_of[away]"
  fi
  stop home
}

pair --queue-backend memory -- --queue-backend memory
check_pair "memory, the neighbour killed" "${pid_of[away]}"

pair --port "$redis_port" --queue home -- --port "$redis_port" --queue away
check_pair "Redis" 0

pair --queue-backend file --queue-file "$dir/home.queue" -- \
  --queue-backend file --queue-file "$dir/away.queue"
check_pair "files" 0

# A neighbour of another policy takes no copies, but tasks.
pair --queue-backend memory -- --queue-backend memory --policy original
address=$home python3 - <<'EOF'
import os
from peer import Peer, task, check
peer, tag = Peer(), f"mixed-{os.getpid()}-"
peer.ask(task("warm", "mark", 0.05, task_uid=f"{tag}warm"))
for i in range(10):
    peer.send(task(i, "mark", 0.2, task_uid=f"{tag}{i}", time_requirement=0.02))
at = [peer.answer()["node"] for i in range(10)]
check(at.count("away") > 1, "it has some of them", at)
EOF
stop away
stop home

# Two nodes on one queue, who are neighbours too: no copy, since the task itself is there.
pair --port "$redis_port" --queue both -- --port "$redis_port" --queue both
address=$home python3 - <<'EOF'
import os, time
from peer import Peer, task, check
peer, tag, count = Peer(), f"shared-{os.getpid()}-", 40
peer.send("".join(task(i, "mark", 0.01, task_uid=f"{tag}{i}", time_requirement=0.02)
                  for i in range(count)))
answered = sorted(peer.answer()["task_id"] for _ in range(count))
check(answered == list(range(count)), "each is answered once", answered)
time.sleep(0.5)
with open(os.path.join(os.environ["dir"], "runs")) as lines:
    ran = [line for line in lines.read().split() if line.startswith(tag)]
check(len(ran) == count and len(set(ran)) == count, "each ran once", len(ran))
EOF
