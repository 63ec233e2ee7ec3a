#!/usr/bin/env bash
# The queue in a file: a fog that is killed under load and started again goes on with what it had
# accepted, and every task of the client is answered once. A second fog on the file is refused.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
file=$dir/fog.queue
claim_port
port=$claimed_port

start_fog_on_file() {
  start fog fog --queue-backend file --queue-file "$file" --listen "127.0.0.1:$port" \
    --no-discovery --name fog --workers 2
}
start_fog_on_file

# refused TEXT ARGUMENT…: a fog with these ends with status 1, having said that.
refused() {
  local text=$1 status=0
  shift
  "$fogctl" fog --queue-backend file --listen 127.0.0.1:0 --no-discovery "$@" \
    >"$dir/out" 2>"$dir/err" || status=$?
  [ "$status" -eq 1 ] || fail "fog $*: status $status: $(cat "$dir/err")"
  [ ! -s "$dir/out" ] || fail "fog $*: said before: $(cat "$dir/out")"
  grep -qF -- "$text" "$dir/err" || fail "fog $*: says not '$text': $(cat "$dir/err")"
  grep -qF -- --queue-file "$dir/err" || fail "fog $*: says not what to do: $(cat "$dir/err")"
}
refused "$file: it is in use by process ${pid_of[fog]}" --queue-file "$file"
refused "$dir/no/fog.queue" --queue-file "$dir/no/fog.queue"
echo "plain text, and no database of any kind" >"$dir/notes"
refused "$dir/notes" --queue-file "$dir/notes"
grep -q "plain text" "$dir/notes" || fail "what is no queue file was written to"

# Tasks of 20 ms, more than two workers can run: some always wait in the file.
"$fogctl" client --connect "127.0.0.1:$port" --content 0.02 --load sleep=150/s --duration 12s \
  --json >"$dir/report" 2>"$dir/client.log" &
client=$!
tasks_wait() {
  "$fogctl" nodes --connect "127.0.0.1:$port" --json |
    python3 -c 'import json, sys; sys.exit(json.load(sys.stdin)["waiting_time"] < 0.2)'
}
for round in 1 2 3; do
  wait_for "tasks to wait in the file, round $round" tasks_wait
  stop fog KILL
  start_fog_on_file
done
wait "$client" || fail "the client: $(cat "$dir/client.log" "$dir/report")"
python3 - "$dir/report" <<'PY'
import json, sys
got = json.load(open(sys.argv[1]))
total = got["total"]
assert total["sent"] == total["done"] > 500, total
assert total["failed"] == total["lost"] == 0, total
assert got["reconnects"] >= 3, got
PY

# Stopped in order, it leaves the one file, and nothing in it.
stop fog
[ ! -e "$file-wal" ] && [ ! -e "$file.lock" ] || fail "left beside the file: $(ls "$dir")"
start_fog_on_file
! tasks_wait || fail "tasks are left in the queue"
