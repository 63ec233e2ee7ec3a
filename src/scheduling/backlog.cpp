#include "scheduling/backlog.hpp"

#include <numeric>

#include "base/check.hpp"

namespace fogctl {

void Backlog::remove(TaskClass weight) {
  FOGCTL_CHECK(own_[index_of(weight)] > 0);
  --own_[index_of(weight)];
}

void Backlog::set_queue(const QueueBacklog& load) {
  workers_ = load.workers;
  is_paused_ = load.is_paused;
  running_ = load.running;
  for (std::size_t i = 0; i < task_class_count; ++i) {
    foreign_[i] = load.tasks[i] > own_[i] ? load.tasks[i] - own_[i] : 0;
  }
}

std::size_t Backlog::tasks() const {
  return std::accumulate(own_.begin(), own_.end(), std::size_t{0}) +
         std::accumulate(foreign_.begin(), foreign_.end(), std::size_t{0});
}

Duration Backlog::expected_wait(const ExecutionEstimates& estimates) const {
  FOGCTL_CHECK(workers_ > 0);
  // In seconds: a million tasks of a day each are more nanoseconds than a Duration holds.
  double work = 0;
  for (const TaskClass weight : task_classes) {
    const std::size_t tasks = own_[index_of(weight)] + foreign_[index_of(weight)];
    work += to_seconds(estimates.of(weight)) * static_cast<double>(tasks);
  }
  return from_seconds(work / static_cast<double>(workers_));
}

}  // namespace fogctl
