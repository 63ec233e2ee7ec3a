#include "node/queue_lane.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace fogctl {
namespace {

constexpr Duration load_interval = std::chrono::milliseconds(100);
constexpr Duration longest_probe_pause = std::chrono::seconds(5);
constexpr std::size_t most_per_call = 512;

void append(LaneWork& to, LaneWork&& from) {
  std::ranges::move(from.enqueue, std::back_inserter(to.enqueue));
  std::ranges::move(from.finish, std::back_inserter(to.finish));
  std::ranges::move(from.give_back, std::back_inserter(to.give_back));
  std::ranges::move(from.withdraw, std::back_inserter(to.withdraw));
  std::ranges::move(from.calls, std::back_inserter(to.calls));
}

void append(std::vector<LaneWork>& to, LaneWork&& work) {
  const bool would_overtake = !to.empty() && to.back().has_later() && work.has_changes();
  if (to.empty() || would_overtake) {
    to.push_back(std::move(work));
  } else {
    append(to.back(), std::move(work));
  }
}

}  // namespace

QueueLane::QueueLane(TaskQueue& queue, WorkerPool& pool, const Clock& clock, LaneEvents events,
                     std::function<void(std::function<void()>)> post)
    : queue_(queue),
      pool_(pool),
      clock_(clock),
      events_(std::move(events)),
      post_(std::move(post)),
      incarnation_(queue.incarnation()) {}

void QueueLane::start() {
  if (!queue_.blocks()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void QueueLane::submit(LaneWork work) {
  if (work.empty()) return;
  untold_ += work.settlements();
  if (!queue_.blocks()) return perform(work);
  {
    const std::lock_guard guard(mutex_);
    append(inbox_, std::move(work));
    if (!is_free()) return;  // whoever makes the calls looks again
    is_lent_ = true;
  }
  if (pool_.lend_worker([this] { run_errand(); })) return;
  {
    const std::lock_guard guard(mutex_);
    is_lent_ = false;
  }
  changed_.notify_one();
}

/// One round, on a worker: it has a task to run then, more likely than not.
void QueueLane::run_errand() {
  std::vector<LaneWork> works;
  {
    const std::lock_guard guard(mutex_);
    is_lent_ = false;
    is_busy_ = true;
    std::swap(works, inbox_);
  }
  perform_all(works);
  give_up_turn();
}

void QueueLane::give_up_turn() {
  {
    const std::lock_guard guard(mutex_);
    is_busy_ = false;
    if (inbox_.empty() && !is_awaited_) return;
  }
  changed_.notify_all();  // stop() may wait as well
}

bool QueueLane::stop(Instant deadline) {
  if (!thread_.joinable()) return true;
  thread_.request_stop();
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, deadline - clock_.now(), [this] { return has_ended_; });
}

void QueueLane::run(const std::stop_token& stop) {
  bool is_last = false;
  while (!is_last) {
    std::vector<LaneWork> works;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, load_at_ - clock_.now(),
                        [this] { return is_free() && !inbox_.empty(); });
      is_awaited_ = true;
      changed_.wait(lock, [this] { return is_free(); });
      is_awaited_ = false;
      is_busy_ = true;
      is_last = stop.stop_requested();
      std::swap(works, inbox_);
    }
    perform_all(works);
    if (clock_.now() >= load_at_) ask_load();
    give_up_turn();
  }
  {
    const std::lock_guard guard(mutex_);
    has_ended_ = true;
  }
  changed_.notify_all();
}

void QueueLane::perform_all(std::vector<LaneWork>& works) {
  if (works.empty()) works.emplace_back();  // what could not be settled is due all the same
  for (LaneWork& work : works) perform(work);
}

/// What ended comes first: a uid that comes again must not be told that it is there already.
void QueueLane::perform(LaneWork& work) {
  std::vector<NewTask> tasks = std::move(work.enqueue);
  work.enqueue.clear();
  std::vector<std::string> leaving = std::exchange(work.withdraw, {});
  const std::vector<LaneCall> calls = std::exchange(work.calls, {});
  LaneWork rest = std::exchange(unsettled_, {});
  append(rest, std::move(work));
  settle(rest);
  refuse_unsettled(tasks, leaving);
  if (!tasks.empty()) enqueue(tasks);
  if (!leaving.empty()) withdraw(leaving);
  for (const LaneCall& call : calls) deliver(call(queue_));
}

/// The queue would say that it is there already, or away, under the lease that is about to end. It
/// is away now, and all is asked again once it is back.
void QueueLane::refuse_unsettled(std::vector<NewTask>& tasks, std::vector<std::string>& leaving) {
  std::unordered_set<std::string_view> ending;
  std::unordered_set<std::string_view> returning;
  for (const Finished& one : unsettled_.finish) ending.insert(one.lease.uid);
  for (const LeaseRef& one : unsettled_.give_back) returning.insert(one.uid);
  if (ending.empty() && returning.empty()) return;
  const Error why{ErrorCode::unavailable,
                  "the queue has not heard what became of the last task of this task_uid"};
  std::vector<LaneAnswer> answers;
  std::erase_if(tasks, [&](const NewTask& task) {
    const std::string& uid = task.task->uid;
    if (!ending.contains(uid) && !(task.away && returning.contains(uid))) return false;
    answers.push_back({uid, task.away, std::unexpected(why)});
    return true;
  });
  if (!answers.empty()) {
    deliver([this, answers = std::move(answers)] { events_.on_enqueued(answers); });
  }
  std::vector<LaneWithdrawal> withdrawals;
  std::erase_if(leaving, [&](const std::string& uid) {
    if (!ending.contains(uid) && !returning.contains(uid)) return false;
    withdrawals.push_back({uid, std::unexpected(why)});
    return true;
  });
  if (!withdrawals.empty()) {
    deliver([this, withdrawals = std::move(withdrawals)] { events_.on_withdrawn(withdrawals); });
  }
}

