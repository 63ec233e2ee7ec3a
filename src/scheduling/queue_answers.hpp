// What the queue says to what the Scheduler asks of it: plain values. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "task/task.hpp"

namespace fogctl {

/// What the queue said to an EnqueueTask.
struct EnqueueAnswer {
  enum class Kind {
    queued,       // it has the task (now or from before)
    away,         // held as away, under lease_number
    done,         // it finished before: `result`
    conflict,     // its uid belongs to another task
    overloaded,   // a bound is reached
    no_room,      // the queue's disk or memory is full: `why`
    unavailable,  // the queue is away until on_queue_up: it may have taken effect
    failed,       // it cannot be done: `why`
  };
  Kind kind = Kind::queued;
  std::uint32_t lease_number = 0;
  std::optional<TaskResult> result;
  std::string why;
  bool was_there = false;  // queued: by another call than this one
};

/// A queued task that it holds as away, for this node to hand it on.
struct TakenTask {
  TaskPtr task;
  std::uint32_t lease_number = 0;
  std::uint32_t attempt = 1;
  Instant arrival;
  std::string reply_to;  // the node that had queued it
};

/// What the queue said to a Withdraw.
struct WithdrawAnswer {
  enum class Kind {
    away,         // it holds the task as away, under lease_number
    leased,       // a worker has it, it is gone, or another node waits for it too
    unavailable,  // the queue is away until on_queue_up: it may have taken effect
  };
  Kind kind = Kind::leased;
  std::uint32_t lease_number = 0;
};

}  // namespace fogctl
