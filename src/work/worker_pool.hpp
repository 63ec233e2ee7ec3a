// Worker threads that lease tasks from the queue, run their handlers and finish them, in batches:
// whichever worker has nothing to run does the next exchange with the queue for all of them.
//
// Threads: start() and drain() are called by the owner; the rest by any thread. The callbacks of
// PoolEvents come from worker threads.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/spin.hpp"
#include "base/time.hpp"
#include "queue/task_queue.hpp"
#include "task/estimates.hpp"
#include "work/handlers.hpp"
#include "work/kind_bounds.hpp"
#include "work/task_runner.hpp"
#include "work/watchdog.hpp"

namespace fogctl {

struct PoolOptions : RunRules {
  std::size_t threads = 1;
  QueueOrder order = QueueOrder::start_by;
  std::string holder;  // this process, as the queue knows it
  /// Tasks are leased ahead only if they are expected to start within this.
  Duration ahead = std::chrono::milliseconds(4);
};

struct PoolEvents {
  /// Results that wait for nobody else: this process's own tasks.
  std::function<void(std::vector<TaskResult> results)> on_results;
  /// A task is about to run; may be empty. Must return at once.
  std::function<void(const Task& task)> on_begun = {};
  /// The task has no handler here. It stays leased: the owner ends it, gives it back, or leaves it
  /// to the others that serve the queue, if there are any. May be empty: without others it fails.
  std::function<void(Lease lease, bool has_others)> on_unrunnable = {};
};

class WorkerPool {
 public:
  WorkerPool(TaskQueue& queue, const Handlers& handlers, const Clock& clock, PoolOptions options,
             PoolEvents events);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void start();

  /// What may be leased now on the pool's behalf; goes with an enqueue, whose leases come back
  /// through offer(), none too. One such enqueue at a time: until the offer, the idle workers that
  /// it leases for lease nothing themselves, which might be less urgent.
  [[nodiscard]] LeaseWant reserve(Instant now);
  void offer(std::vector<Lease> leases);
  /// There may be tasks in the queue: there is news of it, or one looks now and then.
  void wake(bool is_news = true);
  /// These were given up: what has not begun does not begin, what runs is asked to stop.
  void cancel(const std::vector<std::string>& uids);
  /// A task that has no handler here: one of those others may have it. This pool does not wake
  /// itself for it, so that they meet it first.
  void leave_to_others(const Task& task, LeaseRef lease);
  /// Has an idle worker do this first; it then runs what it was offered meanwhile, with no other
  /// thread to be woken. False: none is idle. `errand` must end soon; it comes on that thread.
  [[nodiscard]] bool lend_worker(std::function<void()> errand);

  /// Runs that began before `since` and were not named before: for TaskQueue::started.
  [[nodiscard]] std::vector<LeaseRef> take_begun(Instant since);
  /// How far runs are that said so since the last call.
  [[nodiscard]] std::vector<TaskProgress> take_progress();
  /// Leased ahead before `since` and still not begun: the owner gives them back.
  [[nodiscard]] std::vector<LeaseRef> take_waiting(Instant since);

  /// Those of the leases that are neither waiting, running, finished nor failed here.
  [[nodiscard]] std::vector<LeaseRef> unknown_of(std::vector<LeaseRef> leases) const;

  /// Leases no more, and gives back what has not begun.
  void stop_leasing();
  /// After it: waits until what runs is finished and told to the queue. False: at `deadline` it was
  /// not.
  [[nodiscard]] bool drain(Instant deadline);

  [[nodiscard]] const std::string& holder() const { return options_.holder; }
  [[nodiscard]] std::size_t threads() const { return options_.threads; }
  [[nodiscard]] std::size_t superseded() const {
    const std::lock_guard lock(mutex_);
    return superseded_;
  }
  [[nodiscard]] PoolPulse pulse() const;

