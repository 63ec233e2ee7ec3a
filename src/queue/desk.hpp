// What people ask of a queue, in words: its counts, its tasks, pausing it, giving tasks up, dead
// ones. One place for whoever looks at the queue itself and for the node that is asked. Any thread;
// blocks as the queue does.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "queue/task_queue.hpp"

namespace fogctl {

[[nodiscard]] std::string_view to_string(TaskState state);
[[nodiscard]] std::string_view to_string(CancelStatus status);

struct QueueRequest {
  std::string action;  // counts, pause, resume, ls, show, cancel, retry or rm
  std::string state;   // of ls; empty: every state
  std::vector<std::string> uids;
  std::size_t most = 100;  // of ls, in each state
};

/// What became of one task.
[[nodiscard]] std::string status_object(const std::string& uid, std::string_view status);

/// The answer, one JSON object after the other; of show, the status "unknown" where no task has the
/// uid. Error: invalid (no such action), or what the queue said.
[[nodiscard]] Result<std::vector<std::string>> answer(TaskQueue& queue, const QueueRequest& request,
                                                      Instant now);

}  // namespace fogctl
