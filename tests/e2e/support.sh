# What the end-to-end scripts share; sourced by each with the program as its first argument.
# shellcheck shell=bash
set -euo pipefail

fogctl=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
dir=$(mktemp -d)
declare -A pid_of=()
export address=

cleanup() {
  local status=$? name
  for name in "${!pid_of[@]}"; do kill -KILL "${pid_of[$name]}" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if [ "$status" -ne 0 ]; then
    for name in "$dir"/*.log; do [ -e "$name" ] && { echo "--- $name"; tail -n 40 "$name"; }; done
  fi
  if declare -F more_cleanup >/dev/null; then more_cleanup; fi
  rm -rf "$dir"
  exit "$status"
}
trap cleanup EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# wait_for WHAT COMMAND…: until the command succeeds; fails after 30 s, saying what did not come.
wait_for() {
  local what=$1 end=$((SECONDS + 30))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || fail "waited 30 s for: $what"
    read -rt 0.05 <><(:) || true
  done
}

# spawn NAME COMMAND…: starts it; what it prints is in $dir/NAME.out and $dir/NAME.log, and nothing
# of one that had the name before.
spawn() {
  local name=$1
  shift
  rm -f "$dir/$name.out" "$dir/$name.log"
  "$@" >"$dir/$name.out" 2>"$dir/$name.log" &
  pid_of[$name]=$!
}

# start_worker NAME ARGUMENT…: a worker process, which is at work then.
start_worker() {
  spawn "$1" "$fogctl" worker --name "$@"
  await_worker "$1"
}
await_worker() { wait_for "worker $1 to work" grep -q working "$dir/$1.log"; }

# start NAME ARGUMENT…: starts a role of fogctl and waits for its first line, which must say where
# it listens; the address is then in $address, its log in $dir/NAME.log.
start() {
  local name=$1
  spawn "$name" "$fogctl" "${@:2}"
  wait_for "$name to listen" grep -q . "$dir/$name.out"
  local line
  line=$(head -n 1 "$dir/$name.out")
  case $line in
    "listening on "*) address=127.0.0.1:${line##*:} ;;
    *) fail "$name said first: $line" ;;
  esac
}

# start_fog NAME ARGUMENT…: a fog node on the memory queue and an address of its own, that looks for
# no other.
start_fog() {
  local name=$1
  shift
  start "$name" fog --queue-backend memory --listen 127.0.0.1:0 --no-discovery --name "$name" "$@"
}

# claim_port: an idle port, then in $claimed_port, that no other script takes until this one ends,
# even while nothing listens there. The kernel gives none below 32768 to anybody who asks for any.
ports=/tmp/fogctl-test-ports-$UID
claim_port() {
  local lock
  mkdir -p "$ports"
  while read -r claimed_port; do
    exec {lock}>"$ports/$claimed_port"
    ! flock -n "$lock" || return 0
    exec {lock}>&-
  done < <("$fogctl" find-port --from 20000 --to 32000 --count 500 --host 127.0.0.1)
  fail "no idle port from 20000 to 32000"
}

# start_redis [FSYNC [PORT]]: a Redis of the test's own; its port is then in $redis_port.
start_redis() {
  redis_fsync=${1:-everysec}
  [ -n "${2:-}" ] || claim_port
  redis_port=${2:-$claimed_port}
  redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$dir" --appendonly yes \
    --appendfsync "$redis_fsync" --save '' --loglevel warning >"$dir/redis.log" 2>&1 &
  pid_of[redis]=$!
  wait_for "redis to answer" redis_answers
}
redis_answers() { [ "$(redis-cli -p "$redis_port" ping 2>/dev/null)" = PONG ]; }

# stop NAME [SIGNAL]: ends a process; its exit status is then in $status.
stop() {
  kill "-${2:-TERM}" "${pid_of[$1]}"
  status=0
  wait "${pid_of[$1]}" 2>/dev/null || status=$?
  unset "pid_of[$1]"
}