void QueueLane::enqueue(std::vector<NewTask>& tasks) {
  std::optional<Error> away;  // once it is, the other batches are not tried: each could time out
  for (std::size_t begin = 0; begin < tasks.size(); begin += most_per_call) {
    const std::span batch =
        std::span(tasks).subspan(begin, std::min(most_per_call, tasks.size() - begin));
    std::vector<LaneAnswer> answers;
    answers.reserve(batch.size());
    if (!away) away = enqueue_batch(batch, answers);
    for (std::size_t i = answers.size(); i < batch.size(); ++i) {
      answers.push_back({batch[i].task->uid, batch[i].away, std::unexpected(*away)});
    }
    deliver([this, answers = std::move(answers)] { events_.on_enqueued(answers); });
  }
}

void QueueLane::withdraw(const std::vector<std::string>& uids) {
  const auto numbers = queue_.withdraw(uids, clock_.now());
  note(numbers ? nullptr : &numbers.error());
  std::vector<LaneWithdrawal> answers;
  answers.reserve(uids.size());
  for (std::size_t i = 0; i < uids.size(); ++i) {
    answers.push_back({uids[i], numbers ? Result<std::uint32_t>((*numbers)[i])
                                        : Result<std::uint32_t>(std::unexpected(numbers.error()))});
  }
  deliver([this, answers = std::move(answers)] { events_.on_withdrawn(answers); });
}

/// Adds an answer for each, unless the queue is away: then why.
std::optional<Error> QueueLane::enqueue_batch(std::span<const NewTask> batch,
                                              std::vector<LaneAnswer>& answers) {
  const Instant now = clock_.now();
  auto enqueued = queue_.enqueue(batch, pool_.reserve(now), now);
  note(enqueued ? nullptr : &enqueued.error());
  if (!enqueued) {
    pool_.offer({});
    return enqueued.error();
  }
  offer_leased(batch, *enqueued);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    answers.push_back({batch[i].task->uid, batch[i].away, std::move(enqueued->outcomes[i])});
  }
  return std::nullopt;
}

/// What was leased at once goes to the workers; for what waits in the queue they are woken.
void QueueLane::offer_leased(std::span<const NewTask> tasks, Enqueued& enqueued) {
  bool waits = false;
  std::vector<Lease> leases = std::move(enqueued.leased);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const EnqueueOutcome& outcome = enqueued.outcomes[i];
    waits |= outcome.status == EnqueueStatus::accepted;
    if (outcome.status != EnqueueStatus::leased || tasks[i].away) continue;
    leases.push_back({.task = tasks[i].task,
                      .number = outcome.number,
                      .attempt = first_attempt(*tasks[i].task),
                      .arrival = tasks[i].arrival,
                      .reply_to = pool_.holder()});
  }
  pool_.offer(std::move(leases));
  if (waits) pool_.wake();
}

/// Both may be told again: a transition that took effect before changes nothing the second time.
void QueueLane::settle(LaneWork& work) {
  const Instant now = clock_.now();
  if (!work.finish.empty()) {
    std::vector<Lease> none;
    const auto finished = queue_.finish(work.finish, LeaseWant{}, now, none);
    note(finished ? nullptr : &finished.error());
    if (!finished) {
      unsettled_ = std::move(work);
      return;
    }
    untold_ -= work.finish.size();
  }
  if (!work.give_back.empty()) {
    const auto given = queue_.give_back(work.give_back, now);
    note(given ? nullptr : &given.error());
    if (!given) {
      unsettled_.give_back = std::move(work.give_back);
      return;
    }
    untold_ -= work.give_back.size();
    pool_.wake();
  }
}

void QueueLane::ask_load() {
  const Instant now = clock_.now();
  load_at_ = now + load_interval;
  if (!is_up_ && !is_back(now)) return;
  const auto load = queue_.load(now);
  note(load ? nullptr : &load.error());
  if (!load) return;
  deliver([this, load = *load] { events_.on_load(load); });
  LaneWork rest = std::exchange(unsettled_, {});
  settle(rest);
}

/// A queue may be read that takes no writes: that it answers does not mean that it is back.
bool QueueLane::is_back(Instant now) {
  return now - changed_at_ >= probe_pause_ && queue_.probe();
}

/// Each call says whether the queue is there; only a change is told.
void QueueLane::note(const Error* error) {
  if (error != nullptr) {
    if (!is_up_) return;
    is_up_ = false;
    // One that takes the probe and refuses the tasks, again and again, is asked less often.
    const Duration lasted = clock_.now() - std::exchange(changed_at_, clock_.now());
    const bool is_fickle = lasted < longest_probe_pause;
    probe_pause_ = is_fickle ? std::clamp(probe_pause_ * 2, load_interval, longest_probe_pause)
                             : Duration::zero();
    deliver([this, why = *error] { events_.on_down(why); });
    return;
  }
  std::string incarnation = queue_.incarnation();
  const bool restarted = incarnation != incarnation_;
  if (is_up_ && !restarted) return;
  if (!is_up_) changed_at_ = clock_.now();
  is_up_ = true;
  incarnation_ = std::move(incarnation);
  deliver([this, restarted] { events_.on_up(restarted); });
}

void QueueLane::deliver(std::function<void()> event) {
  if (queue_.blocks()) {
    post_(std::move(event));
  } else {
    event();
  }
}

}  // namespace fogctl
