#!/usr/bin/env bash
# Calls that belong in one file only or nowhere, and the sizes of lines and files.
# Usage: calls.sh [ROOT]
set -euo pipefail
export LC_ALL=C.UTF-8 # a line's length is in characters
cd "${1:-$(dirname "$0")/../..}"

longest_line=100
longest_file=400
# Files that may be longer, each with its reason.
declare -A may_be_long=(
  [src/scheduling/scheduler.cpp]="the hub: a function for each event, and the life of an entry"
)

problems=0
problem() {
  echo "$1" >&2
  problems=$((problems + 1))
}

# The lines of these folders as FILE:LINE:TEXT, without comments.
code() {
  grep -rnE --include='*.hpp' --include='*.cpp' '' "$@" |
    sed -E 's@^([^:]+:[0-9]+:)//.*@\1@; s@([^:"])//.*@\1@' # but "http://"
}

# banned PATTERN WHY [FILE...] : no line of $where may match, but in these files.
where=(src)
banned() {
  local pattern=$1 why=$2 file line allowed
  shift 2
  while IFS=: read -r file line _; do
    for allowed in "$@"; do
      [ "$file" = "$allowed" ] && continue 2
    done
    problem "$file:$line: $why"
  done < <(code "${where[@]}" | grep -E "^[^:]+:[0-9]+:.*($pattern)" || true)
}

clocks='(steady_clock|system_clock|high_resolution_clock|utc_clock)::now'
clocks+='|\b(clock_gettime|gettimeofday|timespec_get)\b|\btime\((NULL|nullptr|0)\)'
banned "$clocks" 'reads a system clock; the clock is injected' src/base/time.cpp
banned '\brandom_device\b|\bgetrandom\b|\bgetentropy\b|\bs?rand\(' \
  'draws from the system; random numbers come from a seed that is passed in' src/base/random.cpp
banned '\bsleep_(for|until)\b|\b(u|nano)sleep\(|::sleep\(' 'sleeps; wait for what is waited for'
banned '\busing namespace std[[:space:]]*;' 'using namespace std'
banned '\bstd::cout\b' 'std::cout; print with fmt'
banned '\b(co_spawn|detached)\b' 'starts a coroutine that nobody names' src/net/spawn.cpp \
  src/net/spawn.hpp
banned '\bco_await\b[^;]*\b[A-Z][A-Za-z0-9_]*\{' \
  'a struct built inside a co_await is destroyed twice by g++ 12; name it and move it'
# The folders that decide.
where=()
for folder in task placement scheduling sim; do
  [ ! -d "src/$folder" ] || where+=("src/$folder")
done
[ "${#where[@]}" -eq 0 ] ||
  banned '\b(System)?Clock\b|\bnow\(\)' 'asks a clock; the time is passed in'

files=0
while read -r file; do
  files=$((files + 1))
  while IFS=: read -r line _; do
    problem "$file:$line: longer than $longest_line characters"
  done < <(grep -nE "^.{$((longest_line + 1)),}$" "$file" || true)
  case $file in *.cpp | *.hpp) ;; *) continue ;; esac
  lines=$(wc -l <"$file")
  if [ "$lines" -gt "$longest_file" ] && [ -z "${may_be_long[$file]:-}" ]; then
    problem "$file: $lines lines; over $longest_file, ask which second job it has taken on"
  fi
done < <(find src tests -name '*.cpp' -o -name '*.hpp' -o -name '*.sh')

[ "$files" -gt 0 ] || problem "no files found in $PWD"
[ "$problems" -eq 0 ] || { echo "calls: $problems problems" >&2; exit 1; }
echo "calls: $files files, nothing banned"
