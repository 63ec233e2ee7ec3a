#!/usr/bin/env bash
# A master, its replica and three sentinels: the master is killed under a load, and later the new
# one is demoted by hand. The node follows by itself and every task is answered in the end.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"

# start_server NAME ARGUMENT…: a Redis of that name; its port is then in $port.
start_server() {
  local name=$1
  shift
  claim_port
  port=$claimed_port
  mkdir -p "$dir/$name.d"
  redis-server --port "$port" --bind 127.0.0.1 --dir "$dir/$name.d" --save '' --appendonly yes \
    --appendfsync no --repl-diskless-sync-delay 0 "$@" >"$dir/$name.log" 2>&1 &
  pid_of[$name]=$!
  redis_port=$port
  wait_for "$name to answer" redis_answers
}
start_server master
first=$port
start_server replica --replicaof 127.0.0.1 "$first"
second=$port
is_linked() { redis-cli -p "$second" info replication | grep -q master_link_status:up; }
wait_for "the replica to follow its master" is_linked

sentinels=
for i in 1 2 3; do
  claim_port
  mkdir -p "$dir/sentinel$i.d"
  cat >"$dir/sentinel$i.conf" <<CONF
port $claimed_port
bind 127.0.0.1
dir $dir/sentinel$i.d
sentinel monitor mymaster 127.0.0.1 $first 2
sentinel down-after-milliseconds mymaster 1500
sentinel failover-timeout mymaster 4000
CONF
  redis-server "$dir/sentinel$i.conf" --sentinel >"$dir/sentinel$i.log" 2>&1 &
  pid_of[sentinel$i]=$!
  sentinels+=${sentinels:+,}127.0.0.1:$claimed_port
done
ask=$claimed_port
know_each_other() {
  local seen
  seen=$(redis-cli -p "$ask" sentinel master mymaster | sed -n '/^num-other-sentinels$/{n;p}')
  [ "$seen" -eq 2 ]
}
wait_for "the sentinels to find each other" know_each_other
redis=sentinel://$sentinels/mymaster

"$fogctl" redis-check --redis "$redis" >"$dir/out" || fail "redis-check: $(cat "$dir/out")"
grep -q "master mymaster, by .*127.0.0.1:$first" "$dir/out" || fail "says who: $(cat "$dir/out")"
status=0
"$fogctl" redis-check --redis "${redis%/*}/nobody" >"$dir/out" || status=$?
[ "$status" -eq 1 ] || fail "a master that nobody knows: $(cat "$dir/out")"
grep -q "knows no master 'nobody'" "$dir/out" || fail "says that: $(cat "$dir/out")"

# One of them is down from the start, the first that is asked.
stop sentinel1 KILL
start fog fog --redis "$redis" --listen 127.0.0.1:0 --no-discovery --patience 1s --lease 2s \
  --workers 1
fog=$address
start_worker worker --redis "$redis" --concurrency 1 --lease 2s

# start_load SECONDS: in the background, running since a second.
start_load() {
  "$fogctl" client --connect "$fog" --load sleep=50/s,echo=150/s --content 0.01 \
    --duration "$1s" --requirement 100 --timeout 60s --json >"$dir/out" 2>"$dir/client.log" &
  pid_of[load]=$!
  a_second_old() { [ "$(ps -o etimes= -p "${pid_of[load]}")" -ge 1 ]; }
  wait_for "the load to run" a_second_old
}
all_answered() {
  local status=0
  wait "${pid_of[load]}" || status=$?
  unset "pid_of[load]"
  [ "$status" -eq 0 ] || fail "$1: status $status: $(cat "$dir/client.log" "$dir/out")"
  python3 - "$dir/out" <<'PYTHON' || fail "$1: not every task was answered"
import json, sys
got = json.load(open(sys.argv[1]))
total = got["total"]
assert total["sent"] == total["done"], got
assert total["lost"] == total["failed"] == got["not_sent"] == 0, got
PYTHON
}
master_is() { redis-cli -p "$ask" sentinel get-master-addr-by-name mymaster | grep -qx "$1"; }
runs() { "$fogctl" client --no-retry --connect "$fog" --task echo --requirement 100; }

start_load 6
killed=$(date +%s%N)
stop master KILL
wait_for "the replica to be promoted" master_is "$second"
promoted=$(date +%s%N)
wait_for "the node to follow" runs
resumed=$(date +%s%N)
all_answered "after a failover"
echo "promoted after $(((promoted - killed) / 1000000)) ms, resumed after" \
  "$(((resumed - killed) / 1000000)) ms"
grep -q "redis is now at 127.0.0.1:$second (master mymaster by the word of sentinel" \
  "$dir/fog.log" || fail "the node says where the queue is now"
grep -q "names 127.0.0.1:$first as master mymaster: connection" "$dir/fog.log" ||
  fail "the node said what was wrong"
[ "$(grep -c "the queue is away" "$dir/fog.log")" -le 3 ] || fail "it is said over and over"

# The old master comes back as a replica, and is made the master by hand: the other is demoted while
# it lives.
redis-server --port "$first" --bind 127.0.0.1 --dir "$dir/master.d" --save '' --appendonly yes \
  --appendfsync no --repl-diskless-sync-delay 0 --replicaof 127.0.0.1 "$second" \
  >"$dir/master.log" 2>&1 &
pid_of[master]=$!
is_back() {
  redis-cli -p "$ask" sentinel replicas mymaster | grep -qx "127.0.0.1:$first" &&
    redis-cli -p "$first" info replication | grep -q master_link_status:up
}
wait_for "the old master to be a replica" is_back
start_load 4
fails_over() { [ "$(redis-cli -p "$ask" sentinel failover mymaster)" = OK ]; }
wait_for "a failover by hand" fails_over
wait_for "the first to be the master again" master_is "$first"
all_answered "after a failover by hand"

# And a master that is frozen: it answers nobody, and its connections stay.
is_replica_again() {
  redis-cli -p "$second" info replication | grep -q master_link_status:up &&
    redis-cli -p "$ask" sentinel replicas mymaster | grep -qx slave &&
    ! redis-cli -p "$ask" sentinel master mymaster | grep -q failover_in_progress
}
wait_for "the second to be a replica again" is_replica_again
start_load 4
kill -STOP "${pid_of[master]}"
wait_for "the second to be promoted" master_is "$second"
all_answered "after the master froze"
kill -CONT "${pid_of[master]}"
wait_for "the node to be with the second" runs
is_empty() { [ "$(redis-cli -p "$second" hlen '{fog}:tasks')" = 0 ]; }
wait_for "the queue to be empty" is_empty # some tasks ran for others to answer, and run again
