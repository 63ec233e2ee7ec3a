#!/usr/bin/env bash
# A fog that leaves hands on what it can: a task that may not go holds up none behind it, and one
# whose failed run is to be tried again later goes, too, with what it counts. What it has from a
# neighbour, and nobody else takes, that one has back at once.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"

# check_leaving EXPRESSION: what is sent is the Python list `tasks`; of the answers, `by` counts
# (task_uid up to the -, node, error code), and `content` is by uid. The last argument must be true.
check_leaving() {
  start_mesh_fog leaving --workers 1 --drain-timeout 20s --retry-delay 6s \
    --peer "${address_of[neighbour]}"
  wait_for "the neighbour" holds_at leaving 'n["neighbour"]["state_age"] is not None'
  address=${address_of[leaving]} python3 - "$1" "$2" "$dir/ready" >"$dir/answers" <<'EOF2' &
import collections, sys
from peer import Peer, task, check
peer, by, content = Peer(), collections.Counter(), {}
peer.ask(task(0, "sleep", 0.03))
peer.send("".join(eval(" ".join(sys.argv[1].split()))))
while (got := peer.read()) is not None:
    uid, code = got["task_uid"], got.get("error", {}).get("code")
    by[uid.split("-")[0], got["node"], code] += 1
    content[uid] = got["content"]
    if len(content) == 5:
        open(sys.argv[3], "w").close()
print(dict(by))
check(eval(sys.argv[2]), "not", sys.argv[2], dict(by))
EOF2
  pid_of[client]=$!
  wait_for "some answers" test -e "$dir/ready"
  stop leaving
  [ "$status" -eq 0 ] || fail "an orderly end has status $status"
  status=0
  wait "${pid_of[client]}" || status=$?
  unset "pid_of[client]"
  rm "$dir/ready"
  cat "$dir/answers"
  [ "$status" -eq 0 ] || failed=1
}

start_mesh_fog neighbour --workers 2 --retry-delay 50ms
failed=0
check_leaving '[task(i, "sleep", 0.03, task_uid=f"t-{i}", **({"max_offload": 0} if i == 30 else {}))
                for i in range(1, 200)]' \
  'sum(by.values()) == 199 and by["t", "leaving", "unavailable"] <= 1'
check_leaving '[task(i, "fail", 1, task_uid=f"f-{i}") for i in range(5)] +
               [task(i, "sleep", 0.03, task_uid=f"s-{i}") for i in range(5, 60)]' \
  'by["f", "neighbour", None] == 5 and all(content[f"f-{i}"] == 2 for i in range(5))'
[ "$failed" -eq 0 ] || fail "what was queued is not all handed on"

stop neighbour
start_mesh_fog home --workers 0
start_mesh_fog leaving --workers 1 --drain-timeout 60s --peer "${address_of[home]}"
wait_for "the neighbour" holds_at home 'n["leaving"]["state_age"] is not None'
address=${address_of[home]} python3 - "$dir/back" >"$dir/answers" <<'EOF2' &
import sys
from peer import Peer, task, check
peer = Peer()
peer.send(task(0, "sleep", 25))
peer.send("".join(task(i, "echo", i, task_uid=f"back-{i}") for i in range(1, 6)))
answers = [peer.read() for _ in range(5)]
print(answers)
check({got["node"] for got in answers} == {"third"}, "they are back before the long one is done")
open(sys.argv[1], "w").close()
EOF2
pid_of[client]=$!
wait_there() {
  "$fogctl" tasks ls --state queued --connect "${address_of[leaving]}" >"$dir/queued"
  [ "$(grep -c echo "$dir/queued")" -eq 5 ]
}
wait_for "them to wait there" wait_there
kill -TERM "${pid_of[leaving]}"
start_mesh_fog third --workers 1 --peer "${address_of[home]}"
wait_for "the answers" test -e "$dir/back"
