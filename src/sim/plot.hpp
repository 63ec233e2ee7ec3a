// A drawing of in-time rates over load, as SVG text. Pure; any thread.
#pragma once

#include <span>
#include <string>

#include "sim/experiment.hpp"

namespace fogctl::sim {

/// One panel a scenario, one line a policy, a mark for each load with its confidence interval.
[[nodiscard]] std::string plot_in_time(std::span<const LoadSummary> summaries);

}  // namespace fogctl::sim
