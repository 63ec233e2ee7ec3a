#!/usr/bin/env bash
# Who may include whom (the architecture's include table): every #include in src is held against
# the table below. Usage: layers.sh [ROOT]
set -euo pipefail
root=${1:-$(dirname "$0")/../..}
cd "$root/src"

# What a folder may include besides itself: folders, or single headers of one.
# net takes the JSON scanner for its framing, the client JSON for contents and reports; programs
# take from work what a handler is.
declare -A may_include=(
  [base]=""
  [task]="base"
  [placement]="base task"
  [scheduling]="base task placement"
  [json]="base"
  [queue]="base task json"
  [wire]="base task json"
  [net]="base task wire json"
  [work]="base task json queue"
  [programs]="base task json work/handlers.hpp"
  [node]="base task placement scheduling json queue wire net work"
  [client]="base task wire net json"
  [sim]="base task placement scheduling queue/memory_queue.hpp queue/ready_order.hpp"
  [cli]="base task placement scheduling json queue wire net work programs node client sim"
  [main.cpp]="cli"
)

# Outside headers (a pattern for the text between the angle brackets) and who alone may include
# them: folders or files.
locks='mutex|shared_mutex|condition_variable|semaphore|latch|barrier'
outside=(
  'asio(/.*|\.hpp)             net node client'
  'hiredis/.*                  queue/redis_connection.cpp'
  'sqlite3\.h                  queue/sqlite.cpp'
  'CLI/.*                      cli'
  'boost/.*                    json'
  'gmp(xx)?\.h                 work'
  'toml\+\+/.*                  base/toml.hpp'
  'random                      base/random.cpp'
  'thread|stop_token|future    work programs node cli base/name_lookup.cpp base/spin.cpp'
  "$locks  base queue work programs node net/dialer.cpp"
)
# The folders that decide and do nothing: no thread, lock, file or socket, and no log or clock.
pure='placement|scheduling|sim|task'
impure_headers='thread|stop_token|future|atomic|mutex|shared_mutex|condition_variable|random|ctime'
impure_headers+='|fstream|iostream|cstdio|unistd\.h|sys/.*|netinet/.*|signal\.h|csignal'
impure_own_headers='base/log.hpp'

problems=0
problem() {
  echo "$1" >&2
  problems=$((problems + 1))
}

# is_listed WORD... : whether the folder, header or file $1 is among the others.
is_listed() {
  local wanted=$1 entry
  shift
  for entry in "$@"; do
    [ "$entry" = "$wanted" ] && return 0
  done
  return 1
}

check_own() { # FILE:LINE FOLDER HEADER
  local where=$1 folder=$2 header=$3
  local -a allowed
  read -ra allowed <<<"${may_include[$folder]}"
  if [[ $header != */* ]]; then
    problem "src/$where: \"$header\": write it from src/, as \"$folder/$header\""
  elif [[ $folder =~ ^($pure)$ && $header =~ ^($impure_own_headers)$ ]]; then
    problem "src/$where: $folder is pure and may not include \"$header\""
  elif ! is_listed "${header%%/*}" "$folder" "${allowed[@]}" &&
    ! is_listed "$header" "${allowed[@]}"; then
    problem "src/$where: $folder may not include \"$header\""
  fi
}

check_outside() { # FILE:LINE FOLDER HEADER
  local where=$1 folder=$2 header=$3 rule pattern
  local -a allowed
  if [[ $folder =~ ^($pure)$ && $header =~ ^($impure_headers)$ ]]; then
    problem "src/$where: $folder is pure and may not include <$header>"
    return
  fi
  for rule in "${outside[@]}"; do
    read -r pattern rule <<<"$rule"
    read -ra allowed <<<"$rule"
    [[ $header =~ ^($pattern)$ ]] || continue
    is_listed "$folder" "${allowed[@]}" || is_listed "${where%%:*}" "${allowed[@]}" ||
      problem "src/$where: <$header> is for ${allowed[*]} alone"
  done
}

includes=0
while IFS=: read -r file line text; do
  includes=$((includes + 1))
  folder=${file%%/*}
  if [ -z "${may_include[$folder]+known}" ]; then
    problem "src/$file: folder '$folder' is not in the include table"
  elif [[ $text =~ \"([^\"]+)\" ]]; then
    check_own "$file:$line" "$folder" "${BASH_REMATCH[1]}"
  elif [[ $text =~ \<([^>]+)\> ]]; then
    check_outside "$file:$line" "$folder" "${BASH_REMATCH[1]}"
  fi
done < <(grep -rnE --include='*.hpp' --include='*.cpp' '^[[:space:]]*#[[:space:]]*include' . |
  sed 's|^\./||')

[ "$includes" -gt 0 ] || problem "no #include found in $root/src"
[ "$problems" -eq 0 ] || { echo "layers: $problems problems" >&2; exit 1; }
echo "layers: $includes includes, all allowed"
