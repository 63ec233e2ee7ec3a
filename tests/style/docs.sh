#!/usr/bin/env bash
# What --help says, the man pages and the completions must name the same subcommands and flags, and
# complete the values of a flag that takes one of a few. Usage: docs.sh FOGCTL [ROOT]
set -euo pipefail
fogctl=$(realpath "$1")
cd "${2:-$(dirname "$0")/../..}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

problems=0
problem() {
  echo "$1" >&2
  problems=$((problems + 1))
}

# compare WHAT HELP OTHER NAME: two lists, a word a line, in any order.
compare() {
  local word
  for word in $(comm -23 <(sort -u <<<"$2") <(sort -u <<<"$3")); do
    problem "$1: $word is in --help but not in $4"
  done
  for word in $(comm -13 <(sort -u <<<"$2") <(sort -u <<<"$3")); do
    problem "$1: $word is in $4 but not in --help"
  done
}

# Every source prints flags as --name, one a line; --help itself does not count.
flags() { grep -oE -- '^--[a-z][a-z-]*' | grep -vx -- --help || true; }

help_flags() { # SUBCOMMAND, or nothing for fogctl itself
  "$fogctl" "$@" --help | sed -nE 's/^  (-[a-z],)?(--[a-z-]+).*/\2/p' | flags
}

man_flags() { # PAGE
  grep -oE '^\.It Fl -[a-z-]+' "$1" | sed 's/^\.It Fl -/--/' | flags
}

bash_words() { # WORD... : what completes the last of them
  # shellcheck disable=SC2016
  bash --norc -c '
    source completions/fogctl.bash
    COMP_WORDS=(fogctl "$@")
    COMP_CWORD=$#
    _fogctl
    [ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}

zsh_specs() { # SUBCOMMAND: --flag=, or --flag where it takes no value, and its values in brackets
  # shellcheck disable=SC2016
  zsh -f -c '
    source completions/_fogctl
    specs=()
    _fogctl_options $1
    print -rl -- $specs' zsh "$1" | sed -E 's/^\(- \*\)//; s/\[[^]]*\]/ /'
}

fish_words() { # WORD... : what completes the last of them
  HOME=$work fish --no-config -c "source completions/fogctl.fish; complete -C '$*'" | cut -f 1
}

check_values() { # SUBCOMMAND: those that --help shows as a|b|c
  local flag values
  while read -r flag values; do
    values=${values//|/$'\n'}
    compare "$1 $flag" "$values" "$(bash_words "$1" "$flag" '')" completions/fogctl.bash
    compare "$1 $flag" "$values" "$(fish_words fogctl "$1" "$flag" '')" completions/fogctl.fish
    compare "$1 $flag" "$values" \
      "$(zsh_specs "$1" | sed -nE "s/^$flag= .*\((.*)\)\$/\1/p" | tr ' ' '\n')" completions/_fogctl
  done < <("$fogctl" "$1" --help | sed -nE 's/^  (--[a-z-]+) ([a-z-]+(\|[a-z-]+)+)( .*)?$/\1 \2/p')
}

check_subcommand() { # SUBCOMMAND
  local flags page=man/fogctl-$1.1
  flags=$(help_flags "$1")
  [ -n "$flags" ] || problem "$1: --help shows no flags"
  if [ -f "$page" ]; then
    compare "$1" "$flags" "$(man_flags "$page")" "$page"
  else
    problem "$1: there is no $page"
  fi
  compare "$1" "$flags" "$(bash_words "$1" -- | flags)" completions/fogctl.bash
  compare "$1" "$flags" "$(zsh_specs "$1" | flags)" completions/_fogctl
  compare "$1" "$flags" "$(fish_words fogctl "$1" -- | flags)" completions/fogctl.fish
  "$fogctl" "$1" --help | sed -n '/^Example:$/,$p' | grep -q "^  .*fogctl $1" ||
    problem "$1: --help does not end with an example"
  check_values "$1"
}

subcommands=$("$fogctl" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
[ -n "$subcommands" ] || problem "fogctl --help shows no subcommands"
compare fogctl "$subcommands" "$(sed -n 's/^\.It Cm //p' man/fogctl.1)" man/fogctl.1
compare fogctl "$subcommands" "$(bash_words '' | grep -v -e ^- -e '^help$')" \
  completions/fogctl.bash
compare fogctl "$subcommands" "$(fish_words fogctl '' | grep -v -e ^- -e '^help$')" \
  completions/fogctl.fish
compare fogctl "$subcommands" \
  "$(sed -n "/subcommands=(/,/^  )/s/^    '\([a-z-]*\):.*/\1/p" completions/_fogctl |
    grep -vx help)" completions/_fogctl
compare fogctl "$(help_flags)" "$(man_flags man/fogctl.1)" man/fogctl.1
compare fogctl "$(help_flags)" "$(bash_words -- | flags)" completions/fogctl.bash
for subcommand in $subcommands; do
  check_subcommand "$subcommand"
done
for page in man/fogctl-*.1; do
  name=${page#man/fogctl-}
  grep -qx -- "${name%.1}" <<<"$subcommands" || problem "$page: no such subcommand"
done
keys=$(grep -oE 'Key\{"[a-z_]+"' src/programs/task_file.cpp | cut -d '"' -f 2)
[ -n "$keys" ] || problem "src/programs/task_file.cpp has no keys"
described=$(sed -n '/^\.Ss Keys/,/^\.Ss Mistakes/s/^\.It Li //p' man/fogctl-taskfile.5)
[ "$(sort <<<"$keys")" = "$(sort <<<"$described")" ] ||
  problem "the keys of man/fogctl-taskfile.5 are not those of src/programs/task_file.cpp:
$(diff <(sort <<<"$keys") <(sort <<<"$described"))"
for page in man/*.[0-9]; do
  mandoc -T lint -W warning "$page" >"$work/lint" || problem "$(cat "$work/lint")"
done

[ "$problems" -eq 0 ] || { echo "docs: $problems problems" >&2; exit 1; }
echo "docs: $(wc -w <<<"$subcommands") subcommands, help, man pages and completions agree"
