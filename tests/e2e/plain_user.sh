#!/usr/bin/env bash
# A fogctl that root did not start runs tasks as its own user and holds them to their limits, and
# says at the start that it can run none as another.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
user=$(id -un)
if [ "$user" = root ]; then
  user=nobody
  chmod 755 "$dir"
  cp "$fogctl" "$dir/program"
  cat >"$dir/fogctl" <<EOT
#!/bin/sh
exec setpriv --reuid $user --regid $(id -g $user) --clear-groups "$dir/program" "\$@"
EOT
  chmod +x "$dir/fogctl"
  fogctl=$dir/fogctl
fi

cat >"$dir/other.toml" <<'EOT'
[task.other]
command = ["id", "-un"]
user = "root"
EOT
status=0
"$fogctl" fog --queue-backend memory --tasks "$dir/other.toml" 2>"$dir/err" || status=$?
[ "$status" -eq 2 ] || fail "a task of root's: status $status"
grep -qF "other.toml:3: [task.other] user: only a fogctl that was started as root can run" \
  "$dir/err" || fail "$(cat "$dir/err")"

cat >"$dir/tasks.toml" <<EOT
[task.who]
command = ["id", "-un"]
output = "text"
user = "$user"

[task.eat]
command = ["perl", "-e", "my @all; while (1) { push @all, 'x' x 1000000; }"]
memory = "64MiB"
max_attempts = 1

[task.many]
command = ["perl", "-e", "for (1..1000) { sleep 100 if !fork } sleep 100"]
processes = 20
max_attempts = 1

[task.spin]
command = ["perl", "-e", "fork; 1 while 1"]
cpu_time = "1s"
max_attempts = 1
EOT
start_fog fog --tasks "$dir/tasks.toml"
ask() { "$fogctl" client --connect "$address" --requirement 30 --task "$1" 2>&1; }
got=$(ask who) || fail "as its own user: $got"
grep -qF "\"$user\\n\"" <<<"$got" || fail "as its own user: $got"
over() { # TASK WHAT
  local got status=0
  got=$(ask "$1") || status=$?
  [ "$status" -eq 1 ] || fail "$1: status $status: $got"
  grep -qF "$2" <<<"$got" || fail "$1: $got"
}
over eat "it used more than 64 MiB of memory"
over many "it ran more than 20 processes"
over spin "it used more than 1s of CPU time"
stop fog
[ "$status" -eq 0 ] || fail "the fog ended with $status"
