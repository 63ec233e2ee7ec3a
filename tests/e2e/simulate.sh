#!/usr/bin/env bash
# fogctl simulate compares policies: the same bytes for the same seeds, however many run at a time;
# figures that add up, a plot that is one; and what is wrong with a scenario is said, and where.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
scenario=$(dirname "$0")/../../bench/scenarios/hotspot5.toml

# simulate ARGUMENT…: a few seconds of it.
simulate() {
  timeout 120 "$fogctl" simulate "$scenario" --measure 3s "$@"
}

simulate --seeds 3 --load 0.5,0.9 --jobs 1 --json --plot "$dir/plot.svg" >"$dir/one"
simulate --seeds 3 --load 0.5,0.9 --jobs 3 --json >"$dir/three"
cmp "$dir/one" "$dir/three" || fail "other figures with other --jobs"
simulate --seeds 3 --load 0.5,0.9 --json --seed 2 >"$dir/other"
! cmp -s "$dir/one" "$dir/other" || fail "the same figures with other seeds"

python3 - "$dir" <<'EOF' || fail "the figures or the plot are not as they should be"
import json, sys, xml.dom.minidom
runs = json.load(open(sys.argv[1] + "/one"))["runs"]
assert [(run["scenario"], run["load"]) for run in runs] == [("hotspot5", .5), ("hotspot5", .9)]
for run in runs:
    names = [policy["policy"] for policy in run["policies"]]
    assert names == ["original", "original-edf", "deadline", "in-time", "ideal"], names
    for policy in run["policies"]:
        assert abs(policy["local"] + policy["neighbour"] + policy["cloud"] - 1) < 1e-9
        assert policy["lost"] == 0 and policy["tasks"] > 500
        assert 0 <= policy["in_time"]["mean"] <= 1 and policy["in_time"]["plus_minus"] >= 0
        assert policy["waiting_p50_s"] <= policy["waiting_p95_s"] <= policy["waiting_p99_s"]
assert runs[1]["policies"][0]["in_time"]["plus_minus"] > 0
rates = {policy["policy"]: policy["in_time"]["mean"] for policy in runs[1]["policies"]}
assert rates["original"] < rates["original-edf"] < rates["ideal"], rates
assert rates["original"] < rates["deadline"] < rates["in-time"] <= rates["ideal"], rates
svg = xml.dom.minidom.parse(sys.argv[1] + "/plot.svg")
assert sum(text.firstChild.data == "deadline" for text in svg.getElementsByTagName("text")) == 1
EOF

simulate --seeds 1 --load 0.9 --policy original >"$dir/table"
grep -q '^hotspot5: 5 nodes' "$dir/table" || fail "no heading: $(cat "$dir/table")"
[ "$(grep -cE '^(original|ideal) ' "$dir/table")" -eq 2 ] || fail "rows: $(cat "$dir/table")"

# refused STATUS TEXT ARGUMENT…: it ends with that status, and says that on standard error.
refused() {
  local status=0 want=$1 text=$2
  shift 2
  timeout 60 "$fogctl" simulate "$@" >"$dir/out" 2>"$dir/err" || status=$?
  [ "$status" -eq "$want" ] || fail "simulate $*: status $status, not $want: $(cat "$dir/err")"
  grep -qF -- "$text" "$dir/err" || fail "simulate $*: says not '$text': $(cat "$dir/err")"
}
printf '[nodes]\ncuont = 5\n' >"$dir/slip.toml"
printf 'loads = [\n' >"$dir/broken.toml"
refused 1 "slip.toml:2: 'nodes.cuont' is not known here; there are count" "$dir/slip.toml"
refused 1 "broken.toml:1: Error while parsing array" "$dir/broken.toml"
refused 1 "cannot read scenario $dir/none.toml" "$dir/none.toml"
refused 1 "cannot read scenario $dir:" "$dir"
refused 1 "cannot write the plot to $dir/no/plot.svg" "$scenario" --measure 1s --seeds 1 \
  --load 0.5 --plot "$dir/no/plot.svg"
[ ! -s "$dir/out" ] || fail "it simulated before it tried to open the plot"
refused 1 "another scenario is named 'hotspot5', too" "$scenario" "$scenario"
printf '[nodes]\ncount = 100000\nworkers = 1024\n' >"$dir/huge.toml"
refused 1 "huge at load 0.9: 1.34e+11 tasks would come, more than 1e+09 cannot be simulated" \
  "$dir/huge.toml"
: >"$dir/empty.toml"
timeout 60 "$fogctl" simulate "$dir/empty.toml" --measure 1s --seeds 1 --policy original \
  >"$dir/out" || fail "an empty scenario is one node"
refused 2 "'1e30' is not from 1ms to 24h" "$scenario" --measure 1e30
refused 2 "'0' is not from 1ms to 24h" "$scenario" --sharing-interval 0
refused 2 "'25h' is not from 0us to 24h" --trace none --link-delay 25h
refused 2 "--nodes, --workers, --link-delay and --cloud-delay are for a --trace" "$scenario" \
  --link-delay 1ms
refused 2 "there is no policy 'best'; there are original, original-edf, deadline, in-time" \
  "$scenario" --policy best
refused 2 "--load" "$scenario" --load 99
refused 2 "'0' is not a number from 1 to 1000" "$scenario" --seeds 0
refused 2 "SCENARIO is required, or --trace" --seeds 1
