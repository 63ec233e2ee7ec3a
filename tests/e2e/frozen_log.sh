#!/usr/bin/env bash
# Whoever reads a node's log stops reading: the node goes on, tells how many lines that cost once it
# is read again, and ends when it is asked to.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
mkfifo "$dir/pipe"
cat <"$dir/pipe" >"$dir/read" &
pid_of[reader]=$!
"$fogctl" fog --queue-backend memory --listen 127.0.0.1:0 --no-discovery --workers 2 --name fog \
  >"$dir/fog.out" 2>"$dir/pipe" &
pid_of[fog]=$!
wait_for "the node to listen" grep -q listening "$dir/fog.out"
address=127.0.0.1:$(sed 's/.*://' "$dir/fog.out")

# fail_tasks COUNT: so many tasks that fail, a line of the log each, and are answered.
fail_tasks() {
  timeout 20 python3 - "$1" <<'EOF' || fail "tasks that fail are not answered"
import sys
from peer import Peer, task, check
peer, count = Peer(), int(sys.argv[1])
peer.send("".join(task(i, "fail", 9, max_attempts=1) for i in range(count)))
for _ in range(count):
    got = peer.answer()
    check(got["error"]["code"] == "task_failed", got)
EOF
}
fail_tasks 1
wait_for "its line" grep -q "is dead" "$dir/read"
kill -STOP "${pid_of[reader]}"
fail_tasks 2000 # twice what a pipe holds
kill -CONT "${pid_of[reader]}"
read_again() {
  fail_tasks 1
  grep -q "warning [0-9]* log lines lost: nobody read them" "$dir/read"
}
wait_for "the number of lost lines" read_again

kill -STOP "${pid_of[reader]}"
fail_tasks 2000
kill -TERM "${pid_of[fog]}"
has_ended() { ! kill -0 "${pid_of[fog]}"; }
wait_for "it to end" has_ended
status=0
wait "${pid_of[fog]}" || status=$?
[ "$status" -eq 0 ] || fail "an orderly end has status $status"

# A terminal that nobody reads.
timeout 60 python3 - "$fogctl" <<'EOF' || fail "a terminal that nobody reads holds up the node"
import os, pty, subprocess, sys
from peer import Peer, task, check
screen, keyboard = pty.openpty()
node = subprocess.Popen([sys.argv[1], "fog", "--queue-backend", "memory", "--listen",
                         "127.0.0.1:0", "--no-discovery", "--name", "shown"],
                        stdout=subprocess.PIPE, stderr=keyboard)
address = node.stdout.readline().decode().split()[-1]
peer, count = Peer(address), 2000
peer.send("".join(task(i, "fail", 9, max_attempts=1) for i in range(count)))
for _ in range(count):
    got = peer.answer()
    check(got["error"]["code"] == "task_failed", got)
node.terminate()
check(node.wait(20) == 0, "an orderly end has status", node.returncode)
EOF
