// Keeps this process's lease on what it holds, on a thread of its own that runs no task: renews it,
// records which runs have begun, gives back what was leased ahead and waits too long, puts back
// what dead holders left, says how far runs are, and watches that work goes on. start() and stop()
// are the owner's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/time.hpp"
#include "queue/task_queue.hpp"
#include "work/reconciler.hpp"
#include "work/watchdog.hpp"
#include "work/worker_pool.hpp"

namespace fogctl {

struct KeeperOptions {
  Duration lease;     // how long the queue believes in this process without a word from it
  Duration watchdog;  // how long work may stand still before something is done about it
};

/// Called from that thread; each may be empty.
struct KeeperEvents {
  std::function<void()> on_lost;  // the lease had run out, or the queue forgot it
  /// How far tasks of this process's own are, each at most once a tick.
  std::function<void(std::vector<TaskProgress> news)> on_progress;
};

class LeaseKeeper {
 public:
  LeaseKeeper(TaskQueue& queue, WorkerPool& pool, const Clock& clock, KeeperOptions options,
              KeeperEvents events);

  /// Takes the lease before anything is held; the thread renews it from then on.
  [[nodiscard]] Result<void> start();
  /// After it the lease is no longer renewed.
  void stop();

  /// False while tasks wait that free workers do not get. Any thread.
  [[nodiscard]] bool is_ready() const { return is_ready_; }

 private:
  void keep(const std::stop_token& stop);
  void renew();
  void tend_tasks();
  void tell_progress();
  void recover(Instant now);
  void reconcile();
  void give_back(std::vector<LeaseRef> leases);
  void note_failure(const Error& error);
  void watch();

  TaskQueue& queue_;
  WorkerPool& pool_;
  const Clock& clock_;
  const KeeperOptions options_;
  const Duration recover_interval_;
  const KeeperEvents events_;
  Instant renew_at_;
  Instant recover_at_;
  bool failing_ = false;         // something did since the lease was last renewed
  bool has_complained_ = false;  // since all was last well
  Reconciler reconciler_;
  Watchdog watchdog_;
  std::atomic<bool> is_ready_ = true;
  std::vector<LeaseRef> returning_;  // given back, but the queue does not know yet

  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace fogctl
