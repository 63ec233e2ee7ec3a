#!/usr/bin/env bash
# A Redis that refuses at run time, in each of its ways: what is wrong is said once with what to do,
# new tasks are refused as unavailable after a bounded wait, those that were accepted are answered,
# and the node resumes by itself.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
export REDISCLI_AUTH=first
password=$dir/password
echo "$REDISCLI_AUTH" >"$password"
claim_port
redis_port=$claimed_port

# start_server ARGUMENT…: does not wait until it answers.
start_server() {
  redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$dir" --appendonly yes \
    --appendfsync no --save '' --requirepass "$REDISCLI_AUTH" --busy-reply-threshold 100 "$@" \
    >"$dir/redis.log" 2>&1 &
  pid_of[redis]=$!
}
redis() { redis-cli -p "$redis_port" --no-auth-warning "$@" >"$dir/redis.out" 2>&1; }
start_server
wait_for "redis to answer" redis_answers
start fog fog --port "$redis_port" --redis-password-file "$password" --listen 127.0.0.1:0 \
  --no-discovery --patience 500ms --lease 2s --workers 1

runs() { "$fogctl" client --no-retry --connect "$address" --task echo --requirement 100; }
are_accepted() { [ "$(redis-cli -p "$redis_port" hlen '{fog}:tasks' 2>/dev/null)" -ge 5 ]; }

# trouble NAME PATTERN BEGIN END: eight tasks are accepted before it, and one is refused meanwhile.
trouble() {
  local name=$1 pattern=$2 begin=$3 end=$4 before status=0
  python3 - <<'PYTHON' &
from peer import Peer, task, check
peer = Peer()
peer.send("".join(task(k, "sleep", 0.3, time_requirement=1000) for k in range(8)))
seen = [peer.read() for _ in range(8)]
check(all(got and "error" not in got for got in seen), seen)
check(len({got["task_id"] for got in seen}) == 8, "answered twice", seen)
PYTHON
  pid_of[accepted]=$!
  wait_for "tasks to be accepted" are_accepted
  before=$(wc -l <"$dir/fog.log")
  "$begin"
  SECONDS=0
  "$fogctl" client --no-retry --connect "$address" --task echo --requirement 100 \
    >"$dir/out" 2>&1 || status=$?
  [ "$status" -eq 1 ] || fail "$name: status $status: $(cat "$dir/out")"
  grep -q unavailable "$dir/out" || fail "$name: not unavailable: $(cat "$dir/out")"
  [ "$SECONDS" -le 15 ] || fail "$name: refused after $SECONDS s"
  read -rt 0.5 <><(:) || true # says nothing more meanwhile
  tail -n "+$((before + 1))" "$dir/fog.log" >"$dir/said"
  [ "$(grep -cE "the queue is away: .*$pattern" "$dir/said")" -eq 1 ] ||
    fail "$name: '$pattern' is not said once: $(cat "$dir/said")"
  [ "$(grep -c . "$dir/said")" -le 4 ] || fail "$name: says too much: $(cat "$dir/said")"
  "$end"
  wait_for "$name: the node to resume" runs
  wait "${pid_of[accepted]}" || fail "$name: what was accepted is not answered"
  unset "pid_of[accepted]"
  says_so() { tail -n "+$((before + 1))" "$dir/fog.log" | grep -q "the queue is back"; }
  wait_for "$name: it says so" says_so
}

demote() { redis replicaof 127.0.0.1 1; }
promote() { redis replicaof no one; }
trouble "a replica" "READONLY.*promote it" demote promote

fill() { redis config set maxmemory 1; }
empty() { redis config set maxmemory 0; }
trouble "no memory" "OOM.*raise maxmemory" fill empty

is_failed() { redis-cli -p "$redis_port" info persistence | grep -q last_bgsave_status:err; }
fail_snapshots() {
  mkdir "$dir/dump.rdb" # nothing can take its name
  redis config set save '3600 1'
  redis bgsave
  wait_for "a snapshot to fail" is_failed
}
mend_snapshots() {
  rmdir "$dir/dump.rdb"
  redis save
}
trouble "no disk" "MISCONF.*make room" fail_snapshots mend_snapshots

is_busy() { [[ $(redis-cli -p "$redis_port" ping 2>&1) == *BUSY* ]]; }
run_long_script() {
  redis-cli -p "$redis_port" eval 'while true do end' 0 >"$dir/script.out" 2>&1 &
  wait_for "the script to be too long" is_busy
}
kill_script() { redis script kill; }
trouble "a script that runs too long" "BUSY.*script kill" run_long_script kill_script

change_password() {
  redis config set requirepass second
  export REDISCLI_AUTH=second
  redis client kill type normal
}
tell_password() { echo second >"$password"; }
trouble "another password" "(WRONGPASS|NOAUTH).*--redis-password-file" change_password tell_password

freeze() { kill -STOP "${pid_of[redis]}"; }
thaw() { kill -CONT "${pid_of[redis]}"; }
trouble "a server that is frozen" "no answer within" freeze thaw

is_loading() { [[ $(redis-cli -p "$redis_port" ping 2>&1) == *LOADING* ]]; }
load_slowly() {
  stop redis KILL
  start_server --key-load-delay 600 # a client is heard after 1024 keys each
  wait_for "it to load" is_loading
}
load_at_once() {
  # It loads on; who waits for the node waits for that.
  wait_for "it to have loaded" redis_answers
}
redis eval 'for i = 1, 10000 do redis.call("SET", "other" .. i, i) end' 0
trouble "a server that loads" "(LOADING|connection)" load_slowly load_at_once

# Scripts that are forgotten are sent again, and nobody hears of it.
before=$(wc -l <"$dir/fog.log")
redis script flush
runs >"$dir/out" 2>&1 || fail "forgotten scripts: $(cat "$dir/out")"
[ "$(wc -l <"$dir/fog.log")" -eq "$before" ] || fail "said of it: $(tail -n 3 "$dir/fog.log")"
