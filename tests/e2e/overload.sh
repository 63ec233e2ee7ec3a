#!/usr/bin/env bash
# A full queue: what comes beyond it is answered 'overloaded' and told when to come again, or handed
# to a neighbour with room. A client that never reads is dropped, and its results are kept.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"

# check_full: of a node with one worker and room for 20 tasks, alone.
check_full() {
  python3 - <<'EOF2'
from peer import Peer, task, check
peer = Peer()
peer.ask(task(0, "sleep", 0.02, time_requirement=1000))
count = 60
peer.send("".join(task(i, "sleep", 0.2, task_uid=f"full-{i}", time_requirement=1000)
                  for i in range(1, count + 1)))
answers = [peer.read() for _ in range(count)]
check(sorted(got["task_id"] for got in answers) == list(range(1, count + 1)), "each once")
refused = [got for got in answers if "error" in got]
codes = {got["error"]["code"] for got in refused}
check(codes == {"overloaded"}, "only for want of room", codes)
waits = [got["error"].get("retry_after") for got in refused]
check(all(wait and 0.05 <= wait <= 10 for wait in waits), "told when to come again", waits)
done = count - len(refused)
print(f"{done} of {count} done, {len(refused)} refused, retry_after {min(waits)} to {max(waits)} s")
check(20 <= done <= 25, "as many as there was room for", done)

# Those that were refused can be sent again, by the same uid.
late = refused[:10]
peer.send("".join(task(got["task_id"], "sleep", 0.2, task_uid=got["task_uid"],
                       time_requirement=1000) for got in late))
check(all("error" not in peer.read() for _ in late), "there is room again")
EOF2
}
full=(--workers 1 --max-queued 20)
start_mesh_fog alone "${full[@]}"
check_full || fail "in memory"
stop alone
start_redis
start onredis fog --port "$redis_port" --listen 127.0.0.1:0 --no-discovery "${full[@]}"
check_full || fail "on Redis"

# A client that retries gets everything done.
"$fogctl" client --connect "$address" --load sleep=100/s --content 0.02 --duration 1s --json \
  --requirement 1000 >"$dir/load.json" || fail "a client: $(cat "$dir/load.json")"
python3 - "$dir/load.json" <<'EOF2' || fail "a client that sends again"
import json, sys
from peer import check
got = json.load(open(sys.argv[1]))
print("a client at twice the rate: sent again", got["sent_again"])
check(got["total"]["sent"] == got["total"]["done"] == 100, got)
EOF2
stop onredis

# With a neighbour that has room, what is too much here goes there, as many again as there is room
# for here: the queue holds them, too, while they are away.
for kind in memory redis; do
  start_mesh_fog roomy --workers 1
  backend=(--queue-backend memory)
  [ "$kind" = memory ] || backend=(--port "$redis_port" --queue narrow)
  launch narrow "$fogctl" fog "${backend[@]}" --listen 127.0.0.1:0 --no-discovery --name narrow \
    "${full[@]}" --peer "${address_of[roomy]}"
  wait_for "the neighbour" holds_at narrow 'n["roomy"]["state_age"] is not None'
  python3 - "$kind" <<'EOF2' || fail "with a neighbour, $kind"
import collections, sys
from peer import Peer, task, check
peer, count = Peer(), 40
peer.ask(task(0, "sleep", 0.02, time_requirement=1000))
peer.send("".join(task(i, "sleep", 0.2, task_uid=f"{sys.argv[1]}-{i}", time_requirement=1000)
                  for i in range(1, count + 1)))
answers = [peer.read() for _ in range(count)]
check(sorted(got["task_id"] for got in answers) == list(range(1, count + 1)), "each once")
refused = [got["error"] for got in answers if "error" in got]
where = collections.Counter(got["node"] for got in answers if "error" not in got)
print(f"{sys.argv[1]}: with a neighbour", dict(where), len(refused), "refused")
check(not refused, "none is refused", refused[:3])
check(where["roomy"] >= 15, "what was too much went there", where)
EOF2
  stop narrow
  stop roomy
done

# A client that never reads is not read from any more, or dropped once too much waits for it; it
# gets its results when it asks again.
cat >"$dir/deaf.py" <<'EOF2'
import os, subprocess, sys, time
from peer import Peer, task, check
fogctl, address, pid = sys.argv[1:]

def resident_mb():
    with open(f"/proc/{pid}/status") as status:
        return next(int(l.split()[1]) for l in status if l.startswith("VmRSS")) / 1024

def content(i):
    return chr(97 + i % 26) * 400_000

def heavy(kind, i):
    return task(i, content=content(i), task_uid=f"{kind}-{i}")

def check_kept(kind, count):
    peer = Peer(address)
    for i in range(count):
        got = peer.ask(heavy(kind, i))
        check("error" not in got and got["content"] == content(i), "its result", i)

before, slowed, sent = resident_mb(), Peer(address), 0
slowed.socket.settimeout(1)
try:
    while sent < 400:
        slowed.send(heavy("slowed", sent))
        sent += 1
except OSError:  # a time-out; or it was dropped, where the queue was slower than it
    pass
print(f"{sent} tasks of 0.4 MB, then it is not read from; {resident_mb() - before:.0f} MB more")
check(0 < sent < 400, "one that sends without reading is slowed")
# Several copies of what is under way at once, and what the allocator keeps of them.
check(resident_mb() - before < 600, "bounded memory")
slowed.socket.close()
check_kept("slowed", sent)

# While the queue is paused nothing is answered; then too much is at once.
def pause(word):
    subprocess.run([fogctl, "queue", word, "--connect", address], check=True, capture_output=True)

dropped, count, end = Peer(address), 180, time.monotonic() + 90
pause("pause")
for i in range(count):
    dropped.send(heavy("dropped", i))
asking = Peer(address)
asking.send('{"message_type": "queue_query", "action": "counts"}')
while asking.read()["objects"][0]["queued"]["total"] < count and time.monotonic() < end:
    asking.send('{"message_type": "queue_query", "action": "counts"}')
pause("resume")
is_dropped = False
while not is_dropped and time.monotonic() < end:
    try:
        dropped.send(" ")
        time.sleep(0.02)
    except OSError:
        is_dropped = True
check(is_dropped, "one that reads nothing is dropped")
check_kept("dropped", count)
print(f"dropped with {count} answers of 0.4 MB, {resident_mb() - before:.0f} MB more in the end")
EOF2
for backend in "--queue-backend memory" "--port $redis_port --queue deaf"; do
  # shellcheck disable=SC2086
  start deaf fog $backend --listen 127.0.0.1:0 --no-discovery --workers 1
  python3 "$dir/deaf.py" "$fogctl" "$address" "${pid_of[deaf]}" || fail "a deaf client: $backend"
  stop deaf
done
