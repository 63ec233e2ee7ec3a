#!/usr/bin/env bash
# SIGINT ends the sending of a load, and the report comes; a second one does not wait for answers.
# A task or a row that is interrupted is named, and can be asked for again.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_fog fog --workers 8

# start_load ARGUMENT…: a load of an hour.
start_load() { start_client --duration 1h --json "$@"; }
# start_client ARGUMENT…: one that catches SIGINT: the shell has its background jobs ignore it until
# then.
start_client() {
  "$fogctl" client --connect "$address" "$@" >"$dir/report" 2>"$dir/err" &
  pid_of[load]=$!
  catches_interrupts() {
    local caught
    caught=$(sed -n 's/^SigCgt:[[:space:]]*/0x/p' "/proc/${pid_of[load]}/status")
    [ $((caught >> 1 & 1)) -eq 1 ]
  }
  wait_for "the client to run" catches_interrupts
}
figure() {
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["total"][sys.argv[2]])' \
    "$dir/report" "$1"
}

# at_node NAME COUNT: so many tasks of that name are there, not finished.
at_node() { [ "$("$fogctl" tasks ls --connect "$address" | grep -c "$1")" -ge "$2" ]; }
has_done() {
  "$fogctl" nodes --connect "$address" --json | python3 -c "import json, sys
sys.exit(json.load(sys.stdin)['predictions']['here']['tasks'] < $1)"
}

start_load --load echo=100/s
wait_for "10 to be done" has_done 10
SECONDS=0
stop load INT
[ "$SECONDS" -lt 5 ] || fail "it took $SECONDS s to end"
[ "$status" -eq 0 ] || fail "all was answered, but the status is $status: $(cat "$dir/err")"
[ "$(figure "done")" -ge 10 ] || fail "the report has what was done: $(cat "$dir/report")"
[ "$(figure lost)" -eq 0 ] || fail "nothing was lost: $(cat "$dir/report")"

start_load --load sleep=2/s --content 1.5
wait_for "one to run" at_node sleep 1
stop load INT
[ "$status" -eq 0 ] || fail "it waits for the answers, but the status is $status"
grep -q "stopping: waiting for" "$dir/err" || fail "says what it waits for: $(cat "$dir/err")"
[ "$(figure sent)" -eq "$(figure "done")" ] || fail "all were answered: $(cat "$dir/report")"

start_load --load sleep=2/s --content 60
wait_for "one to run" at_node sleep 1
kill -INT "${pid_of[load]}"
wait_for "the client to say that it waits" grep -q "interrupt again" "$dir/err"
SECONDS=0
stop load INT
[ "$SECONDS" -lt 5 ] || fail "the second signal waited $SECONDS s"
[ "$status" -eq 1 ] || fail "unanswered tasks give status $status"
[ "$(figure lost)" -gt 0 ] || fail "they are counted as lost: $(cat "$dir/report")"

# A node of its own: what is there has come from these clients, which then catch interrupts.
start_fog other --workers 8
start_client --task sleep --content 8
wait_for "the task to be at the node" at_node sleep 1
stop load INT
[ "$status" -eq 1 ] || fail "an interrupted task gives status $status"
uid=$(sed -n "s/^fogctl: task 'sleep' was interrupted, .* --uid //p" "$dir/err")
[ -n "$uid" ] || fail "says what became of it: $(cat "$dir/err")"
"$fogctl" client --connect "$address" --task sleep --content 8 --uid "$uid" --requirement 100 \
  --json >"$dir/again" 2>"$dir/err" || fail "asked again: $(cat "$dir/err")"
grep -q '"content":8' "$dir/again" || fail "asked again: $(cat "$dir/again")"

printf '60\n61\n' >"$dir/rows.csv"
start_client --task sleep --content-csv "$dir/rows.csv"
wait_for "the rows to be at the node" at_node sleep 2
stop load INT
[ "$(grep -c "^fogctl: row [12]: task 'sleep' was interrupted, .* --uid ." "$dir/err")" -eq 2 ] ||
  fail "says what became of the rows: $(cat "$dir/err")"
