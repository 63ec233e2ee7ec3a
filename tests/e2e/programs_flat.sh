#!/usr/bin/env bash
# Thousands of tasks that are programs, once each and as a stream, leave nothing behind: no process,
# no zombie, no descriptor, no memory. usage: programs_flat.sh FOGCTL [TASKS]
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
tasks=${2:-4000}

cat >"$dir/tasks.toml" <<'EOT'
[task.once]
command = ["/bin/cat"]

[task.stream]
mode = "stream"
command = ["/bin/cat"]  # a task's own line is an answer to it
EOT
start_fog fog --workers 2 --tasks "$dir/tasks.toml"

pid=${pid_of[fog]} python3 - "$tasks" <<'EOF'
import os, sys, time
from peer import Peer, check

pid, count = int(os.environ["pid"]), int(sys.argv[1])
window = 100

def resident_kb():
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

def descendants():
    """Those that are no zombies, and the zombies."""
    parents, states = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        states[int(name)], parents[int(name)] = fields[0], int(fields[1])
    def is_below(one):
        while one in parents:
            one = parents[one]
            if one == pid:
                return True
        return False
    below = [states[one] for one in parents if is_below(one)]
    return len(below) - below.count("Z"), below.count("Z")

def serve(kind, number):
    sent = answered = 0
    while answered < number:
        more = min(number - sent, window - (sent - answered))
        if more > window // 2 or (more > 0 and sent + more == number):
            peer.send(b"".join(
                b'{"message_type":"task","task_id":%d,"task_name":"%s","content":%d}\n'
                % (sent + i, kind, i) for i in range(more)))
            sent += more
        got = peer.socket.recv(1 << 18)
        check(got and b'"error"' not in got, got[:300])
        answered += got.count(b"\n")

peer = Peer()
serve(b"stream", 10_000)  # a node remembers as many decisions, and then no more
for kind in (b"once", b"stream"):
    serve(kind, min(1000, count // 4))
    files, processes, memory = len(os.listdir(f"/proc/{pid}/fd")), descendants()[0], resident_kb()
    begin = time.monotonic()
    serve(kind, count)
    took = time.monotonic() - begin
    def is_clean():
        now, zombies = descendants()
        return zombies == 0 and now <= processes and len(os.listdir(f"/proc/{pid}/fd")) <= files
    end = time.monotonic() + 10
    while not is_clean() and time.monotonic() < end:
        time.sleep(0.05)
    check(is_clean(), "left behind: processes, zombies", descendants(), "of", processes)
    grown = resident_kb() - memory
    print(f"{kind.decode()}: {count} tasks, {count / took:.0f}/s; {memory} kB, then {grown} more")
    check(grown <= max(2048, memory * 0.05), "memory grew by kB:", grown)
EOF
stop fog
[ "$status" -eq 0 ] || fail "the fog ended with $status"
