// Policies compared: each cell is one scenario at one load with one seed, on which every policy
// and the ideal run with the same trace. Cells share nothing, so that a caller may run them on
// several threads; a summary adds the seeds up in their order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "placement/placement.hpp"
#include "sim/tally.hpp"

namespace fogctl::sim {

/// The tallies of one cell: a policy each, in the order in which they were given, then the ideal.
[[nodiscard]] std::vector<Tally> run_cell(const Scenario& scenario, double load,
                                          std::span<const Policy* const> policies,
                                          std::uint64_t seed);

/// A mean over seeds, and half of its 95 % confidence interval; that is 0 for a single seed.
struct Estimate {
  double mean = 0;
  double half_width = 0;
};
[[nodiscard]] Estimate estimate_of(std::span<const double> values);

struct PolicySummary {
  std::string policy;
  Estimate in_time;  // a rate from 0 to 1, like all below
  std::array<Estimate, task_class_count> of_class{};
  std::array<double, 3> ran{};  // share by RanAt, of the answered
  Duration wait_p50{};
  Duration wait_p95{};
  Duration wait_p99{};
  double messages = 0;   // a task
  double duplicate = 0;  // executed for nothing / executed for a first result
  std::uint64_t lost = 0;
  std::uint64_t tasks = 0;  // measured
  std::uint64_t events = 0;
};

/// `seeds` are the tallies of one policy, a seed each.
[[nodiscard]] PolicySummary summarize(std::string policy, std::span<const Tally> seeds);

/// All policies on one scenario at one load.
struct LoadSummary {
  std::string scenario;
  double load = 0;
  std::vector<PolicySummary> policies;  // the ideal last
};

}  // namespace fogctl::sim
