// The task queue contract (design.md §5): where accepted tasks wait until their result is handed
// over. One interface, several implementations, one contract suite run on each.
//
// Words. A *holder* is a process that holds tasks: it leases them to run, or has handed them away.
// Each TaskQueue object acts for one holder, named when it was made. A holder's lease covers all
// that it holds: `extend` renews it, and once it has run out `recover_expired`, called by anybody,
// puts everything it held back into the queue. A lease *number* fences: it differs for each lease
// of a task, and a call that names a superseded one changes nothing.
//
// Threads: every call may come from any thread. Calls may block where `blocks()` says so.
// Errors: unavailable and timed_out are transient, and every call may then be made again, enqueue
// and finish included. Time: `now` is the caller's; an implementation that is shared between
// processes maps it to its own time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "task/estimates.hpp"
#include "task/task.hpp"

namespace fogctl {

enum class QueueOrder {
  start_by,  // earliest start-by first; those already late behind the others, oldest first
  fifo,      // oldest first
};

/// What the queue may grow to; twice that with tasks that are away. Past it, enqueue answers
/// `overloaded` and old results go.
struct QueueLimits {
  std::size_t max_tasks = 1'000'000;
  std::size_t max_bytes = std::size_t{1} << 30;
  std::size_t max_dead = 10'000;                       // past it the oldest dead tasks go
  std::size_t max_dead_bytes = std::size_t{64} << 20;  // likewise; a larger one is not kept
  Duration result_ttl = std::chrono::hours(1);
  std::size_t max_result_bytes = std::size_t{64} << 20;
};

/// So many holders may wait for one task, beside the one that enqueued it.
inline constexpr std::size_t most_askers = 16;

/// How much a pool wants to lease: one task for each idle worker, and beyond those only what it
/// expects to start soon, so that nothing waits behind a long task that was reserved.
struct LeaseWant {
  std::size_t idle = 0;     // tasks to hand out whatever they take
  std::size_t at_most = 0;  // tasks in all; 0 leases nothing
  Duration ahead{};         // beyond `idle`: while the estimates of all that was taken sum to less
  ClassDurations estimates{};
  QueueOrder order = QueueOrder::start_by;
  bool away = false;  // to be handed on instead of run: held as away at once
};

/// The right to run one task, or to have handed it away.
struct Lease {
  TaskPtr task;
  std::uint32_t number = 0;   // of this lease; fences
  std::uint32_t attempt = 1;  // 1 + runs that may have begun before, here or elsewhere
  Instant arrival;            // when the task was enqueued
  std::string reply_to;       // the holder that waits for its result
};

/// The attempt of a task that this queue has not leased yet.
[[nodiscard]] inline std::uint32_t first_attempt(const Task& task) {
  return 1 + static_cast<std::uint32_t>(task.attempts);
}

/// Names a lease in a call.
struct LeaseRef {
  std::string uid;
  std::uint32_t number = 0;
  bool operator==(const LeaseRef&) const = default;
};

struct NewTask {
  TaskPtr task;
  Instant arrival;
  Instant start_by;
  bool away = false;  // already promised to a neighbour or the cloud: held by this holder at once
};

enum class EnqueueStatus {
  accepted,    // waits in the queue
  leased,      // is held by this holder: leased at once, or away
  duplicate,   // the queue has this uid already, with the same name and content
  done,        // it finished before: `result` is what was kept
  conflict,    // the queue has this uid with another name or content
  overloaded,  // a bound is reached, most_askers among them
  no_room,     // the disk is full, or the memory for this one: `why`; what the queue holds goes on
};

struct EnqueueOutcome {
  EnqueueStatus status = EnqueueStatus::accepted;
  std::uint32_t number = 0;          // of the lease, when status is leased
  std::optional<TaskResult> result;  // when status is done
  std::string why{};                 // when status is no_room: what, and what to do
};

struct Enqueued {
  std::vector<EnqueueOutcome> outcomes;  // one for each task given, in order
  std::vector<Lease> leased;             // other tasks that the want took in the same step
};

struct Finished {
  LeaseRef lease;
  TaskPtr task;  // its uid_chosen says whether the result is kept; see is_kept()
  TaskResult result;
  std::string reply_to;  // from the Lease
  /// Runs that it took, where the task failed for good and is to be kept in the dead set, for a
  /// person to look at; 0: it is not.
  std::uint32_t dead_after = 0;
  /// Where another holder asked for the task as well, it is put back into the queue instead, as by
  /// give_back, and the status is superseded.
  bool unless_asked = false;
};

/// For a client that may ask again, unless the task did not run and may do so when it is asked for.
[[nodiscard]] inline bool is_kept(const Task& task, const TaskResult& result) {
  return task.uid_chosen && !is_refused(result);
}

/// A task that failed for good.
struct DeadTask {
  TaskPtr task;
  TaskResult result;  // its error says why, `node` where it ran last
  std::uint32_t attempts = 0;
  Instant died_at;
};

enum class FinishStatus {
  done,        // this was the one effective result
  superseded,  // the task is queued or held under another lease: the result must be dropped
  gone,        // no such task: it finished before (perhaps by this very call, made twice, so the
               // result may still have to be delivered by whoever made it)
  cancelled,   // it was given up meanwhile: its result is cancelled_result(), not this one
};

/// A leased task that is to be leased again later: its run failed, or it was put off unrun.
struct Retry {
  LeaseRef lease;
  Instant not_before;
  bool counts = true;  // as an attempt; false: it was put off
};

/// What came of giving a task up.
enum class CancelStatus {
  cancelled,     // it waited, and is ended
  will_apply,    // somebody holds it: it ends as cancelled once they let go of it
  already_done,  // it has its result, or is dead
  unknown,       // the queue knows nothing of it (any more)
};

enum class TaskState {
  queued,
  delayed,  // failed, and waits to be tried again
  leased,
  away,
  dead,
};

/// A task as it lies in the queue, for people.
struct TaskInfo {
  TaskPtr task;
  TaskState state = TaskState::queued;
  Instant arrival;
  Instant start_by;
  std::uint32_t attempt = 1;  // as in a Lease
  std::string holder;         // of a leased or away one
};

/// When the oldest task of each state arrived; of the dead ones, when it died.
using OldestTasks = std::map<TaskState, Instant>;

/// What the queue holds now, over every holder.
struct QueueLoad {
  std::array<std::size_t, task_class_count> queued{};
  std::array<std::size_t, task_class_count> leased{};
  std::size_t delayed = 0;
  std::size_t away = 0;
  std::size_t dead = 0;
  std::size_t workers = 0;  // of holders whose lease is live
  std::size_t bytes = 0;
  std::size_t dead_bytes = 0;  // as the queue keeps them, the results included
  bool is_paused = false;
};

/// How much of a task that runs is done.
struct TaskProgress {
  std::string uid;
  double share = 0;      // from 0 to 1
  std::string reply_to;  // from the Lease
};

/// What `wait` returns: results for tasks that this holder enqueued and another one finished, how
/// far others are with some, which of those that it holds were given up, and whether tasks may be
/// waiting for a worker.
struct QueueNews {
  std::vector<TaskResult> replies;
  std::vector<TaskProgress> progress;
  std::vector<std::string> cancelled;  // uids
  bool work = false;
};

class TaskQueue {
 public:
  virtual ~TaskQueue() = default;

