#!/usr/bin/env bash
# The main job on this machine, with no server at all: a cloud, a fog node, each with its queue in a
# file, and a client that sends the original load (200 light and 40 medium tasks a minute) and some
# heavy ones for the cloud.
# usage: demos/main-job.sh [FOGCTL] [DURATION]
set -euo pipefail

fogctl=${1:-fogctl}
duration=${2:-15s}
dir=$(mktemp -d)
pids=()
cleanup() {
  [ "${#pids[@]}" -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait
  rm -rf "$dir"
}
trap cleanup EXIT

# start NAME ARGUMENT…: starts a node and waits until it listens; its address is then in $address.
start() {
  local name=$1 line
  shift
  echo "\$ fogctl $*"
  mkfifo "$dir/$name"
  "$fogctl" "$@" >"$dir/$name" &
  pids+=($!)
  read -r line <"$dir/$name"
  echo "$line"
  address=127.0.0.1:${line##*:}
}

start cloud cloud --queue-backend file --queue-file "$dir/cloud.queue" --listen 127.0.0.1:0 --name the-cloud
cloud=$address
start fog fog --queue-backend file --queue-file "$dir/fog.queue" --no-discovery \
  --listen 127.0.0.1:0 --cloud "$cloud" --name this-fog
fog=$address

echo "\$ fogctl client --connect $fog --task medium --content 1"
"$fogctl" client --connect "$fog" --task medium --content 1

load="light=200/min,medium=40/min"
echo "\$ fogctl client --connect $fog --load $load --duration $duration"
"$fogctl" client --connect "$fog" --load "$load" --duration "$duration"

echo "\$ fogctl client --connect $fog --to-cloud --load heavy=20/min --duration $duration"
"$fogctl" client --connect "$fog" --to-cloud --load heavy=20/min --duration "$duration"
