# What the mesh's scripts share, beside support.sh: nodes that know one another, peers of the
# original system, slow links, and how long things took.
# shellcheck shell=bash source=tests/e2e/support.sh
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"
declare -A address_of=() host_of=()  # by name
declare -A home_of=()                # by host: its address
policy_flags=()                      # of the fog nodes: that of their default

# await NAME: until its first line comes, which must say where it listens; the address is then in
# $address and ${address_of[NAME]}.
await() {
  local name=$1 host=${host_of[$1]:-none} line
  wait_for "$name to listen" grep -q . "$dir/$name.out"
  line=$(head -n 1 "$dir/$name.out")
  case $line in
    "listening on 0.0.0.0:"*) address=${home_of[$host]:-127.0.0.1}:${line##*:} ;;
    "listening on "*) address=${line##* } ;;
    *) fail "$name said first: $line" ;;
  esac
  address_of[$name]=$address
}

# launch NAME COMMAND…: both.
launch() {
  spawn "$@"
  await "$1"
}

# start_mesh_fog NAME ARGUMENT…: a fog node on this machine that finds none but by --peer.
start_mesh_fog() {
  launch "$1" "$fogctl" fog --queue-backend memory --listen 127.0.0.1:0 --no-discovery \
    "${policy_flags[@]}" --name "$@"
}

# start_original NAME fog|cloud ARGUMENT…: a node of the original system, on this machine.
start_original() {
  local name=$1
  shift
  launch "$name" python3 "$here/original.py" "$@"
}

# end_original NAME…: ends nodes of the original system. Each fails if it was sent what it must not.
end_original() {
  local name
  for name; do
    stop "$name"
    [ "$status" -eq 0 ] || fail "$name, an original one: $(grep VIOLATION "$dir/$name.log")"
  done
}

# at NAME COMMAND…: runs a command on the host of a node.
at() {
  local host=${host_of[$1]:-}
  shift
  if [ -n "$host" ]; then on "$host" "$@"; else "$@"; fi
}

# nodes_of NAME: what a node says of itself and its neighbours, as JSON.
nodes_of() { at "$1" "$fogctl" nodes --connect "${address_of[$1]}" --json; }

# holds_at NAME EXPRESSION: true of that report, as `r`, with its neighbours by name as `n`.
holds_at() {
  nodes_of "$1" >"$dir/$1.nodes" 2>"$dir/$1.nodes.err" && python3 - "$dir/$1.nodes" "$2" <<'END'
import json, sys
r = json.load(open(sys.argv[1]))
n = {one["name"]: one for one in r["neighbours"]}
sys.exit(not eval(sys.argv[2]))
END
}

# is_mesh NAME…: each of them has all the others for neighbours, and nobody else.
is_mesh() {
  local name all
  all=$(printf '%s\n' "$@" | sort)
  for name; do
    [ "$(nodes_of "$name" | grep -oE '"name": ?"[^"]*"' | cut -d '"' -f 4 | sort -u)" = "$all" ] ||
      return 1
  done
}

# joined NAME OTHER, left NAME OTHER: the log of one says so of the other.
joined() { grep -qE "neighbour $2 \(.*\) joined" "$dir/$1.log"; }
left() { grep -qE "neighbour $2 \(.*\) left" "$dir/$1.log"; }

# start_clock, passed MILLISECONDS, took: the time since then, to wait for and for people.
start_clock() { begun=${EPOCHREALTIME/[.,]/}; }
passed() { [ $(((${EPOCHREALTIME/[.,]/} - begun) / 1000)) -ge "$1" ]; }
took() {
  local passed=$((${EPOCHREALTIME/[.,]/} - begun))
  printf '%d.%03d s' $((passed / 1000000)) $((passed / 1000 % 1000))
}

# start_proxy NAME ADDRESS:PORT [ARGUMENT…]: a link to there that is slow, or breaks; the proxy's
# address is then in $address. tell_proxy NAME COMMAND…: see proxy.py.
start_proxy() {
  local name=$1 to=$2
  shift 2
  mkfifo "$dir/$name.commands"
  launch "$name" python3 "$here/proxy.py" --to "$to" --commands "$dir/$name.commands" "$@"
}
tell_proxy() {
  local name=$1
  shift
  echo "$*" >"$dir/$name.commands"
  wait_for "$name to obey" grep -qx "obeyed $*" "$dir/$name.out"
}
