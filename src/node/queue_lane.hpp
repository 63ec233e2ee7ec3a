// The way from the network thread to the task queue. Where the queue blocks, an idle worker makes
// the calls, since it may run what comes of them, or else a thread of the lane's own; all that
// piled up meanwhile goes in one (group commit). Where it does not block, submit() makes them at
// once. The lane also asks for the queue's load, and notices that the queue is away or back.
//
// submit(), start() and stop() are the network thread's. Events are called on the network thread
// for a queue that does not block, else through `post`.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/time.hpp"
#include "queue/task_queue.hpp"
#include "work/worker_pool.hpp"

namespace fogctl {

/// A call of another kind, and what is to be done with its answer, on the network thread.
using LaneCall = std::function<std::function<void()>(TaskQueue& queue)>;

/// What the network thread wants done to the queue, in one go.
struct LaneWork {
  std::vector<NewTask> enqueue;
  std::vector<Finished> finish;  // tasks that were away; their results need no hand-over
  std::vector<LeaseRef> give_back;
  // After the others; what is submitted behind these does not overtake them.
  std::vector<std::string> withdraw;
  std::vector<LaneCall> calls;
  [[nodiscard]] std::size_t settlements() const { return finish.size() + give_back.size(); }
  [[nodiscard]] bool has_changes() const {
    return !enqueue.empty() || !finish.empty() || !give_back.empty();
  }
  [[nodiscard]] bool has_later() const { return !withdraw.empty() || !calls.empty(); }
  [[nodiscard]] bool empty() const { return !has_changes() && !has_later(); }
};

struct LaneAnswer {
  std::string uid;
  bool is_away = false;  // as it was asked
  Result<EnqueueOutcome> outcome;
};

/// Of a task that was to be withdrawn: the number of the lease; 0: it was not.
struct LaneWithdrawal {
  std::string uid;
  Result<std::uint32_t> number;
};

struct LaneEvents {
  std::function<void(const std::vector<LaneAnswer>& answers)> on_enqueued;
  std::function<void(const std::vector<LaneWithdrawal>& answers)> on_withdrawn;
  std::function<void(const QueueLoad& load)> on_load;
  std::function<void(const Error& why)> on_down;
  /// `restarted`: the queue may have come back with less than it had.
  std::function<void(bool restarted)> on_up;
};

class QueueLane {
 public:
  QueueLane(TaskQueue& queue, WorkerPool& pool, const Clock& clock, LaneEvents events,
            std::function<void(std::function<void()>)> post);

  void start();
  void submit(LaneWork work);
  /// Asks for the load now; the lane's own thread does so by itself, a timer must where it has
  /// none.
  void ask_load();
  /// Ends and returns were submitted that the queue has not heard of. Any thread.
  [[nodiscard]] bool owes() const { return untold_ > 0; }
  /// Does what was submitted, as far as the queue answers. False: at `deadline` it still did; the
  /// process must then end without waiting for it.
  [[nodiscard]] bool stop(Instant deadline);

 private:
  void run(const std::stop_token& stop);
  void run_errand();
  void give_up_turn();
  [[nodiscard]] bool is_free() const { return !is_lent_ && !is_busy_; }
  void perform_all(std::vector<LaneWork>& works);
  void perform(LaneWork& work);
  void withdraw(const std::vector<std::string>& uids);
  void enqueue(std::vector<NewTask>& tasks);
  [[nodiscard]] std::optional<Error> enqueue_batch(std::span<const NewTask> batch,
                                                   std::vector<LaneAnswer>& answers);
  void offer_leased(std::span<const NewTask> tasks, Enqueued& enqueued);
  void settle(LaneWork& work);
  void refuse_unsettled(std::vector<NewTask>& tasks, std::vector<std::string>& leaving);
  void note(const Error* error);
  [[nodiscard]] bool is_back(Instant now);
  void deliver(std::function<void()> event);

  TaskQueue& queue_;
  WorkerPool& pool_;
  const Clock& clock_;
  const LaneEvents events_;
  const std::function<void(std::function<void()>)> post_;

  std::atomic<std::size_t> untold_{0};  // of finish and give_back

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<LaneWork> inbox_;  // in the order of what must not be overtaken
  bool is_lent_ = false;         // a worker was asked to make the calls, and has not begun
  bool is_busy_ = false;         // somebody makes them: one thread at a time
  bool is_awaited_ = false;      // the lane's thread waits for its turn
  bool has_ended_ = false;       // that thread

  // Of whoever makes the calls: a worker, the lane's thread, or the network thread.
  LaneWork unsettled_;  // finish and give_back that failed and are tried again
  Instant load_at_;
  bool is_up_ = true;
  Instant changed_at_;      // when that was told last
  Duration probe_pause_{};  // before a queue that is away is probed again
  std::string incarnation_;

  std::jthread thread_;
};

}  // namespace fogctl
