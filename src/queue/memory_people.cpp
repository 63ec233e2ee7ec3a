// Tasks of a queue in memory that wait to be tried again or go elsewhere, and what people ask of
// it: what lies in it, pausing it, giving a task up.
#include <algorithm>
#include <utility>

#include "queue/memory_store.hpp"

namespace fogctl {

void MemoryStore::retry(Holder& me, const Retry& run) {
  Slot slot = no_slot;
  Entry* entry = held_by(me, run.lease.uid, run.lease.number, slot);
  if (entry == nullptr || entry->state == State::away) return;
  --count_of(*entry);
  unlink(*entry);
  if (run.counts) ++entry->failures;
  entry->state = State::delayed;
  entry->not_before = run.not_before;
  delayed_.emplace(run.not_before, slot);
  ++count_of(*entry);
}

void MemoryStore::end_delays(Instant now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const Slot slot = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    --count_of(entries_[slot]);
    queue(entries_[slot], slot);
  }
}

/// The number of its lease, or 0. Made again, it says what it said before.
std::uint32_t MemoryStore::withdraw(Holder& me, const std::string& uid, std::uint32_t number) {
  const auto found = tasks_.find(uid);
  if (found == tasks_.end()) return 0;
  Entry& entry = entries_[found->second];
  if (entry.state == State::away && entry.holder == &me) return entry.number;
  if (entry.state != State::queued || entry.askers) return 0;
  hold(me, entry, found->second, number, State::away);
  return number;
}

CancelStatus MemoryStore::cancel(const std::string& uid, Instant now) {
  const auto found = tasks_.find(uid);
  if (found == tasks_.end()) {
    const bool is_known = results_.find(uid, now) != nullptr || dead_.has(uid);
    return is_known ? CancelStatus::already_done : CancelStatus::unknown;
  }
  Entry& entry = entries_[found->second];
  if (entry.holder != nullptr) {
    entry.cancelled = true;
    given_up_.push_back(uid);
    entry.holder->cancelled.push_back(uid);
    news_.notify_all();
    return CancelStatus::will_apply;
  }
  if (entry.state == State::delayed) {
    std::erase_if(delayed_, [&](const auto& delayed) { return delayed.second == found->second; });
  }
  end(entry, *entry.task, cancelled_result(uid), entry.origin, now);
  tidy();
  return CancelStatus::cancelled;
}

void MemoryStore::pause(bool is_paused) {
  load_.is_paused = is_paused;
  if (!is_paused) wake();
}

TaskInfo MemoryStore::info_of(const Entry& entry) const {
  TaskInfo info{entry.task,     TaskState::leased, entry.arrival,
                entry.start_by, attempt_of(entry), {}};
  if (entry.state == State::queued) info.state = TaskState::queued;
  if (entry.state == State::delayed) info.state = TaskState::delayed;
  if (entry.state == State::away) info.state = TaskState::away;
  if (entry.holder != nullptr) info.holder = entry.holder->name;
  return info;
}

std::vector<TaskInfo> MemoryStore::list(TaskState state, std::size_t most) const {
  std::vector<std::pair<Instant, TaskInfo>> found;  // by what they are sorted by
  for (const auto& [uid, slot] : tasks_) {
    const Entry& entry = entries_[slot];
    TaskInfo info = info_of(entry);
    if (info.state != state) continue;
    found.emplace_back(state == TaskState::delayed ? entry.not_before : entry.start_by,
                       std::move(info));
  }
  std::ranges::sort(found, {},
                    [](const auto& one) { return std::pair(one.first, one.second.arrival); });
  std::vector<TaskInfo> tasks;
  for (auto& [key, info] : found) {
    if (tasks.size() == most) break;
    tasks.push_back(std::move(info));
  }
  return tasks;
}

std::optional<TaskInfo> MemoryStore::find(const std::string& uid) const {
  const auto found = tasks_.find(uid);
  if (found == tasks_.end()) return std::nullopt;
  return info_of(entries_[found->second]);
}

OldestTasks MemoryStore::oldest() const {
  OldestTasks oldest;
  const auto note = [&](TaskState state, Instant since) {
    const auto known = oldest.emplace(state, since).first;
    known->second = std::min(known->second, since);
  };
  for (const auto& [uid, slot] : tasks_) {
    const TaskInfo info = info_of(entries_[slot]);
    note(info.state, info.arrival);
  }
  if (const auto died_at = dead_.oldest()) note(TaskState::dead, *died_at);
  return oldest;
}

}  // namespace fogctl
