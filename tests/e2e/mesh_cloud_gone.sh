#!/usr/bin/env bash
# The cloud goes and comes back, killed or cut off, under load: heavy tasks are answered all along,
# in the fog while there is no cloud. Of two clouds the second is tried when the first is not there.
# shellcheck source=tests/e2e/hosts.sh
source "$(dirname "$0")/hosts.sh"
hosts 3
start_cloud() { start_on "$1" "$2" cloud --queue-backend memory --name "$2"; }
start_cloud 2 first
start_cloud 3 second
start_fog_on 1 fog --workers 4 --cloud 10.77.1.2:10000 --cloud 10.77.1.3:10000
fog=$address

# runs WHERE: a task for the cloud says that it ran there: "locally", "in the cloud", "on first"…
runs() {
  on 1 "$fogctl" client --connect "$fog" --to-cloud --task echo --class heavy --uid "$RANDOM-$$" \
    --requirement 100 2>&1 | grep -q "$1"
}
begin_load() {
  on 1 "$fogctl" client --connect "$fog" --to-cloud --load sleep=40/s --class heavy --content 0.05 \
    --duration "$1" --timeout 30s --json >"$dir/load.json" &
  load=$!
}
end_load() {
  wait "$load" || fail "tasks were lost: $(cat "$dir/load.json")"
  grep -q '"repeated_answers":0' "$dir/load.json" || fail "once each: $(cat "$dir/load.json")"
}

wait_for "the first cloud" runs "on first"
begin_load 3s
stop first KILL
wait_for "the second cloud to take over" runs "on second"
stop second KILL
start_clock
runs locally || fail "with no cloud the fog runs it"
passed 4500 && fail "nothing waits for a cloud that is gone: $(took)"
start_cloud 3 second
wait_for "the second cloud to be back" runs "on second"
end_load

# No word comes from a cloud whose cable is out, and no end of the connection either.
stop second KILL
start_cloud 2 first
wait_for "the first cloud to be back" runs "on first"
begin_load 10s
wait_for "load in the cloud" holds_at fog 'r["cloud"]'
cut_cable 2
start_clock
wait_for "the fog to run it while the cloud is cut off" runs locally
echo "in the fog $(took) after the cut"
mend_cable 2
start_clock
wait_for "the cloud to be back" runs "on first"
echo "in the cloud $(took) after the cable was back"
end_load
