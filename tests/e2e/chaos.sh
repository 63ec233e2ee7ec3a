#!/usr/bin/env bash
# Two fogs, a cloud, two workers and a Redis, of which one after the other is killed, frozen, cut
# off or restarted while two clients send tasks: every task is answered once, and nothing is left.
# Usage: chaos.sh FOGCTL [SECONDS=60] [SEED=1] [APPENDFSYNC=always]; the same seed, the same events.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
seconds=${2:-60} seed=${3:-1} fsync=${4:-always}
RANDOM=$seed
pause() { read -rt "$1" <><(:) || true; }

# keep NAME COMMAND…: runs it, and again whenever it ended.
keep() {
  local name=$1
  shift
  (
    while :; do
      "$@" >>"$dir/$name.out" 2>>"$dir/$name.log" &
      echo $! >"$dir/$name.pid"
      wait $! || true
      pause 0.3
    done
  ) 2>/dev/null &
  pid_of[$name]=$!
}
more_cleanup() {
  local file
  for file in "$dir"/*.pid; do kill -KILL "$(cat "$file")" 2>/dev/null || true; done
}

answers() { "$fogctl" nodes --connect "$1"; }
is_serving() { [ "$(redis-cli -p "$redis_port" hlen "{$1}:workers" 2>/dev/null)" = "$2" ]; }
start_parts() {
  local part
  claim_port && redis_port=$claimed_port
  for part in a b cloud; do claim_port && address_of[$part]=127.0.0.1:$claimed_port; done
  keep redis redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$dir" --appendonly yes \
    --appendfsync "$fsync" --save '' --loglevel warning
  wait_for "redis to answer" redis_answers
  start_proxy a-redis "127.0.0.1:$redis_port" && local redis_of_a=$address
  start_proxy a-b "${address_of[b]}" && local b_of_a=$address
  start_proxy a-cloud "${address_of[cloud]}" && local cloud_of_a=$address
  start_proxy client-a "${address_of[a]}" && to_a=$address
  start_proxy client-b "${address_of[b]}" && to_b=$address
  local common=(--lease 1s --max-attempts 20 --retry-delay 50ms)
  keep cloud "$fogctl" cloud --queue-backend memory --listen "${address_of[cloud]}" --name cloud \
    "${common[@]}"
  keep a "$fogctl" fog --redis "$redis_of_a" --queue a --listen "${address_of[a]}" --workers 1 \
    --no-discovery --name a --peer "$b_of_a" --cloud "$cloud_of_a" "${common[@]}"
  keep b "$fogctl" fog --port "$redis_port" --queue b --listen "${address_of[b]}" --workers 2 \
    --no-discovery --name b --peer "${address_of[a]}" --cloud "${address_of[cloud]}" "${common[@]}"
  for part in one two; do
    keep "$part" "$fogctl" worker --port "$redis_port" --queue a --concurrency 2 --name "$part" \
      "${common[@]}"
  done
  for part in a b cloud; do wait_for "$part" answers "${address_of[$part]}"; done
  wait_for "the workers of a" is_serving a 3
  wait_for "the workers of b" is_serving b 1
}

start_load() {
  "$fogctl" client --connect "$to_a" --connect "$to_b" --load sleep=30/s,echo=60/s --content 0.05 \
    --requirement sleep=0.1,echo=0.01 --duration "${seconds}s" --timeout 60s --json \
    >"$dir/load.json" 2>"$dir/load.log" &
  pid_of[load]=$!
  python3 "$here/chaos_client.py" "$seconds" "$seed" "$to_b" "$to_a" >"$dir/uids.json" \
    2>"$dir/uids.log" &
  pid_of[uids]=$!
}

# One event: what is done, and to which part or link.
nodes=(a b cloud one two)
links=(a-redis a-b a-cloud client-a client-b)
signal() { kill "-$2" "$(cat "$dir/$1.pid")" 2>/dev/null || true; }
kill_part() { signal "$1" KILL; }
restart_part() { signal "$1" TERM; }
freeze_part() {
  local pid
  pid=$(cat "$dir/$1.pid")
  kill -STOP "$pid" 2>/dev/null || return 0
  (
    pause 3
    kill -CONT "$pid" 2>/dev/null || true
  ) &
}
break_link() { tell_proxy "$1" break; }
stall_link() {
  tell_proxy "$1" stall both
  (
    pause 3
    echo break >"$dir/$1.commands"
    echo flow >"$dir/$1.commands"
  ) &
}

# choose: the next event, in $what and $whom. With everysec, what Redis had in its last second is
# lost with it, unless the node that gave it that is still there.
killed_redis=-9 killed_node=-9
choose() {
  local draw=$((RANDOM % 10)) number=$RANDOM
  whom=${nodes[number % ${#nodes[@]}]}
  case $draw in
    0 | 1 | 2) what=kill_part ;;
    3 | 4) what=freeze_part ;;
    5 | 6) what=restart_part ;;
    7) what=break_link whom=${links[number % ${#links[@]}]} ;;
    8) what=stall_link whom=${links[number % ${#links[@]}]} ;;
    9) what=$([ $((number % 2)) -eq 0 ] && echo kill_part || echo freeze_part) whom=redis ;;
  esac
  [ "$fsync" = everysec ] || return 0
  if [[ $what$whom == kill_partredis ]]; then
    if [ $((SECONDS - killed_node)) -lt 3 ]; then what=freeze_part; else killed_redis=$SECONDS; fi
  elif [[ $what == kill_part || $what == restart_part ]]; then
    if [ $((SECONDS - killed_redis)) -lt 3 ]; then what=freeze_part; else killed_node=$SECONDS; fi
  fi
}

start_parts
start_load
SECONDS=0
start_clock
while [ "$SECONDS" -lt "$seconds" ]; do
  pause "$((RANDOM % 2)).$((RANDOM % 5 + 5))"
  choose
  echo "$(took): $what $whom" >>"$dir/events"
  "$what" "$whom"
done
echo "seed $seed, appendfsync $fsync, $(wc -l <"$dir/events") events:"
cat "$dir/events"

for client in load uids; do
  status=0
  wait "${pid_of[$client]}" || status=$?
  unset "pid_of[$client]"
  echo "$client: status $status, $(tr -d '\n' <"$dir/$client.json")"
  [ "$status" -eq 0 ] || fail "$client: $(tail -n 20 "$dir/$client.log")"
done
python3 - "$dir/load.json" <<'EOF2' || fail "a client's tasks are lost or answered twice"
import json, sys
got = json.load(open(sys.argv[1]))
total = got["total"]
assert total["sent"] == total["done"] > 0, got
assert total["lost"] == total["failed"] == got["not_sent"] == got["unknown_answers"] == 0, got
assert got["repeated_answers"] == 0, got
EOF2

# is_empty FLAG…: nothing waits in a queue, runs, is away or dead.
is_empty() {
  "$fogctl" queue "$@" --json >"$dir/counts" && python3 - "$dir/counts" <<'EOF2'
import json, sys
c = json.load(open(sys.argv[1]))
left = [c["queued"]["total"], c["leased"]["total"], c["delayed"], c["away"], c["dead"], c["bytes"]]
sys.exit(any(left))
EOF2
}
for queue in a b; do
  wait_for "queue $queue to be empty: $("$fogctl" queue --port "$redis_port" --queue "$queue")" \
    is_empty --port "$redis_port" --queue "$queue"
done
wait_for "the cloud's queue to be empty" is_empty --connect "${address_of[cloud]}"
dropped=$(sed -nE 's/.*dropped ([0-9]+) results.*/\1/p' "$dir"/*.log |
  awk '{n += $1} END {print n + 0}')
echo "results of second runs that were dropped, by the logs: $dropped"
! grep -hE 'FOGCTL_CHECK|check failed|Sanitizer|terminate called' "$dir"/*.log ||
  fail "a part ended by a fault of its own"
