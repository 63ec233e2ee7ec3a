#!/usr/bin/env bash
# A name server that never answers holds up nothing but what wants its names: not a time-out, not a
# signal, not the next node, not another peer.
if [ -z "${own_network:-}" ]; then
  if ! why=$(unshare --mount --net true 2>&1); then
    echo "skipped: no network of its own here: $why"
    exit 77
  fi
  exec env own_network=yes unshare --mount --net "$0" "$@"
fi
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
ip link set lo up
python3 -c 'import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
print("bound", flush=True)
while True:
    print(server.recv(4096), flush=True)' >"$dir/questions" &
pid_of[name_server]=$!
wait_for "the name server" grep -q bound "$dir/questions"
# A look-up takes 60 s: longer than everything below may.
printf 'nameserver 127.0.0.1\noptions timeout:30 attempts:2\n' >"$dir/resolv.conf"
mount --bind "$dir/resolv.conf" /etc/resolv.conf
silent=silent.example:10000

# is_soon WHAT COMMAND...: the command ends of itself, long before the look-up does.
is_soon() {
  local what=$1 begin=$SECONDS
  shift
  status=0
  timeout -s KILL 25 "$@" >"$dir/soon.out" 2>"$dir/soon.err" || status=$?
  [ "$status" -ne 137 ] || fail "$what had to be killed after 25 s"
  echo "$what: $((SECONDS - begin)) s, exit status $status"
}

is_soon "a client with a time-out" "$fogctl" client --connect "$silent" --task echo --timeout 1s
[ "$status" -ne 0 ] || fail "there is no node"
grep -q 'name server' "$dir/soon.err" || fail "it does not say why: $(cat "$dir/soon.err")"
is_soon "a question to a node" "$fogctl" queue --connect "$silent"
grep -q 'name server' "$dir/soon.err" || fail "it does not say why: $(cat "$dir/soon.err")"
# says_why COMMAND: it ends with 3, but for the check, which has a status of its own, and says why.
says_why() {
  is_soon "$1 at a Redis" "$fogctl" "$1" --redis silent.example:6379
  cat "$dir/soon.out" >>"$dir/soon.err"
  [ "$status" -eq 3 ] || [ "$1" = redis-check ] || fail "exit status $status"
  grep -q 'name server' "$dir/soon.err" || fail "it does not say why: $(cat "$dir/soon.err")"
}
for command in redis-check fog worker queue; do
  (trap - EXIT && mkdir "$dir/$command" && dir=$dir/$command && says_why "$command") &
  pid_of[$command]=$!
done
for command in redis-check fog worker queue; do
  wait "${pid_of[$command]}" || fail "$command at a Redis"
  unset "pid_of[$command]"
done

start_fog node
node=$address
is_soon "a client that knows another node" "$fogctl" client --connect "$silent" --connect "$node" \
  --task echo
[ "$status" -eq 0 ] || fail "the other node was there: $(cat "$dir/soon.err")"

"$fogctl" client --connect patient.example:10000 --task echo >"$dir/client.log" 2>&1 &
pid_of[client]=$!
wait_for "its question" grep -q patient "$dir/questions"
begin=$SECONDS
stop client INT
[ $((SECONDS - begin)) -lt 20 ] || fail "a client ended $((SECONDS - begin)) s after SIGINT"

# The names come first.
start_fog other --peer silent.example:10001 --cloud silent2.example:10002 \
  --peer "localhost:${node##*:}"
address_of[other]=$address
wait_for "the peer with a good name" holds_at other '"node" in n'
begin=$SECONDS
stop other
[ "$status" -eq 0 ] || fail "it ended with $status"
[ $((SECONDS - begin)) -lt 20 ] || fail "a node ended $((SECONDS - begin)) s after SIGTERM"

# The first of two name servers is dead: the second one is asked after 5 s, which is soon enough.
python3 -c 'import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.2", 53))
print("bound", flush=True)
while True:
    query, asker = server.recvfrom(4096)
    end = query.index(0, 12) + 5
    is_ipv4 = query[end - 4:end - 2] == b"\0\1"
    address = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if is_ipv4 else b""
    counts = b"\0\1" + (b"\0\1" if is_ipv4 else b"\0\0") + bytes(4)
    server.sendto(query[:2] + b"\x81\x80" + counts + query[12:end] + address, asker)
' >"$dir/second" &
pid_of[second]=$!
wait_for "the second name server" grep -q bound "$dir/second"
printf 'nameserver 127.0.0.1\nnameserver 127.0.0.2\n' >"$dir/resolv.conf"
start_redis
is_soon "a queue at a Redis of the second name server" \
  "$fogctl" queue --redis "redis.example:$redis_port"
[ "$status" -eq 0 ] || fail "the second one knows it: $(cat "$dir/soon.err")"
