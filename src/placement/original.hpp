// The original system's placement rule (protocol.md, "The original placement rule"). Pure.
#pragma once

#include "placement/placement.hpp"

namespace fogctl {

/// Assumptions: W, the expected wait here, is Σ tasks × estimated execution time / workers; a
/// neighbour's is what it last reported. Rules, W against R = time_requirement, F = the best
/// neighbour's reported wait + link delay among those that have not handed the task on
/// (has_handed_on):
/// 1. cloud_processing goes to the cloud, if there is one.
/// 2. fog on:  W <= R here. Else, out of hand-overs or W <= F: heavy to the cloud, if there is
///    one; the others here. Else the best neighbour.
/// 3. fog off: heavy with W >= R to the cloud, if there is one; all else here.
/// Added to the original: where "here" cannot be had, a neighbour, else the cloud, else nowhere.
[[nodiscard]] Plan place_by_original_rule(const Task& task, const ClusterView& view,
                                          const Tuning& tuning, std::uint64_t draw);

/// R less W here, R less F's sum with a neighbour.
[[nodiscard]] Duration headroom_by_original_rule(const Task& task, const ClusterView& view,
                                                 const Candidate& candidate);

}  // namespace fogctl
