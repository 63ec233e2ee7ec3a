#!/usr/bin/env bash
# A node's cable is out for 10 s and back in, under load on both sides of the cut: no task is lost,
# none is answered twice, and the mesh is whole again soon. Goal: 5 s.
# shellcheck source=tests/e2e/hosts.sh
source "$(dirname "$0")/hosts.sh"
hosts 3
names=(one two three)
for host in 1 2 3; do start_fog_on "$host" "${names[host - 1]}" --workers 1; done
wait_for "a mesh" is_mesh "${names[@]}"

# Each load is 1.4 times what its node can do, so that both hand on all the time.
declare -A load_of=()
for name in one two; do
  at "$name" "$fogctl" client --connect "${address_of[$name]}" --task sleep --content 0.05 \
    >"$dir/first" 2>&1 || true
  at "$name" "$fogctl" client --connect "${address_of[$name]}" --load sleep=28/s --content 0.05 \
    --requirement sleep=0.05 --duration 14s --timeout 60s --json >"$dir/$name.json" &
  load_of[$name]=$!
done

has_handed_on() { holds_at "$1" 'sum(one["handed"] for one in n.values()) > 0'; }
wait_for "one to hand on" has_handed_on one
wait_for "two to hand on" has_handed_on two
cut_cable 2
start_clock
wait_for "the others to see it leave" left one two
wait_for "it to see the others leave" left two one
echo "noticed after $(took)"
passed 8000 && fail "a neighbour is silent for 3 s before its link is closed, not longer"
wait_for "10 s to pass" passed 10000

mend_cable 2
start_clock
wait_for "the mesh to be whole again" is_mesh "${names[@]}"
echo "whole again after $(took)"
for name in one two; do
  wait "${load_of[$name]}" || [ $? -eq 5 ] || fail "tasks were lost: $(cat "$dir/$name.json")"
done

python3 - "$dir/one.json" "$dir/two.json" <<'EOF'
import json, sys
from peer import check
for path in sys.argv[1:]:
    report = json.load(open(path))
    total = report["total"]
    check(total["sent"] == total["done"] == 14 * 28, "every task is answered", report)
    check(report["repeated_answers"] == report["unknown_answers"] == 0, "once", report)
EOF
