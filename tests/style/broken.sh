#!/usr/bin/env bash
# Whether the style tests can fail: each rule is broken once in a copy and must be complained about,
# by name. Usage: broken.sh FOGCTL
set -euo pipefail
fogctl=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
root=$(realpath "$here/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cases=0
missed=0

# expect MESSAGE COMMAND... : the command must fail and say MESSAGE.
expect() {
  local message=$1
  shift
  cases=$((cases + 1))
  if "$@" >"$work/out" 2>&1; then
    echo "not noticed: $message" >&2
  elif ! grep -qF -- "$message" "$work/out"; then
    echo "failed, but did not say: $message" >&2
    sed 's/^/    /' "$work/out" >&2
  else
    return 0
  fi
  missed=$((missed + 1))
}

# A tree of a file for each folder, with nothing wrong.
new_tree() {
  local folder
  rm -rf "$work/tree"
  for folder in base task placement scheduling json queue wire net work programs node client sim \
    cli; do
    mkdir -p "$work/tree/src/$folder"
    printf '#include <string>\n// std::cout << sleep_for(1), steady_clock::now() in a comment\n' \
      >"$work/tree/src/$folder/a.cpp"
  done
  mkdir -p "$work/tree/tests"
  printf '#include <random>\nstd::random_device d;\n' >"$work/tree/src/base/random.cpp"
  printf 'auto t = std::chrono::steady_clock::now();\n' >"$work/tree/src/base/time.cpp"
  printf '#include <hiredis/hiredis.h>\n' >"$work/tree/src/queue/redis_connection.cpp"
  printf '#include "cli/a.hpp"\n' >"$work/tree/src/main.cpp"
  printf '#include "queue/memory_queue.hpp"\n' >>"$work/tree/src/sim/a.cpp"
}

# tree_case SCRIPT FILE LINE MESSAGE : with this line in this file.
tree_case() {
  new_tree
  mkdir -p "$(dirname "$work/tree/$2")"
  printf '%b\n' "$3" >>"$work/tree/$2"
  expect "$4" "$here/$1" "$work/tree"
}

layer() { tree_case layers.sh "src/$1" "#include $2" "src/$1:3: $3"; }
call() { tree_case calls.sh "src/$1" "$2" "src/$1:3: $3"; }

new_tree
"$here/layers.sh" "$work/tree" >/dev/null
"$here/calls.sh" "$work/tree" >/dev/null

layer base/a.cpp '"task/task.hpp"' 'base may not include "task/task.hpp"'
layer placement/a.cpp '"queue/task_queue.hpp"' 'placement may not include "queue/task_queue.hpp"'
layer scheduling/a.cpp '"net/connection.hpp"' 'scheduling may not include'
layer wire/a.cpp '"net/connection.hpp"' 'wire may not include'
layer queue/a.cpp '"wire/messages.hpp"' 'queue may not include'
layer net/a.cpp '"node/node.hpp"' 'net may not include'
layer client/a.cpp '"queue/task_queue.hpp"' 'client may not include'
layer node/a.cpp '"cli/options.hpp"' 'node may not include'
layer work/a.cpp '"programs/child.hpp"' 'work may not include'
layer programs/a.cpp '"work/worker_pool.hpp"' 'programs may not include'
layer work/a.cpp '"task.hpp"' '"task.hpp": write it from src/'
layer placement/a.cpp '"base/log.hpp"' 'placement is pure and may not include "base/log.hpp"'
layer placement/a.cpp '<thread>' 'placement is pure and may not include <thread>'
layer scheduling/a.cpp '<mutex>' 'scheduling is pure and may not include <mutex>'
layer task/a.cpp '<unistd.h>' 'task is pure and may not include <unistd.h>'
layer wire/a.cpp '<asio/ip/tcp.hpp>' '<asio/ip/tcp.hpp> is for net node client alone'
layer queue/a.cpp '<sqlite3.h>' '<sqlite3.h> is for queue/sqlite.cpp'
layer queue/a.cpp '<hiredis/hiredis.h>' '<hiredis/hiredis.h> is for queue/redis_connection.cpp'
layer node/a.cpp '<CLI/CLI.hpp>' '<CLI/CLI.hpp> is for cli alone'
layer wire/a.cpp '<boost/json.hpp>' '<boost/json.hpp> is for json alone'
layer queue/a.cpp '<gmp.h>' '<gmp.h> is for work alone'
layer node/a.cpp '<random>' '<random> is for base/random.cpp alone'
layer queue/a.cpp '<thread>' '<thread> is for work programs node cli base/name_lookup.cpp base/'
layer net/a.cpp '<mutex>' '<mutex> is for base queue work programs node net/dialer.cpp alone'
tree_case layers.sh src/sim/a.cpp '#include "queue/redis_queue.hpp"' \
  'src/sim/a.cpp:4: sim may not include "queue/redis_queue.hpp"'
tree_case layers.sh src/main.cpp '#include "node/node.hpp"' 'main.cpp may not include'
tree_case layers.sh src/util/a.cpp '#include <string>' "folder 'util' is not in the include table"
mkdir -p "$work/empty/src" "$work/empty/tests"
expect 'no #include found' "$here/layers.sh" "$work/empty"
expect 'no files found' "$here/calls.sh" "$work/empty"

call node/a.cpp 'auto t = std::chrono::steady_clock::now();' 'reads a system clock'
call base/a.cpp 'auto t = system_clock::now();' 'reads a system clock'
call base/a.cpp 'clock_gettime(CLOCK_REALTIME, &t);' 'reads a system clock'
call base/a.cpp 'gettimeofday(&t, nullptr);' 'reads a system clock'
call base/a.cpp 'auto t = time(nullptr);' 'reads a system clock'
call client/a.cpp 'std::random_device device;' 'draws from the system'
call client/a.cpp 'int i = rand();' 'draws from the system'
call work/a.cpp 'std::this_thread::sleep_for(1s);' 'sleeps'
call work/a.cpp 'usleep(1);  // why not' 'sleeps'
call cli/a.cpp 'using namespace std;' 'using namespace std'
call cli/a.cpp 'std::cout << "http://x";' 'std::cout'
call node/a.cpp 'asio::co_spawn(io, f(), asio::detached);' 'starts a coroutine'
call node/a.cpp 'co_await send(Message{1});' 'a struct built inside a co_await'
call scheduling/a.cpp 'void f(const Clock& clock);' 'asks a clock'
call placement/a.cpp 'const auto t = clock.now();' 'asks a clock'
call wire/a.cpp "// $(printf 'x%.0s' {1..98})" 'longer than 100 characters'
tree_case calls.sh src/json/a.cpp "$(printf '\\n%.0s' {1..400})" 'src/json/a.cpp: 403 lines'
tree_case calls.sh tests/a.sh "# $(printf 'x%.0s' {1..99})" 'tests/a.sh:1: longer than 100'
# In characters, not in bytes.
new_tree
printf '// %s\n' "$(printf '…%.0s' {1..97})" >>"$work/tree/src/wire/a.cpp"
"$here/calls.sh" "$work/tree" >/dev/null

# All that can be wrong with the documentation, in one copy.
mkdir -p "$work/docs/src/programs"
cp -r "$root/man" "$root/completions" "$work/docs"
cp "$root/src/programs/task_file.cpp" "$work/docs/src/programs"
complaints=()

# docs_case SED FILE MESSAGE : with this file edited so.
docs_case() {
  cp "$work/docs/$2" "$work/before"
  sed -i "$1" "$work/docs/$2"
  cmp -s "$work/before" "$work/docs/$2" && echo "no longer in $2: $1" >&2 && missed=$((missed + 1))
  complaints+=("$3")
}

page=man/fogctl-find-port.1
docs_case '/^\.It Fl -count/,/^Default/d' $page "find-port: --count is in --help but not in $page"
docs_case 's/^\.It Fl -from/.It Fl -above/' $page "find-port: --above is in $page but not in --help"
docs_case 's/^\.El/.Els/' $page 'unknown macro: .Els'
docs_case 's/^\.It Cm find-port/.It Cm find/' man/fogctl.1 \
  'fogctl: find-port is in --help but not in man/fogctl.1'
docs_case 's/^\.It Fl -version/.It Fl -about/' man/fogctl.1 'fogctl: --version is in --help but'
for shell in fogctl.bash _fogctl fogctl.fish; do
  docs_case 's/--count\b/--number/; s/-l count\b/-l number/' completions/$shell \
    "find-port: --count is in --help but not in completions/$shell"
  docs_case 's/--concurrency\b/--jobs/; s/-l concurrency\b/-l jobs/' completions/$shell \
    "worker: --jobs is in completions/$shell but not in --help"
  docs_case 's/redis memory/redis file/' completions/$shell \
    "fog --queue-backend: memory is in --help but not in completions/$shell"
done
docs_case "s/^_fogctl_subcommands='fog cloud/&s/" \
  completions/fogctl.bash 'fogctl: cloud is in --help but not in completions/fogctl.bash'
docs_case "s/^    'client:/    'endpoint:/" completions/_fogctl \
  'fogctl: endpoint is in completions/_fogctl but not in --help'
docs_case 's/-a cloud -d/-a sky -d/' completions/fogctl.fish \
  'fogctl: sky is in completions/fogctl.fish but not in --help'
rm "$work/docs/man/fogctl-cloud.1"
complaints+=('cloud: there is no man/fogctl-cloud.1')
cp "$root/man/fogctl-fog.1" "$work/docs/man/fogctl-mist.1"
complaints+=('man/fogctl-mist.1: no such subcommand')
"$here/docs.sh" "$fogctl" "$work/docs" >"$work/docs.out" 2>&1 && status=0 || status=$?
said() {
  cat "$work/docs.out"
  return "$status"
}
for complaint in "${complaints[@]}"; do
  expect "$complaint" said
done

[ "$missed" -eq 0 ] || { echo "broken: $missed of $cases rules broken unnoticed" >&2; exit 1; }
echo "broken: $cases rules, each seen to fail"
