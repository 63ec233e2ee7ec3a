#!/usr/bin/env bash
# A node works alone from its start: on a host with no network at all, and with a neighbour and a
# cloud named that nobody reaches. When the network comes up it finds the others, still working.
# shellcheck source=tests/e2e/hosts.sh
source "$(dirname "$0")/hosts.sh"
add_host 1
start_fog_on 1 alone --workers 2 --peer 10.77.1.9:10000 --cloud 10.77.1.8:10000
# at_once WHAT ARGUMENT…: a task is answered before anything could have been waited for.
at_once() {
  local what=$1
  shift
  at alone "$fogctl" client --connect "$address" --requirement 100 --json "$@" >"$dir/once" \
    2>"$dir/once.log" || fail "$what: $(cat "$dir/once.log" "$dir/alone.log")"
  python3 -c 'import json, sys; sys.exit(json.load(open(sys.argv[1]))["response_s"] > 2)' \
    "$dir/once" || fail "$what, at once: $(cat "$dir/once")"
}
at_once "it runs a task" --task echo
at_once "one for the cloud, too" --to-cloud --task heavy
holds_at alone 'r["neighbours"] == [] and r["cloud"] is None and r["waiting_time"] == 0' ||
  fail "it knows that it is alone: $(cat "$dir/alone.nodes")"

begin_load() {
  at alone "$fogctl" client --connect 127.0.0.1:10000 --load sleep=50/s --content 0.01 \
    --requirement sleep=2 --duration "$1" --min-in-time 99 --json >"$dir/load.json" &
  load=$!
}
begin_load 3s
plug 1 1  # the first network it ever sees
add_host 2
plug 2 1
start_fog_on 2 other
start_clock
wait_for "the two to find each other" is_mesh alone other
echo "found each other after $(took)"
wait "$load" || fail "tasks were late or lost: $(cat "$dir/load.json")"

cut_cable 2
wait_for "it to be alone again" is_mesh alone
begin_load 500ms
wait "$load" || fail "tasks were late or lost, alone again: $(cat "$dir/load.json")"
