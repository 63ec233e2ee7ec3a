#include "task/estimates.hpp"

#include <algorithm>

namespace fogctl {
namespace {

/// Σ tenths·length / 10, in whole nanoseconds: equal on every machine.
Duration weighted(int a, Duration x, int b, Duration y, int c = 0, Duration z = {}) {
  return (a * x + b * y + c * z) / 10;
}

}  // namespace

void Estimate::add(Duration execution_time) {
  if (runs_ == 0) {
    value_ = execution_time;
  } else if (runs_ == 1) {
    value_ = weighted(7, execution_time, 3, newest_);
  } else {
    value_ = weighted(5, execution_time, 3, newest_, 2, previous_);
  }
  previous_ = newest_;
  newest_ = execution_time;
  ++runs_;
}

void ExecutionEstimates::add(TaskClass weight, Duration execution_time) {
  Estimate& estimate = estimates_[index_of(weight)];
  estimate.add(execution_time);
  values_[index_of(weight)] = estimate.value();
}

void TaskEstimates::add(const Task& task, Duration execution_time) {
  classes_.add(task.weight, execution_time);
  auto found = names_.find(std::string_view(task.name));
  if (found == names_.end()) {
    if (names_.size() >= most_names) forget_oldest();
    found = names_.emplace(task.name, Named{}).first;
  }
  found->second.estimate.add(execution_time);
  found->second.added = ++additions_;
}

Duration TaskEstimates::of(const Task& task) const {
  const Estimate* named = find(task.name);
  return named == nullptr ? classes_.of(task.weight) : named->value();
}

const Estimate* TaskEstimates::find(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : &found->second.estimate;
}

void TaskEstimates::forget_oldest() {
  const auto oldest =
      std::ranges::min_element(names_, {}, [](const auto& item) { return item.second.added; });
  names_.erase(oldest);
}

}  // namespace fogctl
