#!/usr/bin/env bash
# The benchmarks: each figure beside its floor, taken in turn in the same run; medians of 5.
# usage: bench/run.sh BUILD_FOLDER
set -euo pipefail
build=$1
fogctl=$build/fogctl
probe=$build/fogctl_bench
turns=${TURNS:-5}
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT

# listen NAME COMMAND…: starts a server; its address is then in $address.
listen() {
  local name=$1
  shift
  mkfifo "$dir/$name"
  "$@" >"$dir/$name" 2>"$dir/$name.log" &
  pids+=($!)
  read -r address <"$dir/$name"
  address=${address#listening on }
}

median() { sort -g | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }
# The client keeps to one core and what it talks to is on another, as on two hosts: on one core the
# kernel hands a message over in a tenth of the time.
probe() { taskset -c 0 "$probe" "$@"; }
p50() { probe "$@" | awk '{print $1}'; }
# elsewhere PID COMMAND…: with that process on the other core.
elsewhere() {
  local pid=$1 every
  every=$(taskset -cp "$pid" | awk '{print $NF}')
  shift
  taskset -acp 1 "$pid" >/dev/null
  "$@"
  taskset -acp "$every" "$pid" >/dev/null
}

# compare WHAT FIGURE FLOOR BOUND: a row; BOUND is "<= X" or ">= X", of figure / floor.
compare() {
  awk -v what="$1" -v figure="$2" -v floor="$3" -v bound="$4" 'BEGIN {
    split(bound, b, " "); ratio = figure / floor
    ok = b[1] == "<=" ? ratio <= b[2] : ratio >= b[2]
    printf "%-58s %12.1f %12.1f %8.2f   %-8s %s\n", what, figure, floor, ratio, bound, ok ? "yes" : "NO"
  }'
}

listen echo "$probe" echo
echo_server=$address
echo_pid=${pids[-1]}
redis_port=$("$fogctl" find-port --from 24000 --host 127.0.0.1)
redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$dir" --appendonly yes \
  --appendfsync everysec --save '' --loglevel warning >"$dir/redis.log" 2>&1 &
redis_pid=$!
pids+=("$redis_pid")
until redis-cli -p "$redis_port" ping >/dev/null 2>&1; do :; done
redis=127.0.0.1:$redis_port
listen memory "$fogctl" fog --queue-backend memory --listen 127.0.0.1:0 --no-discovery
on_memory=$address
idle=$(awk '/VmRSS/ {print $2 / 1024}' "/proc/${pids[-1]}/status")
listen redis "$fogctl" fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery
on_redis=$address

# Two nodes that know each other: the first has no workers and hands on what it gets.
listen second "$fogctl" fog --queue-backend memory --listen 127.0.0.1:0 --no-discovery
listen first "$fogctl" fog --queue-backend memory --listen 127.0.0.1:0 --no-discovery \
  --workers 0 --peer "$address"
handing_on=$address
until "$fogctl" client --connect "$handing_on" --task echo >/dev/null 2>&1; do :; done

# share_of_core SECONDS PID: how much of a core the process took meanwhile, in per cent.
share_of_core() {
  local before after
  before=$(awk '{print $1}' "/proc/$2/schedstat")
  read -rt "$1" <><(:) || true
  after=$(awk '{print $1}' "/proc/$2/schedstat")
  awk -v ns=$((after - before)) -v s="$1" 'BEGIN {print ns / s / 1e7}'
}

# mesh_share: that share of a node with 32 idle neighbours, less that of one that is alone.
mesh_share() {
  local i node alone first members=()
  listen alone "$fogctl" fog --queue-backend memory --listen 127.0.0.1:0 --no-discovery
  alone=$!
  listen node0 "$fogctl" fog --queue-backend memory --listen 127.0.0.1:0 --no-discovery
  node=$! first=$address
  for ((i = 1; i <= 32; ++i)); do
    listen "node$i" "$fogctl" fog --queue-backend memory --listen 127.0.0.1:0 --no-discovery \
      --workers 1 --max-neighbours 2 --peer "$first"
    members+=($!)
  done
  until [ "$("$fogctl" nodes --connect "$first" --json | grep -o '"handed"' | wc -l)" -ge 32 ]; do
    read -rt 0.1 <><(:) || true
  done
  echo "$(share_of_core 10 "$node") $(share_of_core 10 "$alone")" |
    awk '{print ($1 > $2 ? $1 - $2 : 0)}'
  kill "$node" "$alone" "${members[@]}"
}