  /// Whether calls may block on I/O; then they may not be made on the network thread.
  [[nodiscard]] virtual bool blocks() const = 0;

  /// Adds tasks, durably when it returns; idempotent by uid. When `want` asks for tasks, leases
  /// them in the same step: an idle worker of this process starts without another round trip.
  /// A call that failed is made again with the same arrivals: by these its tasks are told from
  /// duplicates, and answer as new ones do. Other holders that ask for a task which the queue has
  /// already get its result too, by wait().
  [[nodiscard]] virtual Result<Enqueued> enqueue(std::span<const NewTask> tasks,
                                                 const LeaseWant& want, Instant now) = 0;

  /// Takes tasks to run. A task recovered from a lost lease comes alone, as the only one: so an
  /// answer of fewer than were wanted does not mean that no more are queued; an empty one does.
  /// All who lease from one queue want the same order: what fifo looked at stays in that order.
  [[nodiscard]] virtual Result<std::vector<Lease>> lease(const LeaseWant& want, Instant now) = 0;

  /// Records that these runs have begun: if their lease is lost, the attempt counts.
  [[nodiscard]] virtual Result<void> started(std::span<const LeaseRef> leases, Instant now) = 0;

  /// Renews this holder's lease until now + `lease` and tells how many workers it has. False: the
  /// lease had run out and was recovered by others; what was held before is no longer.
  [[nodiscard]] virtual Result<bool> extend(std::size_t workers, Duration lease, Instant now) = 0;

  /// Ends tasks with their results, one status each, in order. A result is kept where the client
  /// chose the uid, and sent to `reply_to` where that is another holder. The dead ones are kept in
  /// the dead set, within its bound, oldest out. When `want` asks for tasks, leases them in the
  /// same round trip, appended to `next`.
  [[nodiscard]] virtual Result<std::vector<FinishStatus>> finish(std::span<const Finished> tasks,
                                                                 const LeaseWant& want, Instant now,
                                                                 std::vector<Lease>& next) = 0;

  /// Ends leases: their tasks are leased again, not before their instants, and the attempt counts
  /// where the Retry says so. Superseded leases are skipped.
  [[nodiscard]] virtual Result<void> retry(std::span<const Retry> runs, Instant now) = 0;

