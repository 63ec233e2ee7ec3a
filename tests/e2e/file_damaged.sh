#!/usr/bin/env bash
# A queue file that is damaged: a start says so and what to do, and the way to recover the tasks
# that the manual page gives works. Where it is met later, the node says so once, is not ready, and
# takes no task that it could not answer.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
file=$dir/fog.queue

start_fog_on_file() {
  start fog fog --queue-backend file --queue-file "$file" --listen 127.0.0.1:0 \
    --no-discovery --name fog --workers 2 --watchdog 1s
}
# in_file SQL: with the node stopped.
in_file() {
  python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as file: assert file.execute(sys.argv[2]).fetchone()' "$file" "$1"
}
says() { grep -q "$1" "$dir/fog.log"; }
is_ready() { "$fogctl" nodes --connect "$address" --json | grep -q "\"ready\":$1,"; }
# send FIRST COUNT: tasks that the paused node accepts.
send() {
  python3 - "$@" <<'EOF' || fail "not accepted"
import sys
from peer import Peer, check, task
peer = Peer()
for i in range(int(sys.argv[1]), int(sys.argv[1]) + int(sys.argv[2])):
    got = peer.ask(task(i, "echo", i, task_uid=f"task-{i}", want_accept=True))
    check(got["message_type"] == "accepted", got)
EOF
}

start_fog_on_file
"$fogctl" queue pause --connect "$address" >/dev/null || fail "pausing"
send 0 200
stop fog
start_fog_on_file
stop fog KILL
[ -s "$file-wal" ] || fail "the kill left no journal"
cp "$file" "$dir/whole"
head -c 4096 /dev/urandom | dd of="$file" bs=4096 seek=2 conv=notrunc 2>/dev/null
status=0
timeout 60 "$fogctl" fog --queue-backend file --queue-file "$file" --listen 127.0.0.1:0 \
  --no-discovery >"$dir/out" 2>&1 || status=$?
[ "$status" -eq 1 ] || fail "starts with a page of junk: $(cat "$dir/out")"
grep -q "$file.*damaged\|$file.*malformed" "$dir/out" || fail "says not what: $(cat "$dir/out")"
grep -q "^Move $file and $file-wal away.*fogctl-guarantees(7)" "$dir/out" ||
  fail "says not what to do: $(cat "$dir/out")"

# As fogctl-guarantees(7) has it.
if command -v sqlite3 >/dev/null; then
  sqlite3 "$file" .dump 2>/dev/null | sed 's/^ROLLBACK.*/COMMIT;/' | sqlite3 "$dir/recovered"
  sqlite3 "$dir/recovered" "PRAGMA application_id = 1718577009; PRAGMA user_version = 3;
    UPDATE file SET counts = NULL"
  start recovered fog --queue-backend file --queue-file "$dir/recovered" --listen 127.0.0.1:0 \
    --no-discovery --name recovered --workers 2
  "$fogctl" queue --connect "$address" --json >"$dir/counts"
  python3 - "$dir/counts" <<'EOF' || fail "not recovered: $(cat "$dir/counts")"
import json, sys
sys.exit(json.load(open(sys.argv[1]))["queued"]["total"] != 200)
EOF
  stop recovered
fi

# A task that cannot be read: no page is wrong, so the start does not find it.
mv "$dir/whole" "$file"
rm -f "$file-wal"
in_file "UPDATE tasks SET record = x'00' WHERE uid = CAST('task-0' AS BLOB) RETURNING uid"
start_fog_on_file
is_ready true || fail "not ready at first"
# Its answer may be the damage already.
"$fogctl" queue resume --connect "$address" >"$dir/resumed" 2>&1 || grep -q damaged "$dir/resumed"
wait_for "the damage to be said" says "error   queue file $file is damaged.*fogctl-guarantees"
wait_for "the node not to be ready" is_ready false
"$fogctl" nodes --connect "$address" >"$dir/nodes"
grep -q "^NOT READY:.*queue is broken" "$dir/nodes" || fail "not said: $(cat "$dir/nodes")"
python3 - <<'EOF' || fail "takes a task"
from peer import Peer, check, task
got = Peer().ask(task(1, "echo", 1, task_uid="new", want_accept=True))
check(got["message_type"] == "result" and got["error"]["code"] == "unavailable", got)
EOF
[ "$(grep -c damaged "$dir/fog.log")" -le 2 ] || fail "not said once, and as the queue's state"
! says "redis\|the queue is back" || fail "wrong advice, or back"
stop fog

# Tasks that the file counts and does not have: the alarm gives the advice for a file.
rm -f "$file" "$file-wal"
start_fog_on_file
stop fog
in_file "UPDATE file SET counts = x'0300000000000000' || zeroblob(64) RETURNING 1"
start_fog_on_file
wait_for "the alarm" says "error   work stands still.*fogctl queue --connect"
! says redis || fail "advises Redis"
