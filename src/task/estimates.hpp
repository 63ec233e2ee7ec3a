// What a task of each class is expected to take, learned from those that finished.
// Belongs to one thread. The formula is the original system's (protocol.md, "The original
// placement rule"): 0 before any; the newest if it is the first; 0.7 new + 0.3 previous for the
// second; from then on 0.5, 0.3 and 0.2 of the newest three.
#pragma once

#include <array>

#include "task/task.hpp"

namespace fogctl {

using ClassDurations = std::array<Duration, task_class_count>;

class ExecutionEstimates {
 public:
  /// Learn from a task that ran for `execution_time`.
  void add(TaskClass weight, Duration execution_time);
  [[nodiscard]] Duration of(TaskClass weight) const { return estimates_[index_of(weight)]; }
  [[nodiscard]] const ClassDurations& all() const { return estimates_; }
  /// How many finished tasks of the class were seen, up to 3.
  [[nodiscard]] int seen(TaskClass weight) const { return history_[index_of(weight)].count; }

 private:
  struct History {
    Duration newest{};
    Duration previous{};
    int count = 0;
  };
  std::array<History, task_class_count> history_{};
  ClassDurations estimates_{};
};

}  // namespace fogctl
