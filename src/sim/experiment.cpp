#include "sim/experiment.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/fog_run.hpp"
#include "sim/ideal.hpp"

namespace fogctl::sim {
namespace {

/// Student's t, two-sided 95 %, by degrees of freedom from 1; beyond the table it changes little.
constexpr std::array<double, 30> t_95 = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                         2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                         2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                                         2.060,  2.056, 2.052, 2.048, 2.045, 2.042};

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double rate_of(const ClassTally& tally) {
  return share(tally.in_time, tally.tasks);
}

}  // namespace

std::vector<Tally> run_cell(const Scenario& scenario, double load,
                            std::span<const Policy* const> policies, std::uint64_t seed) {
  const Trace trace = draw_trace(scenario, load, seed);
  std::vector<Tally> tallies;
  for (const Policy* policy : policies) {
    tallies.push_back(run_fog(scenario, trace, *policy, seed));
  }
  tallies.push_back(run_ideal(scenario, trace));
  return tallies;
}

Estimate estimate_of(std::span<const double> values) {
  Estimate estimate;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) estimate.mean += value / count;
  if (values.size() < 2) return estimate;
  double squares = 0;
  for (const double value : values) {
    squares += (value - estimate.mean) * (value - estimate.mean);
  }
  const double t = t_95[std::min(values.size() - 1, t_95.size()) - 1];
  estimate.half_width = t * std::sqrt(squares / (count - 1) / count);
  return estimate;
}

PolicySummary summarize(std::string policy, std::span<const Tally> seeds) {
  PolicySummary summary;
  summary.policy = std::move(policy);
  Tally sum;
  std::vector<double> rates;
  std::array<std::vector<double>, task_class_count> class_rates;
  for (const Tally& tally : seeds) {
    sum.add(tally);
    rates.push_back(rate_of(tally.all()));
    for (std::size_t i = 0; i < task_class_count; ++i) {
      class_rates[i].push_back(rate_of(tally.classes[i]));
    }
  }
  summary.in_time = estimate_of(rates);
  const std::uint64_t answered = sum.ran[0] + sum.ran[1] + sum.ran[2];
  for (std::size_t i = 0; i < task_class_count; ++i) {
    summary.of_class[i] = estimate_of(class_rates[i]);
    summary.ran[i] = share(sum.ran[i], answered);
  }
  summary.wait_p50 = sum.waits.quantile(.5);
  summary.wait_p95 = sum.waits.quantile(.95);
  summary.wait_p99 = sum.waits.quantile(.99);
  summary.messages = share(sum.messages, sum.all_tasks);
  const Duration useful = sum.executed - sum.wasted;
  if (useful > Duration::zero()) summary.duplicate = to_seconds(sum.wasted) / to_seconds(useful);
  summary.lost = sum.lost;
  summary.tasks = sum.all().tasks;
  summary.events = sum.events;
  return summary;
}

}  // namespace fogctl::sim