  /// Tells those who wait for these tasks, other holders, how far they are. Best effort: where one
  /// does not listen, nothing piles up.
  [[nodiscard]] virtual Result<void> tell_progress(std::span<const TaskProgress>) { return {}; }

  /// Puts leased or away tasks back into the queue, as they were; the attempt does not count.
  [[nodiscard]] virtual Result<void> give_back(std::span<const LeaseRef> leases, Instant now) = 0;

  /// Takes tasks that wait for a worker, delayed ones apart, out of the queue, held as away by this
  /// holder: the number of the lease for each, in order, also of what this holder has away already
  /// (the call may be made again); 0: it does not wait (any more), or is not this holder's alone,
  /// as another one asked for it too.
  [[nodiscard]] virtual Result<std::vector<std::uint32_t>> withdraw(
      std::span<const std::string> uids, Instant now) = 0;

  /// Gives tasks up, durably; one status each. One that waits ends at once, with a
  /// cancelled_result() as if a worker had finished it, and so does one that is held when it comes
  /// back or its run ends, at the latest with the next recover_expired; its holder hears of it by
  /// wait(). What a holder says of a task that was away stands, whatever was said here.
  [[nodiscard]] virtual Result<std::vector<CancelStatus>> cancel(std::span<const std::string> uids,
                                                                 Instant now) = 0;

  /// Puts back what holders held whose lease ran out before `now`; returns how many. Where nobody
  /// called it for a third of a lease, a server was away: all leases are whole again. Also mends,
  /// over several calls, what no call can have left: a task without a place, a place without one.
  [[nodiscard]] virtual Result<std::size_t> recover_expired(Instant now) = 0;

  /// This holder leaves in order: what it still holds is put back, its workers no longer count.
  [[nodiscard]] virtual Result<void> leave(Instant now) = 0;

  [[nodiscard]] virtual Result<QueueLoad> load(Instant now) = 0;

  /// While paused, nothing is leased to be run; all else goes on.
  [[nodiscard]] virtual Result<void> pause(bool is_paused) = 0;

  /// Tasks of one state, at most `most`: queued ones by start-by, delayed ones by when their turn
  /// is, held ones in any order. Of the dead see dead().
  [[nodiscard]] virtual Result<std::vector<TaskInfo>> list(TaskState state, std::size_t most,
                                                           Instant now) = 0;
  /// The one with this uid, unless it is dead; none: it is not there.
  [[nodiscard]] virtual Result<std::optional<TaskInfo>> find(const std::string& uid,
                                                             Instant now) = 0;
  /// For people: looks at every task.
  [[nodiscard]] virtual Result<OldestTasks> oldest(Instant now) = 0;

  /// Dead tasks, those that died last first, at most `most`.
  [[nodiscard]] virtual Result<std::vector<DeadTask>> dead(std::size_t most) = 0;
  /// Puts dead tasks back into the queue as if they had just come, and forgets their results; says
  /// how many were there. Nobody waits for them any more but who asks by their uid.
  [[nodiscard]] virtual Result<std::size_t> revive(std::span<const std::string> uids,
                                                   Instant now) = 0;
  /// Forgets dead tasks; says how many were there.
  [[nodiscard]] virtual Result<std::size_t> bury(std::span<const std::string> uids) = 0;

  /// The kept result of a task that is done; none: not known, or no longer kept.
  [[nodiscard]] virtual Result<std::optional<TaskResult>> kept_result(const std::string& uid,
                                                                      Instant now) = 0;

  /// Blocks for `at_most` or until there is news. For one thread at a time.
  [[nodiscard]] virtual Result<QueueNews> wait(Duration at_most) = 0;
  /// Ends a `wait` from another thread, and every one after it at once, without an error.
  virtual void interrupt() = 0;

  /// The leases that the queue believes this holder has in order to run them, or as away. Where the
  /// queue may come back with less than it had, these may be more than the holder knows of.
  [[nodiscard]] virtual Result<std::vector<LeaseRef>> held(bool /*as_away*/) {
    return std::vector<LeaseRef>();
  }

  /// Whether the queue takes changes now: reads alone may go on where it does not. Changes nothing.
  [[nodiscard]] virtual Result<void> probe() { return {}; }
  /// Whether a server of its own has it, to which there are connections.
  [[nodiscard]] virtual bool has_server() const { return false; }
  /// Leaves its connections for new ones, where it has any; calls under way may end with an error.
  virtual void reconnect() {}
  /// The process ends: no call that waits for another machine lasts beyond `end`, one that is under
  /// way neither, and later ones fail at once. May be called again, with another instant.
  virtual void end_by(Instant /*end*/) {}

  /// Tells apart two lives of the store: changes when it restarted or failed over and may have
  /// come back with less than it had. Empty before the first successful call.
  [[nodiscard]] virtual std::string incarnation() const = 0;
};

}  // namespace fogctl
