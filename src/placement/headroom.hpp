// What the policies that look at the slack have in common: how much of it is left where a task
// would run. Pure; any thread.
#pragma once

#include "placement/placement.hpp"

namespace fogctl {

/// What is left of the slack when the task starts there; may be negative.
[[nodiscard]] Duration mean_headroom(const Candidate& candidate, Duration slack);

/// In 95 of 100 cases; for a task that was handed on before in the mean, since another hop costs
/// more of its slack than certainty would save.
[[nodiscard]] bool starts_in_time_here(const Task& task, const ClusterView& view);

/// The task may be handed to neighbours.
[[nodiscard]] bool is_open(const Task& task, const ClusterView& view);

/// A neighbour that starts it in time in 69 of 100 cases, drawn with a probability in proportion
/// to what it leaves of the slack then: the best for all would be too much for it. Null: there is
/// none. Nodes of the original system take no copies.
enum class Handing : std::uint8_t { task, copy };
[[nodiscard]] const Candidate* drawn_neighbour(const Task& task, const ClusterView& view,
                                               std::uint64_t draw, Handing what);

/// The task goes to one place.
[[nodiscard]] Plan plan_of(const Candidate& candidate, std::string_view reason);

}  // namespace fogctl
