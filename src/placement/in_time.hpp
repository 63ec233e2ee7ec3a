// Placement in time, by tied copies: what may be late here waits at neighbours as well. Pure.
#pragma once

#include "placement/placement.hpp"

namespace fogctl {

/// Assumptions: those of place_by_deadline; in addition a task that waits here can wait at
/// neighbours too, its copies; the first that a worker begins cancels the others, which takes a
/// link delay. Nobody's estimate has to be right: a copy costs two or three messages, a wrong guess
/// a task that is late.
/// Rules:
/// 1. A copy runs here or nowhere. What must not run twice (exclusive), is out of hand-overs, asks
///    for the cloud or cannot run here is placed by place_by_deadline.
/// 2. Here alone, if the wait is within the slack: mean + 1.645 deviations for light tasks; + 2.5
///    for others, which cost little more when they are copied and much when the cloud has them.
/// 3. Else here, and a copy at one neighbour, for light tasks at up to three, one after another:
///    the task is looked at again when the answer of the last one could have come twice, so that
///    two idle neighbours do not both begin it; soon after it could have come once where that
///    neighbour has one worker, which is seldom free. Others have one copy: what they run twice
///    weighs more.
///    The neighbour is the nearer of two that place_by_deadline's rule 3 draws, as the shorter link
///    cancels sooner; where that rule draws none, any one: what is known of it may be old.
/// 4. Where no neighbour takes copies, being of the original system or of another policy, one of
///    them gets the task if the original rule says so.
[[nodiscard]] Plan place_in_time(const Task& task, const ClusterView& view, const Tuning& tuning,
                                 std::uint64_t draw);

/// How much certain slack is left there: rule 2, and for other places place_by_deadline's.
[[nodiscard]] Duration headroom_in_time(const Task& task, const ClusterView& view,
                                        const Candidate& candidate);

}  // namespace fogctl
