#!/usr/bin/env bash
# A queue in a file that may not grow any more (ulimit -f): the node lives, says so once, refuses
# new tasks and ends what it has, and takes tasks again where it is in order. The programs that it
# runs die of it as ever. One that may have no queue file at all is told what to do.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"

cat >"$dir/tasks.toml" <<'EOF'
[task.signals]
command = ["grep", "SigIgn", "/proc/self/status"]
output = "text"
EOF
most_kib=3000
ulimit -S -f "$most_kib"
start fog fog --queue-backend file --queue-file "$dir/fog.queue" --listen 127.0.0.1:0 \
  --no-discovery --name fog --workers 1 --tasks "$dir/tasks.toml"
ulimit -S -f "$(ulimit -H -f)"

ignored=$("$fogctl" client --connect "$address" --task signals --content 0 \
  --requirement 100 2>&1) ||
  fail "the program: $ignored"
mask=$(grep -oE '[0-9a-f]{16}' <<<"$ignored") || fail "the program said: $ignored"
[ $((16#$mask >> 24 & 1)) -eq 0 ] || fail "the program ignores SIGXFSZ: $ignored"
ignored=$(grep SigIgn "/proc/${pid_of[fog]}/status")
[ $((16#${ignored##*[[:space:]]} >> 24 & 1)) -eq 1 ] || fail "the fog does not: $ignored"

# Tasks of 100 kB, which wait, until they are refused.
"$fogctl" queue pause --connect "$address" >/dev/null || fail "pausing"
python3 - <<'EOF' || fail "not refused"
from peer import Peer, task
peer = Peer()
got = peer.ask(task(0, "echo", "x" * 100000, want_accept=True))
assert got["message_type"] == "accepted", got
for i in range(1, 40):
    peer.send(task(i, "echo", "x" * 100000, want_accept=True))
while (got := peer.read())["message_type"] != "result":
    pass
assert got["error"]["code"] == "overloaded" and "ulimit" in got["error"]["message"], got
for i in range(50):
    got = peer.ask(task(100 + i, "echo", "y" * 100000))
    assert got["error"]["code"] == "overloaded", got
EOF
[ "$(grep -c "finds no room" "$dir/fog.log")" -eq 1 ] || fail "does not say so once"
! grep -q "is away\|is back" "$dir/fog.log" || fail "the queue comes and goes"
prlimit --pid "${pid_of[fog]}" --fsize=unlimited
wait_for "the queue to be back" "$fogctl" queue resume --connect "$address"
wait_for "a task to run" "$fogctl" client --connect "$address" --task echo --content 7

ulimit -S -f 100
status=0
timeout 60 "$fogctl" fog --queue-backend file --queue-file "$dir/small.queue" --listen 127.0.0.1:0 \
  --no-discovery >"$dir/out" 2>&1 || status=$?
[ "$status" -eq 1 ] || fail "starts within 100 KiB"
grep -q "^Make room.*$dir/small.queue.*ulimit -f" "$dir/out" || fail "$(cat "$dir/out")"
