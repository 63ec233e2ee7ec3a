#!/usr/bin/env bash
# SIGTERM while the queue does not answer: the Redis is frozen, or gone, and its name is looked up
# for ever. A node and a worker end within the drain time-out and a second or so, and sooner where
# they run nothing. Once the Redis is back nothing is lost, and no task was answered twice.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
start_redis
late=

# start_both TIME [COMMAND…]: a node and a worker with that drain time-out, started by the command.
# shellcheck disable=SC2034  # address_of is mesh.sh's
start_both() {
  local flags=(--lease 2s --drain-timeout "$1")
  shift
  launch fog "$@" "$fogctl" fog --redis "$redis_at" --listen 127.0.0.1:0 --no-discovery \
    --workers 1 --name fog "${flags[@]}"
  spawn worker "$@" "$fogctl" worker --redis "$redis_at" --concurrency 1 --name worker "${flags[@]}"
  await_worker worker
}

# end_both SECONDS: ends both by SIGTERM, which must take less.
end_both() {
  local name
  for name in fog worker; do kill -TERM "${pid_of[$name]}"; done
  start_clock
  for name in fog worker; do
    status=0
    wait "${pid_of[$name]}" || status=$?
    unset "pid_of[$name]"
    echo "$name ended after $(took)"
    ! passed $(($1 * 1000)) || late+=" $name: $(took), not $1 s;"
    [ "$status" -eq 0 ] || fail "an orderly end of the $name has status $status"
  done
}

# send_tasks NODE ROUND: asks for the round's eight tasks, until all are answered or the node ends.
send_tasks() {
  address=${address_of[$1]} python3 - "$2" >>"$dir/answers" 2>"$dir/client.log" <<'EOF' &
import sys
from peer import Peer, task
peer = Peer()
uids = {f"{sys.argv[1]}-{i}" for i in range(8)}
peer.send("".join(task(0, "sleep", 1, task_uid=uid, want_accept=True, time_requirement=100)
                  for uid in sorted(uids)))
while uids and (got := peer.read()) is not None:
    if got["message_type"] in ("accepted", "result"):
        print(got["message_type"], got["task_uid"], got.get("error", ""), flush=True)
    if got["message_type"] == "result":
        uids.discard(got["task_uid"])
EOF
  pid_of[client]=$!
}
all_accepted() { [ "$(grep -c "^accepted $1-" "$dir/answers")" = 8 ]; }
# A run of 50 ms is noted in the queue.
begun() {
  redis-cli -p "$redis_port" --scan --pattern '{fog}:held:*' |
    xargs -r -n 1 redis-cli -p "$redis_port" hvals | grep -c 's[0-9]*$'
}
two_run() { [ "$(begun)" = 2 ]; }
client_ends() {
  wait "${pid_of[client]}" || fail "the client: $(cat "$dir/client.log")"
  unset "pid_of[client]"
}
begin_round() {
  send_tasks fog "$1"
  wait_for "all to be accepted" all_accepted "$1"
  wait_for "two tasks to run" two_run
}
# Each is answered, once over both connections, and well.
end_round() {
  launch later "$fogctl" fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --workers 4 \
    --lease 2s --name later
  send_tasks later "$1"
  client_ends
  [ "$(grep -c "^result $1-[0-9] \$" "$dir/answers")" = 8 ] || fail "lost: $(cat "$dir/answers")"
  [ "$(grep "^result $1-" "$dir/answers" | sort -u | wc -l)" = 8 ] || fail "twice"
  stop later
}

redis_at=127.0.0.1:$redis_port
start_both 3s
begin_round frozen
kill -STOP "${pid_of[redis]}"
end_both 8
client_ends
kill -CONT "${pid_of[redis]}"
end_round frozen

start_both 30s
kill -STOP "${pid_of[redis]}"
end_both 6
kill -CONT "${pid_of[redis]}"

# A name server that says nothing, and a file of hosts that has the name until it is taken out.
echo "127.0.0.1 redis.test" >"$dir/hosts"
names_at=127.77.$((RANDOM % 256)).$((RANDOM % 254 + 1))
echo "nameserver $names_at" >"$dir/resolv.conf"
in_own_etc() {
  exec unshare -m bash -c 'mount --bind "$0/hosts" /etc/hosts &&
    mount --bind "$0/resolv.conf" /etc/resolv.conf && exec "$@"' "$dir" "$@"
}
if (in_own_etc true) 2>"$dir/unshare"; then
  python3 -c 'import socket, sys
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind((sys.argv[1], 53))
while True: silent.recv(999)' "$names_at" 2>"$dir/names.log" &
  pid_of[names]=$!
  redis_at=redis.test:$redis_port
  start_both 3s in_own_etc
  begin_round nameless
  : >"$dir/hosts"
  kill -KILL "${pid_of[redis]}"
  end_both 8
  client_ends
  start_redis everysec "$redis_port"
  end_round nameless

  # Nothing runs: what is looked up is not waited for.
  echo "127.0.0.1 redis.test" >"$dir/hosts"
  start_both 30s in_own_etc
  : >"$dir/hosts"
  kill -KILL "${pid_of[redis]}"
  read -rt 2 <><(:) || true # look-ups are under way
  end_both 6
else
  echo "left out: no mount namespaces here: $(cat "$dir/unshare")"
fi
[ -z "$late" ] || fail "too late:$late"
