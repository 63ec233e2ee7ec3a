#!/usr/bin/env bash
# What the promise not to lose a task costs: tasks a second of a node now, beside those of the
# commit before there was one, both built here, in turns, by the policy that both have. Medians of
# 9; at least .85 is wanted.
# usage: bench/guarantees.sh BUILD_FOLDER [COMMIT]      TURNS=9
build=$1 before=${2:-bbe0a74} turns=${TURNS:-9}
set -- "$build/fogctl"
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/../tests/e2e/support.sh"
tree=$build/before-$before
if [ ! -x "$tree/build/fogctl" ]; then
  mkdir -p "$tree"
  git -C "$here/../.." archive "$before" | tar -x -C "$tree"
  cmake -S "$tree" -B "$tree/build" -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null
  cmake --build "$tree/build" --target fogctl >/dev/null
fi
now=$fogctl

# measure WHAT PROGRAM COUNT ARGUMENT…: tasks a second of a node with these arguments.
measure() {
  local what=$1 count=$3
  fogctl=$2
  shift 3
  start node fog --listen 127.0.0.1:0 --no-discovery "$@"
  "$build/fogctl_bench" throughput "$address" "$count" 2000 64 >>"$dir/$what.rate"
  stop node
}
median() { sort -g "$dir/$1.rate" | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }
row() {
  awk -v what="$1" -v now="$2" -v before="$3" 'BEGIN {
    ratio = now / before
    printf "%-44s %12.1f %12.1f %8.2f   %s\n", what, now, before, ratio,
      (ratio >= 0.85) ? "yes" : "NO"}'
}

start_redis everysec
for ((turn = 0; turn < turns; ++turn)); do
  for which in now before; do
    program=$now policy=(--policy original)
    [ "$which" = now ] || program=$tree/build/fogctl policy=()
    redis-cli -p "$redis_port" flushall >/dev/null
    measure "$which.redis" "$program" 300000 --port "$redis_port" "${policy[@]}"
    measure "$which.memory" "$program" 600000 --queue-backend memory "${policy[@]}"
  done
done
printf '%-44s %12s %12s %8s   %s\n' "what" "now" "before" "ratio" ">= 0.85"
row "tasks/s, Redis with append-only file" "$(median now.redis)" "$(median before.redis)"
row "tasks/s, memory queue" "$(median now.memory)" "$(median before.memory)"