 private:
  struct Slot {  // what one worker thread runs
    std::optional<LeaseRef> running;
    std::stop_source stop;  // of what runs
    Instant since;
    Duration expected{};
    bool told = false;                     // named by take_begun
    std::string kind;                      // of a bounded one
    std::string reply_to;                  // empty: this process's own
    std::atomic<double> share = no_share;  // done, as the run says
    double told_share = no_share;          // by take_progress
    static constexpr double no_share = -1;
  };
  using Lock = std::unique_lock<std::mutex>;

  void work(const std::stop_token& stop, Slot& slot);
  [[nodiscard]] bool should_exchange(Instant now) const;
  void exchange(Lock& lock);
  void wait_for_change(Lock& lock);
  void tell_change(bool all);
  void run_errand(Lock& lock);
  void finish_cancelled(Lease lease);
  void run_next(Lock& lock, Slot& slot);
  [[nodiscard]] std::optional<Lease> take_next(Slot& slot);
  void wait_for_turn(WaitingLease waiting, int bound);
  void end_turn(Slot& slot);
  [[nodiscard]] bool has_others() const;
  [[nodiscard]] bool pass_on(const Finished& finished, std::uint32_t attempt, Instant arrival);
  void note_retry(Retry retry);
  [[nodiscard]] std::vector<WaitingLease> take_waiting_if(
      const std::function<bool(const WaitingLease&)>& is_meant);
  [[nodiscard]] int bound_of(const std::string& kind) const;
  void begin_run(Slot& slot, const Lease& lease);
  [[nodiscard]] bool has_ended() const { return !finished_.empty() || !failed_.empty(); }
  [[nodiscard]] std::size_t idle_now() const { return idle_ + (on_errand_ ? 1 : 0); }
  [[nodiscard]] std::size_t free_workers() const;
  [[nodiscard]] LeaseWant want_for(std::size_t idle, Instant now) const;
  [[nodiscard]] Duration expected(const Lease& lease) const;
  /// No task of its name has finished here: it may take long.
  [[nodiscard]] bool is_unknown(const Lease& lease) const;
  void sort_results(std::vector<Finished>& batch, const std::vector<FinishStatus>& statuses);
  void note_failure(const Error& error);

  TaskQueue& queue_;
  const Handlers& handlers_;
  const Clock& clock_;
  const PoolOptions options_;
  const TaskRunner runner_;
  const PoolEvents events_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<std::uint64_t> changes_ = 0;  // counts what changed_ tells, for the one that spins
  SpinWait spin_;
  bool spinning_ = false;                     // one idle worker waits awake, if that is worth it
  std::deque<WaitingLease> waiting_;          // leased, not begun
  KindBounds bounds_;                         // and those of them that may not begin yet
  std::map<std::string, Instant> cancelled_;  // given up of late, and until when that is known
  std::vector<Finished> finished_;            // not yet told to the queue
  std::vector<Retry> failed_;                 // likewise
  std::optional<Instant> next_retry_;
  Instant put_off_until_;                 // the last of those that were put off
  Instant looks_again_at_;                // at the queue, without news of it
  std::set<std::string> left_to_others_;  // kinds that were met and have no handler here
  TaskEstimates estimates_;
  std::vector<Slot> slots_;
  std::size_t idle_ = 0;
  std::size_t reserved_ = 0;      // of the idle ones: an enqueue leases for them
  std::function<void()> errand_;  // for the next idle worker
  bool on_errand_ = false;        // one is out; it counts as idle
  bool exchanging_ = false;
  bool maybe_work_ = true;  // the queue may have tasks for us
  bool draining_ = false;
  bool queue_failed_ = false;
  Instant retry_at_;  // no exchange before it, after one failed
  Duration back_off_{};
  std::size_t superseded_ = 0;
  std::uint64_t leased_ = 0;  // tasks that ever came here

  std::vector<std::jthread> threads_;
};

}  // namespace fogctl
