// What the Scheduler wants done: plain values that the node performs on sockets and the queue, and
// the simulator as events. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "task/task.hpp"

namespace fogctl {

/// A connection or link, as its owner numbers them.
using PeerId = std::uint64_t;

/// Who waits for a task's result, and under which id.
struct Origin {
  PeerId peer = 0;
  std::string task_id;    // JSON text, as it came
  bool extended = false;  // the peer reads protocol.md part 3
  bool has_uid = false;   // its task carried a task_uid
};

/// Add the task to the queue: to be run here, or held as away before it is handed on.
struct EnqueueTask {
  TaskPtr task;
  Instant arrival;
  Instant start_by;
  bool away = false;
};

/// Hand the task to the cloud under an id of this process's own.
struct SendToCloud {
  TaskPtr task;
  std::int64_t id = 0;
};

/// Give the result to one that waits for it.
struct ReturnResult {
  Origin origin;
  TaskPtr task;  // as it was placed: what a result copies
  TaskResult result;
  bool is_forwarded = false;  // a link's answer: it passes as it came, but for the id
};

/// The answer of a task that was away came: end it in the queue.
struct FinishAway {
  TaskPtr task;
  std::uint32_t lease_number = 0;
  TaskResult result;
};

/// A task that was away comes back into this node's queue.
struct TakeBack {
  std::string uid;
  std::uint32_t lease_number = 0;
};

using Action = std::variant<EnqueueTask, SendToCloud, ReturnResult, FinishAway, TakeBack>;
using Actions = std::vector<Action>;

}  // namespace fogctl
