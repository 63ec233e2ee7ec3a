// Words for cases about tasks that failed for good.
#pragma once

#include <string>
#include <vector>

#include "contract/queues.hpp"

namespace fogctl::contract {

inline Finished dead(const Lease& lease, std::uint32_t attempts) {
  Finished finished{ref(lease), lease.task, result_of(lease.task->uid), lease.reply_to, attempts};
  finished.result.error = TaskError{TaskErrorCode::task_failed, "it killed its worker"};
  return finished;
}

/// Leases what is queued and lets all of it die.
inline void let_die(TaskQueue& queue, Instant now = start()) {
  for (const Lease& one : lease(queue, 100, now)) {
    CHECK(finish(queue, std::vector{dead(one, 3)}, now) == std::vector{FinishStatus::done});
  }
}

/// Of so many bytes.
inline std::string content_of(std::size_t bytes) {
  return '"' + std::string(bytes - 2, 'x') + '"';
}

/// Queues a task and lets it die.
inline void die(TaskQueue& queue, const std::string& uid, std::size_t bytes,
                Instant now = start()) {
  enqueue(queue, {{.uid = uid, .content = content_of(bytes)}});
  let_die(queue, now);
}

inline Names dead_uids(TaskQueue& queue, std::size_t most = 100) {
  Names names;
  for (const DeadTask& task : must(queue.dead(most))) names.push_back(task.task->uid);
  return names;
}

}  // namespace fogctl::contract
