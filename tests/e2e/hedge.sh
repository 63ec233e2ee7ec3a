#!/usr/bin/env bash
# A client with --hedge whose node is frozen: what that node does not accept goes to another one too
# and stays in time, each task is answered once, and the frozen node, when it goes on, runs next to
# nothing of what ran elsewhere. What must not run twice is not hedged, nor is anything where there
# is one node, or one of the original system.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
cat >"$dir/tasks.toml" <<EOF
[task.mark]
class = "light"
command = ["sh", "-c", 'echo "\$FOGCTL_TASK_UID" >>$dir/runs; echo 1']
[task.once]
class = "light"
exclusive = true
command = ["sh", "-c", 'echo "\$FOGCTL_TASK_UID" >>$dir/runs; echo 1']
EOF
touch "$dir/runs"

figure() { # NAME: of the last report
  python3 -c 'import json, sys; got = json.load(open(sys.argv[1]))
print({**got["total"], **got}[sys.argv[2]])' "$dir/report" "$1"
}
# freezes NAME SECONDS COUNT: so often for so long, with as long a pause before each; the first
# once a task has come.
freezes() {
  local i
  wait_for "a task to run" has_run
  for ((i = 0; i < $3; i++)); do
    read -rt "$2" <><(:) || true
    kill -STOP "${pid_of[$1]}"
    read -rt "$2" <><(:) || true
    kill -CONT "${pid_of[$1]}"
  done
}
has_run() { [ -s "$dir/runs" ]; }
runs_of() { # UID: how often it ran
  grep -cx "$1" "$dir/runs" || true
}
is_idle() { # ADDRESS: nothing is left in its queue
  "$fogctl" queue --connect "$1" --json | grep -q '"bytes":0}'
}

# check_load FLAG… -- FLAG…: two nodes, home and away, with these queues.
check_load() {
  local home_flags=() freezer runs different late
  while [ "$1" != -- ]; do
    home_flags+=("$1")
    shift
  done
  shift
  launch home "$fogctl" fog --listen 127.0.0.1:0 --no-discovery --name home --policy in-time \
    --workers 2 --tasks "$dir/tasks.toml" "${home_flags[@]}"
  home=$address
  launch away "$fogctl" fog --listen 127.0.0.1:0 --no-discovery --name away --policy in-time \
    --workers 2 --tasks "$dir/tasks.toml" --peer "$home" "$@"
  away=$address
  wait_for "a mesh" is_mesh home away
  : >"$dir/runs"
  freezes home 1 3 &
  freezer=$!
  "$fogctl" client --connect "$home" --connect "$away" --hedge 0.2 --load mark=40/s \
    --duration 7s --requirement 0.5 --json >"$dir/report"
  wait "$freezer"
  wait_for "nothing left at home" is_idle "$home"
  wait_for "nothing left at away" is_idle "$away"
  runs=$(wc -l <"$dir/runs") different=$(sort -u "$dir/runs" | wc -l)
  late=$(python3 -c 'print(round((1 - float(input())) * 280))' <<<"$(figure in_time_rate)")
  echo "$(figure sent) sent, $(figure hedged) hedged, $late late, $((runs - different)) ran twice"
  [ "$(figure sent)" = 280 ] && [ "$(figure "done")" = 280 ] || fail "not all are done"
  [ "$different" = 280 ] || fail "$different different tasks ran"
  [ "$(figure repeated_answers)" = 0 ] || fail "a task was answered twice"
  [ "$(figure unknown_answers)" = 0 ] || fail "an answer was to no task"
  # Of each second that it is frozen, three times, the tasks of the first half would be late: 60.
  [ "$(figure hedged)" -ge 90 ] || fail "few were hedged"
  [ "$late" -le 25 ] || fail "$late were late"
  # As it goes on it reads in two pieces or so, each with the tasks of a tenth of a second whose
  # calling off is not in it: three times twice four, and twice that on a slow machine; of 110.
  [ "$((runs - different))" -le 45 ] || fail "$((runs - different)) ran twice"
}

check_load --queue-backend memory -- --queue-backend memory

echo "a single task, whose node is frozen before it is met"
kill -STOP "${pid_of[home]}"
"$fogctl" client --connect "$home" --connect "$away" --hedge --task mark --uid single \
  --requirement 2 --json >"$dir/outcome"
grep -q '"node":"away"' "$dir/outcome" || fail "it did not run elsewhere: $(cat "$dir/outcome")"
kill -CONT "${pid_of[home]}"

echo "more than a frozen node can be sent"
head -c 200000 /dev/zero | tr '\0' x >"$dir/long"
(
  read -rt 0.5 <><(:) || true
  kill -STOP "${pid_of[home]}"
  read -rt 4 <><(:) || true
  kill -CONT "${pid_of[home]}"
) &
freezer=$!
"$fogctl" client --connect "$home" --connect "$away" --hedge 0.2 --load light=10/s \
  --content-file "$dir/long" --duration 4s --requirement 1 --json >"$dir/report"
wait "$freezer"
[ "$(figure sent)" = 40 ] || fail "only $(figure sent) of 40 were sent"

echo "an exclusive task waits for its node"
cat >"$dir/once.py" <<'EOF'
import os, signal, sys
from peer import Peer, task, check
home, away, victim = sys.argv[1], sys.argv[2], int(sys.argv[3])
at_home, at_away = Peer(home), Peer(away)
os.kill(victim, signal.SIGSTOP)
at_home.send(task("once", "once", 1, task_uid="once", want_accept=True))
at_away.send(task("once", "once", 1, task_uid="once", want_accept=True, is_copy=True))
got = at_away.answer()
check(got.get("error", {}).get("code") == "unavailable", "turned away, not", got)
os.kill(victim, signal.SIGCONT)
check("error" not in at_home.answer(), "the first one runs")
EOF
python3 "$dir/once.py" "$home" "$away" "${pid_of[home]}"
wait_for "nothing left at home" is_idle "$home"
[ "$(runs_of once)" = 1 ] || fail "an exclusive task ran $(runs_of once) times"
[ "$(runs_of single)" = 1 ] || fail "a single task ran $(runs_of single) times"
stop away

# check_unhedged ADDRESS…: home is among them, and frozen for a while.
check_unhedged() {
  local freezer connect=()
  for address; do connect+=(--connect "$address"); done
  freezes home 0.5 1 &
  freezer=$!
  "$fogctl" client "${connect[@]}" --hedge --load light=40/s --duration 2s --json >"$dir/report"
  wait "$freezer"
  [ "$(figure "done")" = 80 ] && [ "$(figure hedged)" = 0 ] || fail "$(cat "$dir/report")"
}
echo "a node alone"
check_unhedged "$home"
echo "an original node beside it, and before it"
start_original old fog
old=$address
check_unhedged "$home" "$old"
check_unhedged "$old" "$home"
end_original old
stop home

start_redis
echo "Redis"
check_load --port "$redis_port" --queue home -- --port "$redis_port" --queue away
