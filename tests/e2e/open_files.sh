#!/usr/bin/env bash
# The limit on open files. Clients that do nothing take no descriptor that the queue needs: when a
# Redis is killed and comes back, the node finds it, and what was accepted is answered. Who finds no
# room is told why, and is served once others have left. A node raises its limit as far as it may,
# and the programs of tasks have the one that was there before.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
program=$(realpath "$fogctl")

# with_limits SOFT HARD: from now on fogctl is started under these.
with_limits() {
  printf '#!/bin/sh\nulimit -Sn %s\nulimit -Hn %s\nexec "%s" "$@"\n' "$1" "$2" "$program" \
    >"$dir/fogctl"
  chmod +x "$dir/fogctl"
  fogctl=$dir/fogctl
}

cat >"$dir/tasks.toml" <<'END'
[task.limit]
command = ["sh", "-c", "ulimit -Sn; ulimit -Hn"]
output = "text"

[task.own]
command = ["sh", "-c", "ulimit -Sn; ulimit -Hn"]
output = "text"
open_files = 30
END
start_redis always
start_fog other
other=$address
with_limits 40 64
start_fog few
has_line() { grep -qF "$2" "$dir/$1.log"; } # NAME WORDS
has_line few "'ulimit -n' is 64" || fail "the node says not that 64 files are few"
stop few
with_limits 40 256 # enough for all that it may need itself
start fog fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery --workers 2 \
  --peer "$other" --tasks "$dir/tasks.toml"
node=$address
fogctl=$program
wait_for "the node to have a neighbour" has_line fog "neighbour other"
cat "/proc/${pid_of[fog]}/limits" >"$dir/limits"
grep -qE '^Max open files +256 +256 ' "$dir/limits" || fail "not raised: $(cat "$dir/limits")"
! has_line fog "'ulimit -n' is" || fail "the node says that 256 files are few"

export dir
python3 - >"$dir/clients.out" 2>"$dir/clients.log" <<'END' &
import os
import time
from peer import Peer, task, check

def touch(name):
    open(os.environ["dir"] + "/" + name, "w").close()

def wait_until(is_so):
    end = time.monotonic() + 60
    while not is_so():
        check(time.monotonic() < end, "waited 60 s")
        time.sleep(0.02)

def is_refused(peer):
    got = peer.greeting
    if got["message_type"] != "error":
        return False
    check(got["code"] == "overloaded" and "'ulimit -n'" in got["message"], got)
    check(peer.read() is None, "who is refused stays connected")
    return True

first = Peer()
got = first.ask(task("a", "sleep", 3, time_requirement=100, want_accept=True))
check(got["message_type"] == "accepted", got)
idle = [Peer() for _ in range(200)]
refused = sum(is_refused(peer) for peer in idle)
check(refused == 73, refused, "refused")  # half of 256 are for who connects, one is `first`
touch("full")

got = first.answer()
check(got["task_id"] == "a" and "error" not in got, got)
got = first.ask(task("b", "echo", 7))
check(got["task_id"] == "b" and got["content"] == 7, got)
first.send("".join(task(f"program {i}", "limit", time_requirement=100) for i in range(20)))
for _ in range(20):
    got = first.answer()
    check(got["content"] == "40\n256\n", got)
check(is_refused(Peer()), "there is room all at once")
touch("answered")

wait_until(lambda: os.path.exists(os.environ["dir"] + "/leave"))
for peer in idle:
    peer.socket.close()
wait_until(lambda: not is_refused(Peer()))
late = Peer()
got = late.ask(task("c", "echo", 8))
check(got["task_id"] == "c" and got["content"] == 8, got)
END
pid_of[clients]=$!

wait_for "idle clients to be refused" test -e "$dir/full"
kill -KILL "${pid_of[redis]}"
wait_for "the node to miss its Redis" has_line fog "the queue is away"
start_redis always "$redis_port"
wait_for "the tasks to be answered" test -e "$dir/answered"

# Others are told, too: who asks, a client, which waits for room, and a node that dials this one.
status=0
"$program" nodes --connect "$node" >"$dir/out" 2>&1 || status=$?
[ "$status" -eq 1 ] || fail "nodes ends with $status: $(cat "$dir/out")"
grep -qF "$node says: overloaded: no room for more than 128 connections" "$dir/out" ||
  fail "nodes says: $(cat "$dir/out")"
spawn client "$program" client --connect "$node" --task echo --content 9 --requirement 20
wait_for "the client to be told" has_line client "it says: no room for more than 128 connections"
start_fog third --peer "$node"
wait_for "a node to be told" has_line third "no neighbour: $node: it says: overloaded: no room"
count() { grep -cF "$1" "$dir/fog.log" || true; }
[ "$(count 'a connection is refused')" -eq 1 ] || fail "says not once that it refuses connections"
[ "$(count 'cannot accept')" -eq 0 ] || fail "the descriptors were used up"

touch "$dir/leave"
wait "${pid_of[clients]}" || fail "the clients: $(cat "$dir/clients.out" "$dir/clients.log")"
wait "${pid_of[client]}" || fail "a client that waited: $(cat "$dir/client.log")"
grep -qx 9 "$dir/client.out" || fail "a client that waited: $(cat "$dir/client.out")"
wait_for "the neighbour that was refused" has_line fog "neighbour third"
[ "$(count 'room for connections again')" -eq 1 ] || fail "says not once that there is room again"

# The programs of tasks have the limit that the node was started with, or their own.
with_limits 100 300
start_fog programs --workers 1 --tasks "$dir/tasks.toml"
for want in 'limit "100\n300\n"' 'own "30\n30\n"'; do
  got=$("$program" client --connect "$address" --task "${want%% *}" --requirement 30)
  [ "$got" = "${want#* }" ] || fail "the limit of a program is $got, not $want"
done
cat "/proc/${pid_of[programs]}/limits" >"$dir/limits"
grep -qE '^Max open files +300 +300 ' "$dir/limits" || fail "not raised: $(cat "$dir/limits")"
