# Completion of fogctl for bash. Sourced by bash-completion from
# PREFIX/share/bash-completion/completions/fogctl, or by hand.
# shellcheck shell=bash

_fogctl_subcommands='fog cloud nodes explain plan worker client queue tasks simulate redis-check find-port help'

# The flags of a subcommand; "" is fogctl itself.
_fogctl_flags() {
  local redis='--host --port --redis --redis-user --redis-password-file'
  local queue='--queue --lease --drain-timeout --max-attempts --retry-delay --name --log-level --watchdog'
  queue+=' --tasks --result-ttl --max-dead --max-dead-bytes'
  local node='--queue-backend --queue-file --queue-sync --listen --workers --policy --record --max-message --patience'
  node+=' --max-queued --max-queued-bytes'
  local discovery='--multicast --multicast-ttl --interface --no-discovery'
  local mesh='--cloud --peer --no-fog --no-cloud --sharing-interval --max-neighbours'
  mesh+=' --overdue-factor --overdue-min --shadow-policy'
  case $1 in
    '') echo '--help --version' ;;
    simulate)
      echo '--help --trace --nodes --workers --link-delay --cloud-delay --policy --load --seeds --seed --sharing-interval --measure --jobs --plot --json'
      ;;
    redis-check) echo "--help $redis --json" ;;
    queue) echo "--help $redis --queue --connect --json" ;;
    tasks) echo "--help $redis --queue --connect $discovery --state --most --json" ;;
    find-port) echo '--help --from --to --count --host' ;;
    fog) echo "--help $redis $queue $node $discovery $mesh" ;;
    cloud) echo "--help $redis $queue $node" ;;
    nodes) echo "--help --connect $discovery --json" ;;
    explain) echo "--help --connect $discovery --json" ;;
    plan) echo "--help --task --content --class --requirement --to-cloud --connect $discovery --json" ;;
    worker) echo "--help $redis $queue --queue-backend --concurrency --policy --max-message" ;;
    client)
      echo "--help --connect $discovery --task --content --content-file --base64 --content-csv --class" \
        '--requirement --uid --to-cloud --repeat --load --duration --timeout --hedge' \
        '--no-retry --min-in-time --output --json'
      ;;
  esac
}

# The network interfaces of this machine.
_fogctl_interfaces() {
  local interface
  for interface in /sys/class/net/*; do
    echo "${interface##*/}"
  done
}

# What a subcommand can be told to do.
_fogctl_actions() {
  case $1 in
    queue) echo 'pause resume' ;;
    tasks) echo 'ls show cancel retry rm kinds' ;;
  esac
}

# Sets COMPREPLY to the values of flag $1 that begin with $2; fails where $1 takes no value.
_fogctl_values() {
  local words=''
  case $1 in
    --redis-password-file | --content-file | --content-csv | --redis | --queue-file | --tasks | --plot | --record | --trace)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$2")
      return 0
      ;;
    --host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$2") && return 0 ;;
    --interface) words=$(_fogctl_interfaces) ;;
    --queue-backend) words='redis memory file' ;;
    --queue-sync) words='normal full' ;;
    --log-level) words='debug info warning error off' ;;
    --policy | --shadow-policy) words='original original-edf deadline in-time' ;;
    --class) words='light medium heavy' ;;
    --state) words='queued delayed leased away dead' ;;
    --task) words='light medium heavy add echo sleep sum mean fail' ;;
    --json | --base64 | --to-cloud | --no-discovery | --no-fog | --no-cloud | --no-retry | --help | --version)
      return 1
      ;;
    --*) ;;
    *) return 1 ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$2")
}

_fogctl() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local subcommand=${COMP_WORDS[1]:-}
  COMPREPLY=()
  # --flag=value comes as three words.
  if [ "$current" = = ]; then
    current=''
  elif [ "$previous" = = ] && [ "$COMP_CWORD" -gt 2 ]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if [ "$COMP_CWORD" -le 1 ]; then
    mapfile -t COMPREPLY < <(
      compgen -W "$_fogctl_subcommands $(_fogctl_flags '')" -- "$current"
    )
  elif [ "$subcommand" = help ]; then
    mapfile -t COMPREPLY < <(compgen -W "${_fogctl_subcommands% help}" -- "$current")
  elif ! _fogctl_values "$previous" "$current"; then
    if [ "$subcommand" = simulate ] && [[ $current != -* ]]; then
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return 0
    fi
    mapfile -t COMPREPLY < <(
      compgen -W "$(_fogctl_actions "$subcommand") $(_fogctl_flags "$subcommand")" -- "$current"
    )
  fi
}

complete -F _fogctl fogctl
