#!/usr/bin/env bash
# A queue in a file that may not grow any more (ulimit -f): the node lives, says that its queue is
# away, and goes on where it is in order again. The programs that it runs die of it as ever.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"

cat >"$dir/tasks.toml" <<'EOF'
[task.signals]
command = ["grep", "SigIgn", "/proc/self/status"]
output = "text"
EOF
most_kib=1000
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
for i in range(40):
    peer.send(task(i, "echo", "x" * 100000))
while (got := peer.read())["message_type"] != "result":
    pass
assert got["error"]["code"] == "unavailable", got
EOF
grep -q "the queue is away: cannot enqueue" "$dir/fog.log" || fail "does not say so"
prlimit --pid "${pid_of[fog]}" --fsize=unlimited
wait_for "the queue to be back" "$fogctl" queue resume --connect "$address"
wait_for "a task to run" "$fogctl" client --connect "$address" --task echo --content 7
