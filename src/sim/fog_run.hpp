// One policy on one trace: every node is the Scheduler that production runs, with a queue in
// production's order and workers that only take time; links delay what passes, and nothing else
// does. One thread.
#pragma once

#include <cstdint>

#include "placement/placement.hpp"
#include "sim/tally.hpp"

namespace fogctl::sim {

/// `seed` is for the nodes' own draws.
[[nodiscard]] Tally run_fog(const Scenario& scenario, const Trace& trace, const Policy& policy,
                            std::uint64_t seed);

}  // namespace fogctl::sim
