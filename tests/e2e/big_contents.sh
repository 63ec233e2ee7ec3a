#!/usr/bin/env bash
# Contents of 40 MB, bytes among them, through a node and its cloud; a peer that sends half of one
# costs the node no more than that, and one that sends too much ends its own connection alone.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
most=$((64 << 20))
start cloud cloud --queue-backend memory --listen 127.0.0.1:0 --name above --max-message 64MiB
start_mesh_fog one --cloud "$address" --max-message "$most"
one=$address
wait_for "the cloud" holds_at one 'r["cloud"]'
rss() { awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/${pid_of[one]}/status"; }

head -c 30000000 /dev/urandom >"$dir/in"
for where in --no-retry --to-cloud; do
  "$fogctl" client --connect "$one" --timeout 100s --task echo --content-file "$dir/in" \
    --requirement 1000 "$where" --output "$dir/out" 2>"$dir/err" || fail "$where: $(cat "$dir/err")"
  python3 - "$dir/in" "$dir/out" <<'EOF'
import base64, json, sys
from peer import check
sent, came = (open(name, "rb").read() for name in sys.argv[1:])
check(base64.b64decode(json.loads(came)) == sent, "not what was sent")
EOF
done

# Idle connections that had a long object, and one in the midst of one.
python3 - "$one" <<'EOF'
import sys
from peer import Peer, task, check
peers = [Peer(sys.argv[1]) for _ in range(4)]
content = "x" * 10_000_000
for i, peer in enumerate(peers):
    check(peer.ask(task(i, content=content))["content"] == content, "echo")
half = Peer(sys.argv[1])
half.send(task(1, content="y" * 30_000_000)[:20_000_000])
check(peers[0].ask(task(2))["task_id"] == 2, "others go on")
long = Peer(sys.argv[1])
try:
    long.send('{"a":"' + "x" * (65 << 20))
except OSError:
    pass
check(peers[1].ask(task(3))["task_id"] == 3, "others go on")
EOF
back() { [ "$(rss)" -lt 300 ]; }
wait_for "the node to give back what long objects took: $(rss) MiB" back

# What cannot be written is said before anything is sent.
status=0
"$fogctl" client --connect 127.0.0.1:1 --task echo --output "$dir/no/out" 2>"$dir/err" ||
  status=$?
[ "$status" -eq 1 ] || fail "not writable: status $status"
grep -q "cannot write '$dir/no/out': No such file" "$dir/err" ||
  fail "it says why: $(cat "$dir/err")"
# A task that fails leaves what was there.
echo before >"$dir/kept"
! "$fogctl" client --connect "$one" --task fail --content 9 --output "$dir/kept" 2>"$dir/err" ||
  fail "a failed task"
[ "$(cat "$dir/kept")" = before ] || fail "a failed task costs no file"
[ -z "$(find "$dir" -name 'kept.*')" ] || fail "a file is left over"
