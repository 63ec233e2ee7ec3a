// What fogctl simulate writes: a table for each scenario, or one JSON object with the same figures,
// and on a terminal a bar while it runs. Main thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sim/experiment.hpp"

namespace fogctl::cli {

/// `summaries` are in the order of the scenarios.
[[nodiscard]] std::string simulate_table(const std::vector<sim::Scenario>& scenarios,
                                         const std::vector<sim::LoadSummary>& summaries);

/// One line. Times in seconds (…_s), shares and rates from 0 to 1.
[[nodiscard]] std::string simulate_json(const std::vector<sim::LoadSummary>& summaries);

/// A bar on standard error, where that is a terminal; it is gone when this is.
class SimulateProgress {
 public:
  explicit SimulateProgress(std::size_t all);
  ~SimulateProgress();
  SimulateProgress(const SimulateProgress&) = delete;
  SimulateProgress& operator=(const SimulateProgress&) = delete;
  void show(std::size_t done);

 private:
  std::size_t all_;
  bool is_terminal_;
};

}  // namespace fogctl::cli
