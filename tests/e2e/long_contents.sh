#!/usr/bin/env bash
# A node hands tasks with long contents to the only other one that runs them, which answers with
# contents as long: each is answered, though far more is under way than a link holds. To a neighbour;
# to the cloud; over a slow cable, one way and the other.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
cat >"$dir/tasks.toml" <<'EOF'
[task.copy]
command = ["/bin/cat"]
mode = "once"
[task.size]
command = ["/bin/sh", "-c", "cat >/dev/null; echo 1"]
mode = "once"
[task.large]
command = ["/bin/sh", "-c", 'printf \"; head -c 400000 /dev/zero | tr \\0 x; printf \"']
mode = "once"
EOF
runner=(--workers 2 --tasks "$dir/tasks.toml")
knows() { at "$1" "$fogctl" tasks kinds --connect "${address_of[$1]}" | grep -qE "^copy .*$2"; }

# answers NAME TASK COUNT BYTES: all of them, each without error.
answers() {
  wait_for "the kinds" knows "$1" there
  start_clock
  at "$1" env "address=${address_of[$1]}" python3 - "$2" "$3" "$4" <<'EOF'
import sys, threading
from peer import Peer, task, check
name, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
peer = Peer()
peer.socket.settimeout(60)
def send():
    for i in range(count):
        peer.send(task(i, name, "x" * size, task_uid=f"{name}-{i}", time_requirement=20))
threading.Thread(target=send).start()
got = [peer.answer() for _ in range(count)]
check(sorted(one["task_id"] for one in got) == list(range(count)), "each once")
check(all("error" not in one for one in got), [one["error"] for one in got if "error" in one][:1])
EOF
  echo "$3 times $2 with $4 bytes: $(took)"
  ! grep -E "neighbour .* left: (it|no)|lost the cloud" "$dir"/*.log || fail "a link broke"
}

start_mesh_fog there "${runner[@]}"
start_mesh_fog here --workers 1 --peer "${address_of[there]}"
answers here copy 40 600000
stop here
start_proxy cable "${address_of[there]}" --rate 2000000
start_mesh_fog here --workers 1 --peer "$address"
answers here size 20 600000
answers here large 30 1
stop here
stop there

launch there "$fogctl" cloud --queue-backend memory --listen 127.0.0.1:0 --name there "${runner[@]}"
start_mesh_fog here --workers 1 --cloud "${address_of[there]}"
answers here copy 40 600000
