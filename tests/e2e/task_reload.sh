#!/usr/bin/env bash
# SIGHUP every 100 ms under a load, with files that change and break: no task is lost or fails. Then
# what becomes of tasks whose kind is not known here, with and without other workers.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"

tasks() { # EXTRA: the file's tasks, moved into place whole
  cat >"$dir/new" <<EOT
[task.words]
command = ["wc", "-w"]
input = "raw"
$1
EOT
  mv "$dir/new" "$dir/tasks.toml"
}
tasks ''
start_fog fog --workers 4 --tasks "$dir/tasks.toml"

# hup: has the files read again, and waits until the log says what came of it.
hup() {
  local before
  before=$(rereads)
  kill -HUP "${pid_of[fog]}"
  wait_for "the files to be read again" more_than "$before"
}
rereads() { grep -c 'tasks\? of your own\|tasks stay' "$dir/fog.log"; }
more_than() { [ "$(rereads)" -gt "$1" ]; }

python3 - "$dir/enough" <<'EOF' &
import os, sys
from peer import Peer, task, check
peer, sent, seen = Peer(), 0, set()
def send_more():
    global sent
    peer.send("".join(task(i, *(("words", "a b c") if i % 2 else ("echo", 3)))
                      for i in range(sent, sent + 100)))
    sent += 100
send_more()
while len(seen) < sent:
    got = peer.read()
    check(got is not None, "the node hung up")
    check("error" not in got and got["content"] == 3, got)
    check(got["task_id"] not in seen, "answered twice", got)
    seen.add(got["task_id"])
    if sent - len(seen) < 100 and not os.path.exists(sys.argv[1]):
        send_more()
EOF
pid_of[load]=$!
for round in {0..19}; do
  case $((round % 4)) in
    0) tasks $'[task.other]\ncommand = ["cat"]' ;;
    1) tasks $'[task.other]\ncommand = ["cat"]\ntimeout = 5' ;;
    2) tasks $'[task.other]\ncommand = ["cat"]\ntimeout = "5s"' ;;
    3) tasks '' ;;
  esac
  hup
  kill -0 "${pid_of[load]}" 2>/dev/null || break
  read -rt 0.1 <><(:) || true
done
touch "$dir/enough"
wait "${pid_of[load]}" || fail "the load failed"
unset "pid_of[load]"
for told in ': added other' ': changed other' ': removed other' \
  "tasks.toml:6: [task.other] timeout: expected a length of time like \"5s\", got 5"; do
  grep -qF -- "$told" "$dir/fog.log" || fail "the log says not '$told'"
done

# A mistake takes no task away; a removed kind is unknown to who sends it then.
tasks $'[task.other]\ncommand = ["cat"]'
hup
tasks $'[task.other]\ncommand = ["no-such-program"]'
hup
"$fogctl" client --connect "$address" --task other --content 1 --requirement 100 \
  >"$dir/out" ||
  fail "a mistake took the task away"
tasks ''
hup
! "$fogctl" client --connect "$address" --task other --content 1 >"$dir/out" 2>&1 ||
  fail "a removed task still runs"
stop fog

# Two workers of one queue, one of which does not know the kind: it leaves the tasks to the other.
start_redis
start fog fog --port "$redis_port" --workers 0 --listen 127.0.0.1:0 --no-discovery \
  --tasks "$dir/tasks.toml"
start_worker without --port "$redis_port" --concurrency 2
start_worker with --port "$redis_port" --concurrency 2 --tasks "$dir/tasks.toml"
python3 - <<'EOF'
from peer import Peer, task, check
peer, count = Peer(), 40
peer.send("".join(task(i, "words", "a b c", max_attempts=1) for i in range(count)))
for _ in range(count):
    got = peer.read()
    check("error" not in got and got["node"] == "with", got)
EOF
wait_for "the worker to say that it lacks a task" grep -q \
  "task 'words' has no handler here, and is left to the queue's other workers" "$dir/without.log"
[ "$(grep -c "no handler here" "$dir/without.log")" -eq 1 ] || fail "it says so more than once"

# The last worker fails them.
stop with
got=$("$fogctl" client --connect "$address" --task words --content '"a"' 2>&1) || true
grep -q unknown_task <<<"$got" || fail "the last worker does not fail an unknown task: $got"
