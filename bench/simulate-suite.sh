#!/usr/bin/env bash
# Every scenario of bench/scenarios with every policy, 5 seeds: what each reaches, and what misses
# its aim. Then hotspot20 with state shared every 0.1 to 10 s. It takes minutes.
# usage: bench/simulate-suite.sh BUILD_FOLDER      SEEDS=5
set -euo pipefail
fogctl=$1/fogctl
bench=$(cd "$(dirname "$0")" && pwd)
seeds=${SEEDS:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
TIMEFORMAT="%R s, %U s of processor time: half of that on two cores (aim 600 s)"

{ time "$fogctl" simulate "$bench"/scenarios/*.toml --seeds "$seeds" --json >"$dir/suite"; } \
  2>"$dir/time"
python3 "$bench/simulate_suite.py" suite "$dir/suite"
echo "the suite took $(cat "$dir/time")"

intervals=(0.1 0.3 1 3 10)
for interval in "${intervals[@]}"; do
  "$fogctl" simulate "$bench/scenarios/hotspot20.toml" --policy original,in-time \
    --sharing-interval "${interval}s" --seeds "$seeds" --json >"$dir/$interval"
done
echo
python3 "$bench/simulate_suite.py" intervals "${intervals[@]/#/$dir/}"
