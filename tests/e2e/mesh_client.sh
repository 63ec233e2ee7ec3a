#!/usr/bin/env bash
# A client that is told no address finds a node by multicast, one that answers; with none in reach
# it tries its own host, and says so. fogctl nodes does the same.
# shellcheck source=tests/e2e/hosts.sh
source "$(dirname "$0")/hosts.sh"
hosts 3

# client HOST ARGUMENT…: its exit status is then in $status, what it prints in $dir/out.
client() {
  local host=$1
  shift
  status=0
  on "$host" "$fogctl" client --task echo --uid "uid-$RANDOM-$$" --requirement 100 "$@" \
    >"$dir/out" 2>&1 || status=$?
}

start_clock
client 3
[ "$status" -eq 3 ] || fail "with no node at all: status $status: $(cat "$dir/out")"
passed 5000 && fail "it soon says that there is none, not after $(took)"
grep -q "127.0.0.1:10000" "$dir/out" || fail "it says what it tried: $(cat "$dir/out")"

start_fog_on 1 one
start_fog_on 2 two
client 3
[ "$status" -eq 0 ] || fail "a node on another host: $(cat "$dir/out")"
grep -qE "on (one|two)" "$dir/out" || fail "one of the two: $(cat "$dir/out")"
on 3 "$fogctl" nodes | grep -qE "^(one|two) \(" || fail "fogctl nodes asks one of the two"
client 1 --no-discovery
grep -q "on one" "$dir/out" || fail "its own host's: $(cat "$dir/out")"
client 3 --no-discovery
[ "$status" -eq 3 ] || fail "there is none on its own host: $(cat "$dir/out")"

# One that does not answer is not taken.
kill -STOP "${pid_of[one]}"
client 3
grep -q "on two" "$dir/out" || fail "the one that answers: $(cat "$dir/out")"
kill -CONT "${pid_of[one]}"
cut_cable 2
client 3
grep -q "on one" "$dir/out" || fail "the one in reach: $(cat "$dir/out")"
