# Several hosts on one machine, as network namespaces; with mesh.sh and support.sh. Host I has the
# address 10.77.NETWORK.I on each network that it is plugged into. The bridges have a namespace of
# their own, so nothing of the machine's network changes and scripts do not meet.
# shellcheck shell=bash source=tests/e2e/mesh.sh
source "$(dirname "${BASH_SOURCE[0]}")/mesh.sh"
switch=fogctl-$$  # the namespace of the bridges

# hosts N: hosts 1 to N, all on network 1.
hosts() {
  local host
  for ((host = 1; host <= $1; ++host)); do
    add_host "$host"
    plug "$host" 1
  done
}

# add_host HOST: one with no network but its own loopback.
add_host() {
  if ! ip netns pids "$switch" >/dev/null 2>&1 && ! ip netns add "$switch" 2>"$dir/netns"; then
    echo "skipped: no network namespaces here: $(cat "$dir/netns")"
    exit 77
  fi
  ip netns add "$switch-$1"
  ip -n "$switch-$1" link set lo up
  home_of[$1]=127.0.0.1
}

# plug HOST NETWORK: gives the host an interface, ethNETWORK; its first has the default route.
plug() {
  local host=$1 network=$2 space=$switch-$1
  if ! ip -n "$switch" link show "net$network" >/dev/null 2>&1; then
    ip -n "$switch" link add "net$network" type bridge mcast_snooping 0
    ip -n "$switch" link set "net$network" up
  fi
  ip link add "h$host.$network" netns "$switch" type veth peer name "eth$network" netns "$space"
  ip -n "$switch" link set "h$host.$network" master "net$network" up
  ip -n "$space" address add "10.77.$network.$host/24" dev "eth$network"
  ip -n "$space" link set "eth$network" up
  [ "${home_of[$host]}" = 127.0.0.1 ] || return 0
  home_of[$host]=10.77.$network.$host
  ip -n "$space" route add default dev "eth$network"
}

# on HOST COMMAND…: runs a command there.
on() {
  local host=$1
  shift
  ip netns exec "$switch-$host" "$@"
}

# cut_cable HOST [NETWORK]: takes its cable out, at the bridge's end. mend_cable: puts it back.
cut_cable() { ip -n "$switch" link set "h$1.${2:-1}" down; }
mend_cable() { ip -n "$switch" link set "h$1.${2:-1}" up; }

# spawn_on HOST NAME COMMAND…: as spawn, on a host. launch_on: as launch.
spawn_on() {
  local host=$1 name=$2
  shift 2
  host_of[$name]=$host
  spawn "$name" ip netns exec "$switch-$host" "$@"
}
launch_on() {
  spawn_on "$@"
  await "$2"
}

# start_on HOST NAME ARGUMENT…: a role of fogctl. start_fog_on: a fog node on the memory queue.
start_on() {
  local host=$1 name=$2
  shift 2
  launch_on "$host" "$name" "$fogctl" "$@"
}
start_fog_on() {
  local host=$1 name=$2
  shift 2
  start_on "$host" "$name" fog --queue-backend memory "${policy_flags[@]}" --name "$name" "$@"
}

# start_original_on HOST NAME fog|cloud ARGUMENT…: a node of the original system.
start_original_on() {
  local host=$1 name=$2
  shift 2
  launch_on "$host" "$name" python3 "$here/original.py" "$@"
}

more_cleanup() {
  local space
  for space in "$switch" "${!home_of[@]}"; do
    [ "$space" = "$switch" ] || space=$switch-$space
    ip netns pids "$space" 2>/dev/null | xargs -r kill -KILL 2>/dev/null || true
    ip netns delete "$space" 2>/dev/null || true
  done
}
