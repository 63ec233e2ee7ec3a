"""Tables of what `fogctl simulate --json` found, beside the aims.
usage: simulate_suite.py suite FILE | simulate_suite.py intervals FILE...   (named by their seconds)
"""
import json
import os
import sys

# What a separate simulation of the rule `original` shows, in per cent, by scenario and load.
ORIGINAL = {
    "uniform20": {0.7: 53.6, 0.9: 27.2, 0.95: 20.4, 1.1: 10.3},
    "hotspot5": {0.5: 99.1, 0.7: 88.9, 0.9: 48.5, 1.1: 8.5},
    "hotspot20": {0.9: 24.2}, "hotspot5x1": {0.8: 63.1}, "flash20": {0.5: 21.1},
    "fail10": {0.6: 79.4}, "outage5": {0.9: 40.7}, "hetero20": {0.8: 48.4},
    "heavytail20": {0.8: 51.3}, "bursty20": {0.7: 50.0}, "stall20": {0.7: 50.7},
    "freeze20": {0.7: 49.1},
}
NEAR = 5  # points; 5 seeds of the scenarios with bursts or deaths spread by as much


def in_time(policy):
    return 100 * policy["in_time"]["mean"]


def share_wanted(scenario, load):
    """Of the ideal's tasks in time, in per cent."""
    if load > 1:
        return 98
    return {"hotspot5x1": 94, "outage5": 98.5}.get(scenario, 99)


def misses_of_in_time(scenario, load, policy, ideal):
    share = 100 * in_time(policy) / in_time(ideal)
    wanted = share_wanted(scenario, load)
    if share < wanted:
        yield f"share of ideal < {wanted}"
    if 100 * (policy["cloud"] - ideal["cloud"]) > 2.5:
        yield "cloud > ideal's + 2.5"
    most = 8 if load > 1 else 5
    if 100 * policy["duplicate_work"] > most:
        yield f"double > {most}"
    if policy["messages_per_task"] > 4.5:
        yield "messages > 4.5"


def misses(scenario, load, policy, ideal):
    if policy["policy"] == "in-time":
        yield from misses_of_in_time(scenario, load, policy, ideal)
    expected = ORIGINAL.get(scenario, {}).get(load)
    is_far = expected is not None and abs(in_time(policy) - expected) > NEAR
    if policy["policy"] == "original" and is_far:
        yield f"not {expected} ± {NEAR}"


def print_suite(path):
    print(f"{'scenario':12} {'load':>5} {'policy':13} {'in time %':>9} {'±':>5} {'of ideal %':>10} "
          f"{'cloud %':>7} {'double %':>8} {'messages':>8}   misses")
    with open(path, encoding="utf-8") as file:
        runs = json.load(file)["runs"]
    for run in runs:
        ideal = run["policies"][-1]
        for policy in run["policies"]:
            missed = ", ".join(misses(run["scenario"], run["load"], policy, ideal))
            print(f"{run['scenario']:12} {run['load']:5} {policy['policy']:13} "
                  f"{in_time(policy):9.2f} {100 * policy['in_time']['plus_minus']:5.2f} "
                  f"{100 * in_time(policy) / in_time(ideal):10.2f} {100 * policy['cloud']:7.2f} "
                  f"{100 * policy['duplicate_work']:8.2f} {policy['messages_per_task']:8.2f}   "
                  f"{'NO: ' + missed if missed else ''}".rstrip())


def print_intervals(paths):
    seen = {"original": [], "in-time": []}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for policy in json.load(file)["runs"][0]["policies"]:
                seen.get(policy["policy"], []).append(in_time(policy))
    print(f"{'shared every, s':16}" + "".join(f"{os.path.basename(path):>8}" for path in paths))
    for name, rates in seen.items():
        print(f"{name:16}" + "".join(f"{rate:8.2f}" for rate in rates))
    spread = max(seen["in-time"]) - min(seen["in-time"])
    print(f"in-time varies by {spread:.2f} points (aim 0.5): {'yes' if spread <= .5 else 'NO'}")
    falls = seen["original"][0] - seen["original"][-1]
    print(f"original falls by {falls:.2f} points from the first to the last")


if __name__ == "__main__":
    if sys.argv[1] == "suite":
        print_suite(sys.argv[2])
    else:
        print_intervals(sys.argv[2:])
