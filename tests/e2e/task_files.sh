#!/usr/bin/env bash
# Task files: programs become tasks; mistakes end a start and are all told; --tasks takes files and
# folders; a kind is held to its concurrency while others go on.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"

cat >"$dir/bad.toml" <<'EOT'
[task.words]
command = ["wc", "-w"]
timeout = 12
memroy = "1MiB"

[task.echo]
command = ["cat"]
EOT
for role in fog cloud worker; do
  status=0
  "$fogctl" "$role" --tasks "$dir/bad.toml" --port 1 2>"$dir/err" || status=$?
  [ "$status" -eq 2 ] || fail "$role ends with $status, not 2, on a mistake"
  for told in ':3: [task.words] timeout: expected a length of time like "5s", got 12' \
    ":4: [task.words] memroy: unknown key; did you mean 'memory'?" \
    ':6: [task.echo]: a task of that name is built in; choose another'; do
    grep -qF -- "$dir/bad.toml$told" "$dir/err" || fail "$role says not '$told': $(cat "$dir/err")"
  done
done
status=0
"$fogctl" fog --tasks "$dir/none.toml" 2>"$dir/err" || status=$?
[ "$status" -eq 2 ] || fail "a file that is not there: status $status"
grep -qF "$dir/none.toml: cannot read it: No such file" "$dir/err" || fail "$(cat "$dir/err")"

mkdir "$dir/tasks.d" "$dir/runs"
cat >"$dir/one.toml" <<'EOT'
[task.words]
command = ["wc", "-w"]
input = "raw"
EOT
# Each run notes how many there are as it begins.
cat >"$dir/tasks.d/two.toml" <<EOT
[task.bound]
command = ["sh", "-c", "touch \$\$; ls | wc -l; sleep 0.05; rm \$\$"]
workdir = "$dir/runs"
concurrency = 2
EOT
echo 'not read' >"$dir/tasks.d/notes.txt"
start_fog fog --workers 4 --tasks "$dir/one.toml" --tasks "$dir/tasks.d"
grep -q "2 tasks of your own from $dir/one.toml, $dir/tasks.d/two.toml: added words, bound" \
  "$dir/fog.log" || fail "the log says not which tasks there are"
got=$("$fogctl" client --connect "$address" --task words --content '"to be or not to be"' \
  --requirement 100)
grep -qx 6 <<<"$got" || fail "six words, not: $got"

python3 - <<'EOF'
from peer import Peer, task, check
peer, bound, free = Peer(), 60, 200
peer.send("".join(task(f"b{i}", "bound") for i in range(bound)))
peer.send("".join(task(f"f{i}", "echo", i) for i in range(free)))
before = 0  # bounded ones that ended before the last free one
seen, highest = set(), 0
while len(seen) < bound + free:
    got = peer.read()
    check("error" not in got, got)
    check(got["task_id"] not in seen, "answered twice", got)
    seen.add(got["task_id"])
    if got["task_id"].startswith("b"):
        highest = max(highest, got["content"])
        before += sum(one.startswith("f") for one in seen) < free
check(highest == 2, "two at a time", highest)
check(before <= 20, "the bounded ones held up the others", before)
EOF
stop fog
[ "$status" -eq 0 ] || fail "the fog ended with $status"
