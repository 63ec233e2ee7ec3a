#!/usr/bin/env bash
# A slow link to a neighbour stops to carry anything, one way or the other, while tasks are with the
# neighbour: they are placed again, each is answered once, and the mesh is whole again afterwards.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
policy_flags=(--policy original)

cat >"$dir/tasks.py" <<'EOF'
import os, sys
from peer import Peer, task, check
far, direction, pipe = sys.argv[1:]
peer, count = Peer(), 60
peer.ask(task(0, "sleep", 0.01))  # now it knows how long these take
peer.send("".join(task(i, "sleep", 0.01, task_uid=f"stall-{os.getpid()}-{i}", time_requirement=0)
                  for i in range(1, count + 1)))
seen, from_far = set(), 0
while len(seen) < count:
    got = peer.read()
    check(got["task_id"] not in seen and "error" not in got, "answered twice, or failed", got)
    seen.add(got["task_id"])
    from_far += got["node"] == far
    if got["node"] == far and from_far == 3:
        with open(pipe, "w") as commands:
            commands.write(f"stall {direction}\n")
check(3 <= from_far < count, "some were with the neighbour, and came back", from_far)
peer.send(task(0))
check(peer.read()["task_id"] == 0, "nothing comes twice")
EOF

for direction in in out; do
  far=far-$direction near=near-$direction
  start_mesh_fog "$far" --workers 1 --sharing-interval 500ms
  start_proxy "proxy-$direction" "$address" --delay 0.02
  start_mesh_fog "$near" --workers 1 --sharing-interval 500ms --peer "$address"
  wait_for "the two to be linked" is_mesh "$near" "$far"
  start_clock
  python3 "$dir/tasks.py" "$far" "$direction" "$dir/proxy-$direction.commands"
  wait_for "$near to give the link up" left "$near" "$far"
  echo "stalled $direction: all answered after $(took)"
  tell_proxy "proxy-$direction" flow
  wait_for "the two to be linked again" is_mesh "$near" "$far"
done
