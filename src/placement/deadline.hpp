// Placement by the deadline: where would the task start in time with some certainty? Pure.
#pragma once

#include "placement/placement.hpp"

namespace fogctl {

/// Assumptions: queues serve the earliest start-by first, those that are late last. A candidate's
/// start_wait is what a task of this urgency waits there (list scheduling over the mean execution
/// times; what this node sent there since the last report is added), spread about normally; so in
/// 95 of 100 cases it waits no longer than p95 = mean + 1.645 deviations, in 69 no longer than
/// p69 = mean + half of one.
/// Rules, by the slack that is left:
/// 1. cloud_processing goes to the cloud, if there is one.
/// 2. Here, if p95 <= slack; for a task that was handed on before the mean, since another hop costs
///    more of its slack than certainty would save.
/// 3. A neighbour with p69 <= slack - round trip, drawn with a probability in proportion to its
///    headroom, the difference: the best for all would be too much for it. The test is milder than
///    here, as a report's age spreads more than the wait, and it leaves more to draw from.
/// 4. The cloud, if its round trip <= slack.
/// 5. Where the mean wait leaves the most of the slack; here, if nothing does.
[[nodiscard]] Plan place_by_deadline(const Task& task, const ClusterView& view,
                                     const Tuning& tuning, std::uint64_t draw);

/// Slack less what rules 2 to 4 hold against it: p95 here, p69 and the way to a neighbour, the way
/// to the cloud.
[[nodiscard]] Duration headroom_by_deadline(const Task& task, const ClusterView& view,
                                            const Candidate& candidate);

}  // namespace fogctl
