#include "queue/dead_set.hpp"

#include <utility>

namespace fogctl {

void DeadSet::add(DeadTask task, std::size_t most) {
  (void)take(task.task->uid);
  tasks_.push_back(std::move(task));
  by_uid_.emplace(tasks_.back().task->uid, std::prev(tasks_.end()));
  while (tasks_.size() > most) (void)take(std::string(tasks_.front().task->uid));
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
  return task;
}

}  // namespace fogctl
