#include "queue/dead_set.hpp"

#include <utility>

#include "queue/record.hpp"

namespace fogctl {
namespace {

std::size_t bytes_of(const DeadTask& dead) {
  return record_size(*dead.task) + record_size(dead.result);
}

}  // namespace

void DeadSet::add(DeadTask task, const QueueLimits& limits) {
  (void)take(task.task->uid);
  const std::size_t bytes = bytes_of(task);
  if (bytes > limits.max_dead_bytes) return;
  bytes_ += bytes;
  tasks_.push_back(std::move(task));
  by_uid_.emplace(tasks_.back().task->uid, std::prev(tasks_.end()));
  while (tasks_.size() > limits.max_dead || bytes_ > limits.max_dead_bytes) {
    (void)take(std::string(tasks_.front().task->uid));
  }
}

std::vector<DeadTask> DeadSet::newest(std::size_t most) const {
  std::vector<DeadTask> found;
  for (auto task = tasks_.rbegin(); task != tasks_.rend() && found.size() < most; ++task) {
    found.push_back(*task);
  }
  return found;
}

std::optional<DeadTask> DeadSet::take(const std::string& uid) {
  const auto found = by_uid_.find(uid);
  if (found == by_uid_.end()) return std::nullopt;
  const auto place = found->second;
  by_uid_.erase(found);
  DeadTask task = std::move(*place);
  tasks_.erase(place);
  bytes_ -= bytes_of(task);
  return task;
}

}  // namespace fogctl
