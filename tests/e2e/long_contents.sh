#!/usr/bin/env bash
# A node hands tasks with long contents to the only other one that runs them, which answers with
# contents as long: each is answered, though far more is under way than a link holds. With a
# neighbour; over a slow cable; with the cloud.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
cat >"$dir/tasks.toml" <<'EOF'
[task.copy]
command = ["/bin/cat"]
mode = "once"
EOF
runner=(--workers 2 --tasks "$dir/tasks.toml")
knows() { at "$1" "$fogctl" tasks kinds --connect "${address_of[$1]}" | grep -qE "^copy .*$2"; }

# copies COUNT BYTES WHERE: all of them come back, each without error, and no link breaks.
copies() {
  wait_for "the kinds" knows here there
  start_clock
  address=${address_of[here]} python3 - "$1" "$2" "$3" <<'EOF'
import sys, threading
from peer import Peer, task, check
count, size, where = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
peer = Peer()
peer.socket.settimeout(60)
def send():
    for i in range(count):
        peer.send(task(i, "copy", "x" * size, task_uid=f"{where}-{i}", time_requirement=20))
threading.Thread(target=send).start()
got = [peer.answer() for _ in range(count)]
check(sorted(one["task_id"] for one in got) == list(range(count)), "each once")
check(all("error" not in one for one in got), [one["error"] for one in got if "error" in one][:1])
EOF
  echo "$1 times $2 bytes, there and back, $3: $(took)"
  ! grep -E "neighbour .* left: (it|no)|lost the cloud" "$dir"/*.log || fail "a link broke"
}

start_mesh_fog there "${runner[@]}"
start_mesh_fog here --workers 1 --peer "${address_of[there]}"
copies 40 600000 neighbour
stop here
start_proxy cable "${address_of[there]}" --rate 2500000
start_mesh_fog here --workers 1 --peer "$address"
copies 20 600000 cable
stop here
stop there

launch there "$fogctl" cloud --queue-backend memory --listen 127.0.0.1:0 --name there "${runner[@]}"
start_mesh_fog here --workers 1 --cloud "${address_of[there]}"
copies 40 600000 cloud
