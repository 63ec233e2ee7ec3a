// Tasks that failed for good, kept in memory for a person to look at; the oldest go first when
// there are too many, or too many bytes. Belongs to the store, under its lock.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "queue/task_queue.hpp"

namespace fogctl {

class DeadSet {
 public:
  /// Replaces one of the same uid. One that alone is more than the bound on bytes is not kept, and
  /// costs no other its place.
  void add(DeadTask task, const QueueLimits& limits);
  /// Those that died last first.
  [[nodiscard]] std::vector<DeadTask> newest(std::size_t most) const;
  /// Takes it out; none: it is not there.
  [[nodiscard]] std::optional<DeadTask> take(const std::string& uid);
  [[nodiscard]] std::size_t size() const { return tasks_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool has(const std::string& uid) const { return by_uid_.contains(uid); }
  /// When the first of them died.
  [[nodiscard]] std::optional<Instant> oldest() const {
    return tasks_.empty() ? std::nullopt : std::optional(tasks_.front().died_at);
  }

 private:
  std::list<DeadTask> tasks_;                                                   // oldest first
  std::unordered_map<std::string_view, std::list<DeadTask>::iterator> by_uid_;  // views into tasks
  std::size_t bytes_ = 0;  // of the records of all
};

}  // namespace fogctl
