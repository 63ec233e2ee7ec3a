#include "client/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fogctl {
namespace {

std::optional<double> ratio(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

RanAt site_of(std::string_view process_by, int offload_times) {
  if (process_by == "local") return RanAt::local;
  if (process_by == "fog") return RanAt::neighbour;
  if (process_by == "cloud") return RanAt::cloud;
  return offload_times > 0 ? RanAt::neighbour : RanAt::local;
}

Duration waiting_time(Duration response, Duration execution) {
  return std::max(response - execution, Duration::zero());
}

void Statistics::add_done(const DoneTask& task) {
  const Duration waiting = waiting_time(task.response, task.execution);
  response_.add(task.response);
  waiting_s_ += to_seconds(waiting);
  if (waiting <= task.requirement) ++in_time_;
  ++run_[static_cast<std::size_t>(task.site)];
}

void Statistics::merge(const Statistics& other) {
  sent_ += other.sent_;
  failed_ += other.failed_;
  lost_ += other.lost_;
  in_time_ += other.in_time_;
  for (std::size_t i = 0; i < site_count; ++i) run_[i] += other.run_[i];
  waiting_s_ += other.waiting_s_;
  response_.merge(other.response_);
}

std::optional<Duration> Statistics::mean_waiting() const {
  if (done() == 0) return std::nullopt;
  return from_seconds(waiting_s_ / static_cast<double>(done()));
}

std::optional<double> Statistics::in_time_rate() const {
  return ratio(in_time_, sent_);
}

std::optional<double> Statistics::in_time_rate_so_far() const {
  return ratio(in_time_, sent_ - in_flight());
}

std::optional<double> Statistics::share_run(RanAt site) const {
  return ratio(run_[static_cast<std::size_t>(site)], done());
}

std::string percent_text(double share) {
  if (share >= 1) return "100%";
  if (share <= 0) return "0%";
  constexpr double rounding_error = 1e-9;
  return fmt::format("{:.1f}%", std::floor(share * 1000 + rounding_error) / 10);
}

}  // namespace fogctl
