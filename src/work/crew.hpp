// All threads of one process that serve a queue: the worker pool, the lease keeper, the listener.
// Started and stopped as one, in the right order, by the owner's thread.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "queue/task_queue.hpp"
#include "work/handlers.hpp"
#include "work/lease_keeper.hpp"
#include "work/queue_listener.hpp"
#include "work/worker_pool.hpp"

namespace fogctl {

/// What leave() may take, past the end of the drain at the latest.
inline constexpr Duration leaving_time = std::chrono::seconds(1);
/// Past that a thread hangs in a call which cannot be ended, and is not waited for.
inline constexpr Duration longest_leaving = leaving_time + std::chrono::milliseconds(250);

/// When a drain that begins now ends: no further off than what follows fits as well.
[[nodiscard]] inline Instant drain_end(Instant now, Duration timeout) {
  constexpr Duration for_ever = std::chrono::hours(24 * 365);
  return now + std::min(timeout, for_ever);
}

struct CrewOptions {
  PoolOptions pool;
  Duration lease = std::chrono::seconds(5);
  /// How long tasks may wait while workers are free and get none.
  Duration watchdog = std::chrono::seconds(10);
};

/// Called from the crew's threads.
struct CrewEvents {
  /// Results for tasks that this process enqueued.
  std::function<void(std::vector<TaskResult>)> on_results;
  /// A task is about to run; may be empty. Must return at once.
  std::function<void(const Task& task)> on_begun = {};
  /// See PoolEvents.
  std::function<void(Lease lease, bool has_others)> on_unrunnable = {};
  /// Tasks that this process holds were given up; its workers know.
  std::function<void(std::vector<std::string> uids)> on_cancelled;
  /// How far tasks are that this process enqueued.
  std::function<void(std::vector<TaskProgress> news)> on_progress;
  /// The queue no longer knew this process: its lease ran out, or the queue lost what it had.
  std::function<void()> on_lost;
};

class Crew {
 public:
  Crew(TaskQueue& queue, const Handlers& handlers, const Clock& clock, CrewOptions options,
       CrewEvents events);

  [[nodiscard]] Result<void> start();
  [[nodiscard]] WorkerPool& pool() { return pool_; }
  /// False while work stands still and nobody knows why. Any thread.
  [[nodiscard]] bool is_ready() const { return keeper_.is_ready(); }

  /// Leases no more, and gives back what has not begun. The queue is waited for until `deadline`
  /// and for what leaving takes, whatever becomes of it.
  void stop_leasing(Instant deadline);
  /// After it: finishes what runs. False: something still ran, or was not told to the queue, at
  /// `deadline`.
  [[nodiscard]] bool drain(Instant deadline);
  /// Gives everything that is still held back to the queue, within leaving_time, and stops. Where
  /// drain() said false, the process must then end without waiting for the thread that still runs.
  void leave();

 private:
  TaskQueue& queue_;
  const Clock& clock_;
  const CrewOptions options_;
  WorkerPool pool_;
  LeaseKeeper keeper_;
  QueueListener listener_;
};

}  // namespace fogctl
