// Mean and variance of what tasks of each class take, of about the last hundred. Belongs to one
// thread.
#pragma once

#include <array>

#include "task/task.hpp"

namespace fogctl {

struct Moments {
  double mean = 0;      // s
  double variance = 0;  // s^2
};

class ExecutionMoments {
 public:
  /// Learn from a task that ran for `execution_time`.
  void add(TaskClass weight, Duration execution_time);
  /// Zero before any.
  [[nodiscard]] const Moments& of(TaskClass weight) const { return of_class_[index_of(weight)]; }

 private:
  std::array<Moments, task_class_count> of_class_{};
  std::array<int, task_class_count> seen_{};
};

}  // namespace fogctl
