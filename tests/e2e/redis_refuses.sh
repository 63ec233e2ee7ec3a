#!/usr/bin/env bash
# A Redis that is there and refuses: nothing says that it listens or works, and the error says why
# and what to do. An address in use is told apart from that.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_redis

# refused STATUS TEXT…: fog, cloud and worker end so, having said all of that.
refused() {
  local want=$1 role text status
  shift
  for role in fog cloud worker; do
    local listen=(--listen 127.0.0.1:0)
    [ "$role" != worker ] || listen=()
    status=0
    "$fogctl" "$role" --port "$redis_port" "${listen[@]}" >"$dir/out" 2>"$dir/err" || status=$?
    [ "$status" -eq "$want" ] || fail "$role: status $status, not $want: $(cat "$dir/err")"
    [ ! -s "$dir/out" ] || fail "$role said before: $(cat "$dir/out")"
    ! grep -q working "$dir/err" || fail "$role said that it works: $(cat "$dir/err")"
    for text in "127.0.0.1:$redis_port" "$@"; do
      grep -qF -- "$text" "$dir/err" || fail "$role says not '$text': $(cat "$dir/err")"
    done
  done
}

redis-cli -p "$redis_port" replicaof 127.0.0.1 1 >/dev/null
refused 3 READONLY "name its master with --redis" "fogctl redis-check"
start_fog first
status=0
"$fogctl" fog --port "$redis_port" --listen "$address" >"$dir/out" 2>"$dir/err" || status=$?
[ "$status" -eq 1 ] || fail "an address in use has status $status: $(cat "$dir/err")"
grep -q "${address##*:}" "$dir/err" || fail "the port is named: $(cat "$dir/err")"

redis-cli -p "$redis_port" replicaof no one >/dev/null
redis-cli -p "$redis_port" config set maxmemory 1 >/dev/null
refused 3 OOM "fogctl redis-check"
redis-cli -p "$redis_port" config set maxmemory 0 >/dev/null

redis-cli -p "$redis_port" config set requirepass right >/dev/null
refused 1 NOAUTH --redis-password-file FOGCTL_REDIS_PASSWORD
FOGCTL_REDIS_PASSWORD=wrong refused 1 WRONGPASS --redis-password-file FOGCTL_REDIS_PASSWORD
export FOGCTL_REDIS_PASSWORD=right
start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery
