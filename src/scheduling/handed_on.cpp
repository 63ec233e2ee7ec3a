#include "scheduling/handed_on.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace fogctl {
namespace {

std::int64_t first_id(Random& random) {
  constexpr std::uint64_t low = std::uint64_t{1} << 32;
  constexpr std::uint64_t high = std::uint64_t{1} << 52;
  return static_cast<std::int64_t>(low + random.below(high - low));
}

}  // namespace

HandedOn::HandedOn(Random& random) : next_id_(first_id(random)) {}

std::int64_t HandedOn::add(std::string uid, PeerId link, Instant overdue_at) {
  const std::int64_t id = next_id_++;
  tasks_.emplace(id, Task{std::move(uid), link, timers_.emplace(overdue_at, id).first});
  return id;
}

void HandedOn::remove(std::int64_t id) {
  const auto found = tasks_.find(id);
  FOGCTL_CHECK(found != tasks_.end());
  timers_.erase(found->second.timer);
  tasks_.erase(found);
}

void HandedOn::postpone(PeerId link, Duration by) {
  for (auto& [id, task] : tasks_) {
    if (task.link != link) continue;
    const Instant overdue_at = task.timer->first + by;
    timers_.erase(task.timer);
    task.timer = timers_.emplace(overdue_at, id).first;
  }
}

std::optional<std::string> HandedOn::find(std::int64_t id, PeerId link) const {
  const auto found = tasks_.find(id);
  if (found == tasks_.end() || found->second.link != link) return std::nullopt;
  return found->second.uid;
}

std::vector<std::string> HandedOn::over(PeerId link) const {
  std::vector<std::string> uids;
  for (const auto& [id, task] : tasks_) {
    if (task.link == link) uids.push_back(task.uid);
  }
  std::ranges::sort(uids);
  return uids;
}

std::optional<Instant> HandedOn::next_overdue() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

std::optional<HandedOn::Overdue> HandedOn::overdue(Instant now) const {
  if (timers_.empty() || timers_.begin()->first > now) return std::nullopt;
  const std::int64_t id = timers_.begin()->second;
  return Overdue{tasks_.find(id)->second.uid, id};
}

}  // namespace fogctl
