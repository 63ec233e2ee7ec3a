#!/usr/bin/env bash
# A load shows a line of progress on a terminal, and erases it at the end; elsewhere there is none.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_fog fog

command="$fogctl client --connect $address --load echo=50/s --duration 1s"
begun=${EPOCHREALTIME/[.,]/}
script -qec "stty cols 200; $command >$dir/table" "$dir/typescript" </dev/null >/dev/null
took=$((${EPOCHREALTIME/[.,]/} - begun))  # us
grep -q "sent [0-9]*, done [0-9]*, failed 0, lost 0, in flight" "$dir/typescript" ||
  fail "progress: $(cat -v "$dir/typescript")"
[ "$(grep -o 'sent ' "$dir/typescript" | wc -l)" -le $((2 + took / 200000)) ] ||
  fail "redrawn up to 5 times a second"
grep -q "^echo " "$dir/table" || fail "the table is on standard output: $(cat "$dir/table")"
grep -q $'in time [0-9.%-]*\r\033\\[K\r\\?$' "$dir/typescript" ||
  fail "the line is erased: $(cat -v "$dir/typescript")"

$command >"$dir/table" 2>"$dir/err"
[ ! -s "$dir/err" ] || fail "no progress without a terminal: $(cat "$dir/err")"

# What a node says does nothing to the terminal, and is one line.
python3 - >"$dir/hostile.out" <<'EOF2' &
import json, socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    client = server.accept()[0]
    client.makefile().readline()
    for code in "a\033[31m\n", "task_failed":
        error = {"message_type": "error", "code": code, "message": "red\033[32m\nnext\u009b1m"}
        client.sendall(json.dumps(error).encode())
    client.recv(1)
EOF2
pid_of[hostile]=$!
wait_for "the hostile node" grep -q . "$dir/hostile.out"
hostile=127.0.0.1:$(cat "$dir/hostile.out")
"$fogctl" client --connect "$hostile" --task echo >"$dir/out" 2>"$dir/err" && fail "it failed"
"$fogctl" client --connect "$hostile" --repeat 1 >"$dir/out" 2>>"$dir/err" && fail "it failed"
grep -qF 'the node says: a?[31m?: red?[32m?next?1m' "$dir/err" || fail "$(cat -v "$dir/err")"
grep -qF "task 'echo' failed: task_failed: a?[31m?: red" "$dir/err" || fail "$(cat -v "$dir/err")"
! grep -q $'[\033\302]' "$dir/err" || fail "a terminal obeys: $(cat -v "$dir/err")"
! grep -qv '^fogctl: ' "$dir/err" || fail "lines of the node's own: $(cat -v "$dir/err")"
