#!/usr/bin/env bash
# A queue in a file on a disk that something else fills: new tasks are refused with the reason, what
# was accepted ends, also after a kill -9, and new tasks come in again once there is room.
if [ -z "${has_own_mounts:-}" ]; then
  export has_own_mounts=1
  for way in -m -rm; do
    if unshare "$way" true 2>/dev/null; then exec unshare "$way" "$0" "$@"; fi
  done
  echo "skipped: no file system of its own here"
  exit 77
fi
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
disk=$dir/disk
more_cleanup() { umount "$disk" 2>/dev/null || true; }
mkdir "$disk"
if ! mount -t tmpfs -o size=16m tmpfs "$disk" 2>"$dir/why"; then
  echo "skipped: $(cat "$dir/why")"
  exit 77
fi
file=$disk/fog.queue
claim_port
port=$claimed_port

start_fog_on_file() {
  start fog fog --queue-backend file --queue-file "$file" --listen "127.0.0.1:$port" \
    --no-discovery --name fog --workers 2
}
says() { grep -q "$1" "$dir/fog.log"; }
says_once() {
  [ "$(grep -c "finds no room" "$dir/fog.log")" -eq 1 ] || fail "not said once"
  ! says "is away\|is back\|wait for the queue" || fail "the queue comes and goes"
}

# So many tasks that a call with all of them is more than the journal of a new life has room for.
start_fog_on_file
"$fogctl" queue pause --connect "$address" >/dev/null || fail "pausing"
python3 - <<'EOF' || fail "not accepted"
from peer import Peer, check, task
peer = Peer()
for i in range(4000):
    peer.send(task(i, "echo", i, task_uid=f"small-{i * 7919 % 4000}-{'x' * 40}", want_accept=True))
for i in range(4000):
    got = peer.read()
    check(got["message_type"] == "accepted", got)
EOF
stop fog
start_fog_on_file
python3 - "$file" "$dir/accepted" "$disk/ballast" <<'EOF' || fail "not refused"
import os
import sys
from peer import Peer, check, task
peer, accepted = Peer(), 0
for i in range(5000):  # of 4 kB: more than the disk
    if i == 300:
        with open(sys.argv[3], "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                pass
        check(os.statvfs(sys.argv[3]).f_bavail == 0, "the disk is not full")
    got = peer.ask(task(i, "echo", "x" * 4000, task_uid=f"task-{i}", want_accept=True))
    if got["message_type"] == "result":
        break
    check(got["message_type"] == "accepted", got)
    accepted += 1
check(got["message_type"] == "result" and got["error"]["code"] == "overloaded", got)
for word in (sys.argv[1], "make room", "retry_after"):
    check(word in str(got["error"]), word, got)
# What is there already is answered as ever.
got = peer.ask(task(0, "echo", "x" * 4000, task_uid="task-0", want_accept=True))
check(got["message_type"] == "accepted", got)
print(accepted, file=open(sys.argv[2], "w"))
EOF
says_once

# Whatever becomes free is taken by the other at once.
keep_full() {
  until [ -e "$dir/enough" ]; do
    dd if=/dev/zero of="$disk/ballast" bs=4096 oflag=append conv=notrunc 2>/dev/null || true
    read -rt 0.005 <><(:) || true
  done
}
keep_full &
filler=$!
stop fog KILL
start_fog_on_file
# ask_for_all: every task that was accepted has its result.
ask_for_all() {
  python3 - "$(cat "$dir/accepted")" <<'EOF' || fail "the results"
import sys
from peer import Peer, check, task
peer, count = Peer(), int(sys.argv[1])
check(count >= 300, "too few were accepted to tell", count)
for i in range(count):
    peer.send(task(i, "echo", "x" * 4000, task_uid=f"task-{i}"))
for i in range(count):
    got = peer.answer()
    check(got["content"] == "x" * 4000, got)
EOF
}
"$fogctl" queue resume --connect "$address" >/dev/null || fail "resuming"
ask_for_all
nothing_waits() {
  "$fogctl" queue --connect "$address" --json >"$dir/queued" &&
    python3 -c 'import json, sys; q = json.load(open(sys.argv[1]))
sys.exit(q["queued"]["total"] + q["leased"]["total"])' "$dir/queued"
}
wait_for "the queue to be empty" nothing_waits
! says "is away\|is back\|wait for the queue" || fail "the queue comes and goes"

status=0
timeout 60 "$fogctl" fog --queue-backend file --queue-file "$disk/another" --listen 127.0.0.1:0 \
  --no-discovery >"$dir/out" 2>&1 || status=$?
[ "$status" -eq 1 ] || fail "starts without room: $(cat "$dir/out")"
grep -q "^Make room on the file system of $disk/another" "$dir/out" || fail "$(cat "$dir/out")"

touch "$dir/enough"
wait "$filler"
rm "$disk/ballast"
wait_for "a task to be taken" "$fogctl" client --connect "$address" --task echo --content 7
