#!/usr/bin/env bash
# A neighbour that is killed while it holds tasks that were handed to it, and one that freezes and
# wakes up again: every task is answered once.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
start_mesh_fog near --workers 1 --sharing-interval 200ms
near=$address
for name in one two; do
  start_mesh_fog "$name" --workers 1 --sharing-interval 200ms --peer "$near"
done
wait_for "a mesh" is_mesh near one two
address=$near

python3 - "${pid_of[one]}" "${pid_of[two]}" >"$dir/victims" <<'EOF'
import collections, os, signal, sys
from peer import Peer, task, check
pids = {"one": int(sys.argv[1]), "two": int(sys.argv[2])}
peer, count = Peer(), 100
peer.ask(task(0, "sleep", 0.01))  # now it knows how long these take

def answer_burst(first, harm):
    """The first neighbour that answered three comes to harm; it holds many more."""
    peer.send("".join(task(i, "sleep", 0.01, task_uid=f"mesh-{os.getpid()}-{i}",
                           time_requirement=0) for i in range(first, first + count)))
    seen, answered, victim = set(), collections.Counter(), None
    while len(seen) < count:
        got = peer.read()
        check(got["task_id"] not in seen, "answered twice", got)
        check("error" not in got, got)
        seen.add(got["task_id"])
        answered[got["node"]] += 1
        if harm and not victim and got["node"] in pids and answered[got["node"]] == 3:
            victim = got["node"]
            os.kill(pids.pop(victim), harm)
    check(seen == set(range(first, first + count)), "others' answers", seen)
    check(victim or not harm, "a neighbour had some", answered)
    return victim

print(answer_burst(1000, signal.SIGKILL))
frozen = dict(pids)
print(answer_burst(2000, signal.SIGSTOP))
os.kill(*frozen.values(), signal.SIGCONT)
answer_burst(3000, None)
EOF

read -rd '' killed frozen <"$dir/victims" || true
wait "${pid_of[$killed]}" 2>/dev/null || true
unset "pid_of[$killed]"
left near "$killed" || fail "near says that $killed left"
left near "$frozen" || fail "near says that $frozen left"
wait_for "$frozen to be back" is_mesh near "$frozen"
