#!/usr/bin/env bash
# What a person gets who makes a mistake: the exit code, the flag or port named, what to do.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"

# expect STATUS TEXT ARGUMENT…: fogctl ends with that status, and says that on standard error.
expect() {
  local status=0 want=$1 text=$2
  shift 2
  "$fogctl" "$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
  [ "$status" -eq "$want" ] || fail "fogctl $*: status $status, not $want: $(cat "$dir/err")"
  grep -qF -- "$text" "$dir/err" || fail "fogctl $*: says not '$text': $(cat "$dir/err")"
}

expect 2 "--port" fog --prot 6380
expect 2 "--queue-backend" fog --queue-backend disk
expect 2 "--listen" fog --listen nowhere
expect 2 "--workers" fog --workers many
expect 2 "--cloud" fog --cloud 10.0.0.1
expect 2 "--policy" fog --policy best
expect 2 "client" clinet
expect 2 "--load" client --load light=x/min
expect 2 "--duration: '0s' is not above 0" client --load light=5/s --duration 0s
expect 2 "--content: nested deeper than 31" client --task echo \
  --content "$(printf '%032d' 0 | tr 0 '[')$(printf '%032d' 0 | tr 0 ']')"
expect 2 "--connect: 'localhost:0' has no port" client --task light --connect localhost:0
expect 2 "--connect: 'localhost:0' has no port" nodes --connect localhost:0
expect 2 "--peer: 'localhost:0' has no port" fog --peer localhost:0
expect 2 "nothing for a worker to share" worker --queue-backend memory
expect 2 "nothing for a worker to share" worker --queue-backend file
expect 2 "--queue-file" fog --queue-backend memory --queue-file "$dir/fog.queue"
expect 2 "--redis" fog --queue-backend memory --redis 127.0.0.1:6380
expect 2 "'disk' is none of redis" worker --queue-backend disk
expect 3 "fogctl fog" client --connect 127.0.0.1:1 --task light
expect 1 "no" find-port --from 1 --to 1 --host 192.0.2.1

start_fog first
expect 1 "$address" fog --queue-backend memory --listen "$address"
for role in fog cloud worker client redis-check find-port; do
  "$fogctl" "$role" --help >"$dir/help"
  grep -q "^Example" "$dir/help" || fail "fogctl $role --help has an example"
  for flag in --help -h; do
    "$fogctl" "$flag" "$role" 2>&1 | cmp -s - "$dir/help" || fail "fogctl $flag $role shows it too"
  done
done
