// The best that could be: one queue over all workers, which knows of every task at once and loses
// no time on the network. Earliest start-by first, late ones last; what can still make it to the
// cloud and back in time, and does not start before, goes there at the last moment. One thread.
#pragma once

#include "sim/tally.hpp"

namespace fogctl::sim {

[[nodiscard]] Tally run_ideal(const Scenario& scenario, const Trace& trace);

}  // namespace fogctl::sim
