#!/usr/bin/env bash
# The clients of the original system with a fogctl node: the phone's fixed rates, and client.py,
# which finds its node by multicast; and fogctl's client with an original node.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
claim_port
group=228.0.0.5:$claimed_port
launch new "$fogctl" fog --queue-backend memory --listen 127.0.0.1:0 --multicast "$group" \
  --name new --workers 2
original() { python3 "$here/original.py" "$@" >"$dir/client" 2>&1; }
says() { grep -qE "$1" "$dir/client" || fail "no '$1' in: $(cat "$dir/client")"; }

original phone --connect "$address" --rates light=600,medium=60,heavy=60 --duration 2 ||
  fail "the phone client: $(cat "$dir/client")"
says "^light number 20 average 0\."
says "^medium number 2 "
says "^heavy number 2 "
says "^unanswered 0"

original client --multicast "$group" --interface 127.0.0.1 --count 20 ||
  fail "client.py: $(cat "$dir/client")"
says "^found $address"
says "^light number 20 average 0\."

# The same counting from 1 at the same time, and a fogctl client beside them.
python3 "$here/original.py" client --connect "$address" --task medium --count 5 >"$dir/other" 2>&1 &
other=$!
original phone --connect "$address" --rates light=1200,medium=120 --duration 1 ||
  fail "beside another: $(cat "$dir/client")"
wait "$other" || fail "the other: $(cat "$dir/other")"
says "^medium number 2 "

claim_port
start_original old fog --listen 127.0.0.2:0 --multicast "228.0.0.5:$claimed_port"
"$fogctl" client --connect "$address" --load light=50/s,medium=2/s --duration 1s --json \
  --requirement 100 >"$dir/report.json" || fail "fogctl's client: $(cat "$dir/report.json")"
grep -q '"done":52,"failed":0,"lost":0' "$dir/report.json" || fail "$(cat "$dir/report.json")"
"$fogctl" client --connect "$address" --task light --content '"é {"' --uid "uid-$$" \
  --requirement 100 >"$dir/out" 2>&1 || fail "one with a uid and any content: $(cat "$dir/out")"
"$fogctl" client --multicast "228.0.0.5:$claimed_port" --interface lo --task heavy \
  --requirement 100 >"$dir/out" 2>&1 || fail "found by multicast: $(cat "$dir/out")"
grep -q "^ran heavy" "$dir/old.out" || fail "by the original node: $(cat "$dir/old.out")"
end_original old
