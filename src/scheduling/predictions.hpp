// How well waits were predicted: what was expected when a task was placed, against what it then
// waited. Belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/string_hash.hpp"
#include "scheduling/actions.hpp"

namespace fogctl {

/// Mean and spread of errors, one after the other (Welford, "Note on a method for calculating
/// corrected sums of squares and products", Technometrics 1962).
class PredictionError {
 public:
  /// Actual - predicted: > 0, the task waited longer than was expected.
  void add(Duration error);
  [[nodiscard]] std::uint64_t tasks() const { return tasks_; }
  [[nodiscard]] Duration bias() const { return from_seconds(mean_); }
  /// The standard deviation of the errors; 0 before there are two.
  [[nodiscard]] Duration spread() const;

 private:
  std::uint64_t tasks_ = 0;
  double mean_ = 0;     // s
  double squares_ = 0;  // s^2, of what differs from the mean
};

class Predictions {
 public:
  /// Names that are kept; one more takes the place of the one that was measured longest ago.
  static constexpr std::size_t most_names = 1000;

  /// A task that was placed there has ended. `link`: a neighbour's.
  void add(std::string_view task_name, Site site, PeerId link, Duration error);
  /// The link is gone.
  void forget(PeerId link) { links_.erase(link); }

  [[nodiscard]] const PredictionError& here() const { return here_; }
  [[nodiscard]] const PredictionError& cloud() const { return cloud_; }
  [[nodiscard]] PredictionError of_link(PeerId link) const;
  /// By task name.
  [[nodiscard]] std::map<std::string, PredictionError> of_names() const;

 private:
  struct Named {
    PredictionError error;
    std::uint64_t added = 0;  // the number of the last addition
  };
  void forget_oldest();

  PredictionError here_;
  PredictionError cloud_;
  std::unordered_map<PeerId, PredictionError> links_;
  std::unordered_map<std::string, Named, StringHash, std::equal_to<>> names_;
  std::uint64_t additions_ = 0;
};

}  // namespace fogctl
