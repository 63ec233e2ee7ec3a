#!/usr/bin/env bash
# fogctl fog --shadow-policy: another policy decides beside the live one and acts on nothing; nodes
# counts where it would have differed, and explain and plan say where it would have sent a task.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
policy_flags=(--policy original)
start cloud cloud --queue-backend memory --listen 127.0.0.1:0 --name above
start_mesh_fog one --workers 1 --cloud "$address" --shadow-policy deadline
one=${address_of[one]}
wait_for "the cloud" holds_at one 'r["cloud"]'
python3 - "$one" <<'EOF'
import sys
from peer import Peer, task, check
peer = Peer(sys.argv[1])
check("error" not in peer.ask(task("warm", "sleep", 0.2, task_uid="warm")), "it runs")
peer.send(task("long", "sleep", 1, task_uid="long"))
# Late here by both rules: the original sends light tasks to no cloud, the deadline does.
peer.ask(task("late", task_uid="late", time_requirement=0.1))
EOF
nodes_of one >"$dir/nodes.json"
"$fogctl" explain late --connect "$one" --json >"$dir/late.json"
"$fogctl" explain late --connect "$one" >"$dir/late"
"$fogctl" plan --task echo --connect "$one" --json >"$dir/plan.json"
python3 - "$dir" <<'EOF'
import json, sys
from peer import check
nodes, late, plan = (json.load(open(f"{sys.argv[1]}/{n}.json")) for n in ("nodes", "late", "plan"))
shadow = nodes["shadow"]
check(shadow["policy"] == "deadline" and shadow["decisions"] == 3, "plans count not", shadow)
check(shadow["differing"] == 1 and shadow["cloud"] == 1 and shadow["here"] == 2, shadow)
one, = late["decisions"]
check(one["site"] == "here" and one["outcome"]["node"] == "one", "it acts on nothing", one)
check(one["shadow"]["site"] == "cloud" and one["shadow"]["differs"], one["shadow"])
check(plan["shadow"]["site"] == "here" and not plan["shadow"]["differs"], plan)
EOF
grep -qE "^  shadow deadline: cloud above, it would be late here" "$dir/late" ||
  fail "in words: $(cat "$dir/late")"
"$fogctl" nodes --connect "$one" >"$dir/table"
grep -q "^shadow deadline: 1 of 3 decisions would have been others; here 2, neighbour 0, cloud 1" \
  "$dir/table" || fail "the counts: $(cat "$dir/table")"
status=0
"$fogctl" fog --shadow-policy best >"$dir/out" 2>"$dir/err" || status=$?
[ "$status" -eq 2 ] || fail "no such policy: $status"
grep -q -- "--shadow-policy" "$dir/err" || fail "it names the flag: $(cat "$dir/err")"
