// Results of finished tasks, kept in memory for clients that may ask again: until their time is up,
// and the oldest go first when there are too many bytes. Belongs to the store, under its lock.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/time.hpp"
#include "queue/task_queue.hpp"

namespace fogctl {

class KeptResults {
 public:
  struct Kept {
    TaskResult result;
    std::uint64_t digest = 0;  // of the task
    Instant expiry;
    std::uint64_t order = 0;
    std::size_t bytes = 0;
  };

  void keep(const std::string& uid, const TaskResult& result, std::uint64_t digest, Instant now,
            const QueueLimits& limits);
  /// nullptr: not known, or its time is up.
  [[nodiscard]] const Kept* find(const std::string& uid, Instant now) const;
  void drop(const std::string& uid);
  [[nodiscard]] bool empty() const { return kept_.empty(); }

 private:
  std::unordered_map<std::string, Kept> kept_;
  std::map<std::pair<Instant, std::uint64_t>, std::string> by_age_;
  std::uint64_t next_order_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace fogctl
