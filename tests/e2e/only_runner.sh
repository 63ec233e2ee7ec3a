#!/usr/bin/env bash
# One node alone can run a task, and another one took it. Whichever of the two is killed with -9,
# the task waits until both are back, and then runs: it was accepted.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
cat >"$dir/tasks.toml" <<EOF2
[task.press]
command = ["/bin/bash", "$dir/press.sh", "$dir"]
mode = "once"
EOF2
cat >"$dir/press.sh" <<'EOF2'
length=$(cat "$1/length")
echo begun >>"$1/begun"
read -rt "$length" <><(:)
echo '"pressed"'
EOF2
claim_port && runner=127.0.0.1:$claimed_port
claim_port && front=127.0.0.1:$claimed_port
start_runner() {
  launch runner "$fogctl" fog --queue-backend memory --listen "$runner" --no-discovery \
    --name runner --tasks "$dir/tasks.toml"
}
start_front() {
  launch front "$fogctl" fog --queue-backend file --queue-file "$dir/queue" --listen "$front" \
    --no-discovery --name front --peer "$runner"
}
knows_press() { "$fogctl" tasks kinds --connect "$front" | grep -qE '^press .*runner'; }
has_begun() { grep -q begun "$dir/begun"; }
# press UID SECONDS: a client sends the task, whose first run takes so long.
press() {
  wait_for "front to know what the runner can run" knows_press
  echo "$2" >"$dir/length"
  : >"$dir/begun"
  "$fogctl" client --connect "$front" --task press --uid "$1" --requirement 100 >"$dir/$1" \
    2>"$dir/$1.log" &
  pid_of[$1]=$!
  wait_for "the task to begin" has_begun
  echo 0.1 >"$dir/length"
}
# is_pressed UID: the client has its answer.
is_pressed() {
  status=0
  wait "${pid_of[$1]}" || status=$?
  unset "pid_of[$1]"
  [ "$status" -eq 0 ] && grep -q pressed "$dir/$1" ||
    fail "$1: status $status: $(cat "$dir/$1" "$dir/$1.log")"
}
pause() { read -rt "$1" <><(:) || true; }
start_runner
start_front

press runner-dies 60
stop runner KILL
pause 3 # a task that was not accepted would be refused after 2 s
"$fogctl" tasks ls --connect "$front" | grep -q runner-dies || fail "front does not have it"
start_runner
is_pressed runner-dies

press front-dies 10
stop front KILL
start_front
is_pressed front-dies
[ "$(wc -l <"$dir/begun")" -eq 1 ] || fail "the runner ran it twice at once"

# Both, and its client is gone, too: whoever asks for the task later gets the kept result.
press all-die 60
for part in all-die front runner; do stop "$part" KILL; done
start_front
finds_it() { grep -q "task 'press' was found in the queue" "$dir/front.log"; }
wait_for "front to find it" finds_it
pause 3
: >"$dir/begun"
start_runner
wait_for "the task to begin" has_begun
"$fogctl" client --connect "$front" --task press --uid all-die --requirement 100 \
  >"$dir/all-die" 2>&1 &
pid_of[all-die]=$!
is_pressed all-die
[ "$(wc -l <"$dir/begun")" -eq 1 ] || fail "it ran twice"
