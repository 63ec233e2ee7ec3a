// What the policies that look at the slack have in common. Pure; any thread.
#pragma once

#include "placement/placement.hpp"

namespace fogctl {

enum class Handing : std::uint8_t { task, copy };

/// A neighbour with some headroom_by_deadline, drawn with a probability in proportion to it: the
/// best for all would be too much for it. Null: there is none. Not every node takes copies.
[[nodiscard]] const Candidate* drawn_neighbour(const Task& task, const ClusterView& view,
                                               std::uint64_t draw, Handing what);

/// The task goes to one place.
[[nodiscard]] Plan plan_of(const Candidate& candidate, std::string_view reason);

}  // namespace fogctl
