#!/usr/bin/env bash
# Three nodes of a Redis cluster: a fog that was given one which does not own the queue's slot finds
# the one that does, and follows the slot while it moves to another node under a load.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"

nodes=()
for i in 0 1 2; do
  # The bus has a port of its own, that is claimed as well.
  claim_port
  port=$claimed_port
  claim_port
  mkdir -p "$dir/node$i.d"
  redis-server --port "$port" --bind 127.0.0.1 --dir "$dir/node$i.d" --save '' --appendonly yes \
    --appendfsync no --cluster-enabled yes --cluster-port "$claimed_port" \
    --cluster-node-timeout 2000 >"$dir/node$i.log" 2>&1 &
  pid_of[node$i]=$!
  redis_port=$port
  wait_for "node $i to answer" redis_answers
  nodes+=("$port")
done
redis-cli --cluster create "${nodes[@]/#/127.0.0.1:}" --cluster-yes >"$dir/create.log" ||
  fail "no cluster: $(cat "$dir/create.log")"
is_whole() {
  local node
  for node in "${nodes[@]}"; do
    redis-cli -p "$node" cluster info | grep -q cluster_state:ok || return 1
  done
}
wait_for "the cluster" is_whole
slot=$(redis-cli -p "${nodes[0]}" cluster keyslot '{fog}')
owner=
for node in "${nodes[@]}"; do
  if [[ $(redis-cli -p "$node" get '{fog}:x' 2>&1) != MOVED* ]]; then
    owner=$node
  else
    other=$node
  fi
done

"$fogctl" redis-check --redis "127.0.0.1:$other" >"$dir/out" || fail "check: $(cat "$dir/out")"
grep -q "127.0.0.1:$owner answers" "$dir/out" || fail "the owner is checked: $(cat "$dir/out")"
grep -q "slot $slot of the queue 'fog' is here" "$dir/out" || fail "whose slot: $(cat "$dir/out")"

# Whose append-only file counts: the owner's.
redis-cli -p "$other" config set appendonly no >/dev/null
start fog fog --redis "127.0.0.1:$other" --listen 127.0.0.1:0 --no-discovery --patience 1s \
  --workers 1 --lease 2s
! grep -q "tasks are lost" "$dir/fog.log" || fail "it keeps the tasks: $(cat "$dir/fog.log")"
redis-cli -p "$owner" config set appendonly no >/dev/null
! grep -q "queue is back" "$dir/fog.log" || fail "it was never away: $(cat "$dir/fog.log")"
start_worker worker --redis "127.0.0.1:$other" --concurrency 1 --lease 2s
grep -q "redis 127.0.0.1:$owner .*tasks are lost.*redis-cli -h 127.0.0.1 -p $owner config set" \
  "$dir/worker.log" ||
  fail "the owner loses them: $(cat "$dir/worker.log")"
"$fogctl" client --connect "$address" --load sleep=50/s,echo=150/s --content 0.01 --duration 6s \
  --requirement 100 --timeout 60s --json >"$dir/out" 2>"$dir/client.log" &
load=$!
pid_of[load]=$load
has_results() { [ "$(redis-cli -p "$owner" hlen '{fog}:results')" -ge 50 ]; }
wait_for "the load to run" has_results

# The slot moves to the third node, neither the owner nor the one that the fog was given.
for node in "${nodes[@]}"; do
  [ "$node" = "$owner" ] || [ "$node" = "$other" ] || third=$node
done
id_of() { redis-cli -p "$1" cluster myid; }
from=$(id_of "$owner")
to=$(id_of "$third")
cluster() { redis-cli -p "$1" cluster "${@:2}" >"$dir/cluster.log" || fail "cluster ${*:2}"; }
cluster "$third" setslot "$slot" importing "$from"
cluster "$owner" setslot "$slot" migrating "$to"
# While it moves, keys appear that were not there: until there is none.
while true; do
  mapfile -t keys < <(redis-cli -p "$owner" cluster getkeysinslot "$slot" 100)
  [ -n "${keys[*]}" ] || break
  redis-cli -p "$owner" migrate 127.0.0.1 "$third" "" 0 5000 keys "${keys[@]}" >"$dir/migrate.log"
done
read -rt 0.5 <><(:) || true # both sides answer TRYAGAIN or ASK meanwhile
redis-cli -p "$third" info commandstats | grep -q cmdstat_asking || fail "ASK is not followed"
for node in "$third" "$owner" "$other"; do
  cluster "$node" setslot "$slot" node "$to"
done

status=0
wait "$load" || status=$?
unset "pid_of[load]"
[ "$status" -eq 0 ] || fail "status $status: $(cat "$dir/client.log" "$dir/out")"
python3 - "$dir/out" <<'PYTHON' || fail "not every task was answered"
import json, sys
got = json.load(open(sys.argv[1]))
total = got["total"]
assert total["sent"] == total["done"] >= 1200, got
assert total["lost"] == total["failed"] == got["not_sent"] == 0, got
PYTHON
grep -q "slot $slot of the queue is at redis 127.0.0.1:$third" "$dir/fog.log" ||
  fail "the node says where the slot is"
[ "$(redis-cli -p "$third" hlen '{fog}:tasks')" = 0 ] || fail "tasks are left in the queue"

# The node that the fog was given is gone, and the one that it is with as well as far as it can
# tell: any other one tells it where the slot is.
stop "node$(for i in 0 1 2; do [ "${nodes[i]}" != "$other" ] || echo "$i"; done)" KILL
redis-cli -p "$third" client kill type normal skipme yes >/dev/null
"$fogctl" client --connect "$address" --task echo --content 1 --requirement 100 >"$dir/out" 2>&1 ||
  fail "without the node it was given: $(cat "$dir/out")"
