// Keeps this process's lease on what it holds, on a thread of its own that runs no task: renews it,
// records which runs have begun, gives back what was leased ahead and waits too long, and puts back
// what dead holders left. start() and stop() are the owner's.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/time.hpp"
#include "queue/task_queue.hpp"
#include "work/worker_pool.hpp"

namespace fogctl {

class LeaseKeeper {
 public:
  /// `lease`: how long the queue believes in this process without a word from it.
  /// `on_lost`, from that thread: the lease had run out, or the queue forgot it.
  LeaseKeeper(TaskQueue& queue, WorkerPool& pool, const Clock& clock, Duration lease,
              std::function<void()> on_lost);

  /// Takes the lease before anything is held; the thread renews it from then on.
  [[nodiscard]] Result<void> start();
  /// After it the lease is no longer renewed.
  void stop();

 private:
  void keep(const std::stop_token& stop);
  void renew();
  void tend_tasks();
  void recover();
  void give_back(std::vector<LeaseRef> leases);
  void note(const Result<void>& outcome);

  TaskQueue& queue_;
  WorkerPool& pool_;
  const Clock& clock_;
  const Duration lease_;
  const std::function<void()> on_lost_;
  Instant renew_at_;
  bool failing_ = false;
  std::vector<LeaseRef> returning_;  // given back, but the queue does not know yet

  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace fogctl