redis_lpush() {
  redis-benchmark -p "$redis_port" -t lpush -P 64 -c 4 -d 300 -n 400000 --csv | awk -F'"' 'END {print $4}'
  redis-cli -p "$redis_port" del mylist >/dev/null
}

for ((turn = 0; turn < turns; ++turn)); do
  elsewhere "$echo_pid" p50 latency "$echo_server" 5000 >>"$dir/echo.rt"
  p50 latency "$on_memory" 5000 >>"$dir/memory.rt"
  elsewhere "$redis_pid" p50 ping "$redis" 5000 >>"$dir/ping.rt"
  p50 latency "$on_redis" 5000 >>"$dir/redis.rt"
  p50 latency "$handing_on" 5000 >>"$dir/handed.rt"
  "$build/fogctl_decision_bench" >"$dir/decisions"
  awk '{print $1}' "$dir/decisions" >>"$dir/original.us"
  awk '{print $4}' "$dir/decisions" >>"$dir/in-time.us"
  for what in once spawn; do
    "$build/fogctl_process_bench" "$what" 2000 >>"$dir/$what.rate"
  done
  for what in stream pipe; do
    "$build/fogctl_process_bench" "$what" 20000 >"$dir/figures"
    awk '{print $1}' "$dir/figures" >>"$dir/$what.rate"
    awk '{print $2}' "$dir/figures" >>"$dir/$what.us"
  done
  redis_lpush >>"$dir/lpush.rate"
  "$probe" throughput "$on_redis" 300000 2000 64 >>"$dir/redis.rate"
  "$probe" throughput "$echo_server" 300000 1000 >>"$dir/echo.rate"
  "$probe" throughput "$on_memory" 300000 1000 >>"$dir/memory.rate"
done

of() { median <"$dir/$1"; }
printf '%-58s %12s %12s %8s   %-8s %s\n' "what" "figure" "floor" "ratio" "aim" "met"
compare "round trip, memory queue, p50 us (TCP echo)" "$(of memory.rt)" "$(of echo.rt)" "<= 2.5"
compare "round trip, Redis, p50 us (TCP echo + PING)" "$(of redis.rt)" \
  "$(echo "$(of echo.rt) $(of ping.rt)" | awk '{print $1 + $2}')" "<= 3"
compare "tasks/s, Redis with append-only file (LPUSH)" "$(of redis.rate)" "$(of lpush.rate)" ">= 0.25"
compare "tasks/s, memory queue (TCP echo, one write an object)" "$(of memory.rate)" \
  "$(of echo.rate)" ">= 0.3"
compare "memory of an idle fog node, MB" "$idle" 12 "<= 1"
compare "a decision with 32 neighbours, original, us (goal)" "$(of original.us)" 2 "<= 1"
compare "a decision with 32 neighbours, in-time, us (goal)" "$(of in-time.us)" 5 "<= 1"
compare "handed to a neighbour and back, p50 us (2 links + 2 local)" "$(of handed.rt)" \
  "$(echo "$(of echo.rt) $(of memory.rt)" | awk '{print 2 * $1 + 2 * $2}')" "<= 1"
compare "program once (/bin/true), tasks/s (vfork, exec, wait)" "$(of once.rate)" \
  "$(of spawn.rate)" ">= 0.7"
compare "stream process (echo), tasks/s (the same, bare pipes)" "$(of stream.rate)" \
  "$(of pipe.rate)" ">= 0.6"
compare "stream process (echo), p50 us (the same, bare pipes)" "$(of stream.us)" "$(of pipe.us)" \
  "<= 2"
compare "state sharing with 32 neighbours, % of a core (goal)" "$(mesh_share)" 0.5 "<= 1"

# The times that the end-to-end tests of the mesh print, the longest of each, in seconds.
e2e=$(dirname "$0")/../tests/e2e
longest() { grep -oE "$1 [0-9.]+ s" | awk '$(NF - 1) > m {m = $(NF - 1)} END {print m}'; }
found=$("$e2e/mesh_discovery.sh" "$fogctl" 2>&1 | longest '^[a-z ]*:') || true
whole=$("$e2e/mesh_cut_cable.sh" "$fogctl" 2>&1 | longest 'whole again after') || true
if [ -n "$found$whole" ]; then # else this machine allows no network namespaces
  compare "three nodes find one another, any order, s (goal)" "$found" 3 "<= 1"
  compare "the mesh is whole after a cable was out for 10 s, s (goal)" "$whole" 5 "<= 1"
fi
echo
"$build/fogctl_queue_bench"
