#!/usr/bin/env bash
# Three nodes find one another with no configuration, in whatever order they start, and so do three
# that start at once; in the end there is one connection between each two. Goal: 3 s.
# shellcheck source=tests/e2e/hosts.sh
source "$(dirname "$0")/hosts.sh"
hosts 3
declare -A host_for=([one]=1 [two]=2 [three]=3)

# links HOST: how many connections its node has to others.
links() { on "$1" ss -Htn state established '( sport = :10000 or dport = :10000 )' | wc -l; }
two_links_each() { [ "$(links 1) $(links 2) $(links 3)" = "2 2 2" ]; }

while read -ra order; do
  for name in "${order[@]}"; do start_fog_on "${host_for[$name]}" "$name"; done
  start_clock
  wait_for "${order[*]} to be a mesh" is_mesh "${order[@]}"
  echo "${order[*]}: $(took)"
  for name in "${order[@]}"; do stop "$name" KILL; done
done <<'EOF'
one two three
one three two
two one three
two three one
three one two
three two one
EOF

start_clock
for name in one two three; do
  spawn_on "${host_for[$name]}" "$name" "$fogctl" fog --queue-backend memory --name "$name"
done
for name in one two three; do await "$name"; done
wait_for "three that start at once to be a mesh" is_mesh one two three
echo "all at once: $(took)"
wait_for "one connection between each two" two_links_each
