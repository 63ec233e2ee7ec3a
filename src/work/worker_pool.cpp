#include "work/worker_pool.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/counted.hpp"
#include "base/log.hpp"

namespace fogctl {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t most_per_exchange = 512;
/// A task expected to take longer than this does not start while results wait to be told.
constexpr Duration short_task = microseconds(200);
/// How long a task that was given up is known as such, in case its lease comes later.
constexpr Duration remembered = std::chrono::seconds(10);
constexpr Duration first_back_off = milliseconds(20);
constexpr Duration longest_back_off = milliseconds(500);
/// How often those that were put off are looked for; they come one after another.
constexpr Duration look_again = milliseconds(10);

}  // namespace

WorkerPool::WorkerPool(TaskQueue& queue, const Handlers& handlers, const Clock& clock,
                       PoolOptions options, PoolEvents events)
    : queue_(queue),
      handlers_(handlers),
      clock_(clock),
      options_(std::move(options)),
      runner_(handlers, clock, options_),
      events_(std::move(events)),
      spin_(clock),
      slots_(options_.threads) {}

WorkerPool::~WorkerPool() {
  for (std::jthread& thread : threads_) thread.request_stop();
  {
    const Lock lock(mutex_);
    for (Slot& slot : slots_) slot.stop.request_stop();
  }
  changed_.notify_all();
}

void WorkerPool::start() {
  for (Slot& slot : slots_) {
    threads_.emplace_back([this, &slot](const std::stop_token& stop) { work(stop, slot); });
  }
}

void WorkerPool::work(const std::stop_token& stop, Slot& slot) {
  Lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (errand_) {
      run_errand(lock);
    } else if (should_exchange(clock_.now())) {
      exchange(lock);
    } else if (!waiting_.empty()) {
      run_next(lock, slot);
    } else {
      ++idle_;
      wait_for_change(lock);
      --idle_;
    }
  }
}

void WorkerPool::wait_for_change(Lock& lock) {
  const Instant begin = clock_.now();
  if (!spinning_ && spin_.is_worth_it()) {
    spinning_ = true;
    const std::uint64_t seen = changes_.load();
    lock.unlock();
    spin_.wait([&] { return changes_.load() != seen; });
    lock.lock();
    spinning_ = false;
    return spin_.learn(clock_.now() - begin);  // the caller looks again, under the lock
  }
  const bool must_retry = queue_failed_ && !exchanging_;
  Duration longest = must_retry ? retry_at_ - clock_.now() : Duration(milliseconds(1000));
  if (next_retry_) longest = std::min(longest, *next_retry_ - clock_.now());
  changed_.wait_for(lock, longest);
  if (next_retry_ && *next_retry_ <= clock_.now()) {
    next_retry_.reset();
    maybe_work_ = true;
    if (put_off_until_ > clock_.now()) next_retry_ = clock_.now() + look_again;
  }
  spin_.learn(clock_.now() - begin);
}

/// The caller holds no lock.
void WorkerPool::tell_change(bool all) {
  ++changes_;
  if (all) {
    changed_.notify_all();
  } else {
    changed_.notify_one();
  }
}

bool WorkerPool::lend_worker(std::function<void()> errand) {
  {
    const Lock lock(mutex_);
    if (idle_ == 0 || errand_ || on_errand_) return false;
    errand_ = std::move(errand);
  }
  tell_change(false);
  return true;
}

void WorkerPool::run_errand(Lock& lock) {
  const auto errand = std::exchange(errand_, {});
  on_errand_ = true;
  lock.unlock();
  errand();
  lock.lock();
  on_errand_ = false;
}

/// The caller, on a worker that runs nothing, is one of them.
std::size_t WorkerPool::free_workers() const {
  const std::size_t free = idle_now() + 1;
  return free - std::min(free, reserved_);
}

/// Only one exchange at a time: the other workers go on running meanwhile.
bool WorkerPool::should_exchange(Instant now) const {
  if (exchanging_ || (queue_failed_ && now < retry_at_)) return false;
  if (waiting_.empty()) return has_ended() || (maybe_work_ && !draining_ && free_workers() > 0);
  if (!has_ended()) return false;
  const Lease& next = waiting_.front().lease;
  return finished_.size() >= most_per_exchange / 2 || is_unknown(next) ||
         expected(next) > short_task;
}

void WorkerPool::exchange(Lock& lock) {
  exchanging_ = true;
  std::vector<Finished> batch = std::exchange(finished_, {});
  std::vector<Retry> failed = std::exchange(failed_, {});
  const Instant now = clock_.now();
  const LeaseWant wanted = draining_ ? LeaseWant{} : want_for(free_workers(), now);
  if (wanted.at_most > 0) maybe_work_ = false;
  lock.unlock();

  std::vector<Lease> leased;
  std::vector<FinishStatus> statuses;
  std::optional<Error> error;
  if (!failed.empty()) {
    if (auto put_off = queue_.retry(failed, now); !put_off) error = put_off.error();
    if (!error) failed.clear();
  }
  if (error) {
    // The rest waits with it.
  } else if (batch.empty()) {
    auto answer = queue_.lease(wanted, now);
    if (answer) leased = std::move(*answer);
    if (!answer) error = answer.error();
  } else {
    auto answer = queue_.finish(batch, wanted, now, leased);
    if (answer) statuses = std::move(*answer);
    if (!answer) error = answer.error();
  }
  if (!error) sort_results(batch, statuses);

  lock.lock();
  exchanging_ = false;
  if (error) {
    std::ranges::move(finished_, std::back_inserter(batch));
    finished_ = std::move(batch);
    std::ranges::move(failed, std::back_inserter(failed_));
    maybe_work_ = true;
    note_failure(*error);
  } else {
    if (queue_failed_) log(LogLevel::info, "the queue answers again");
    queue_failed_ = false;
    back_off_ = Duration::zero();
  }
  leased_ += leased.size();
  for (Lease& lease : leased) waiting_.push_back({std::move(lease), now});
  if (!leased.empty()) maybe_work_ = true;
  if (waiting_.size() > 1 || draining_) changed_.notify_all();
}

void WorkerPool::note_failure(const Error& error) {
  if (!queue_failed_) log(LogLevel::warning, "workers wait for the queue: {}", error.message);
  queue_failed_ = true;
  back_off_ = std::clamp(back_off_ * 2, first_back_off, longest_back_off);
  retry_at_ = clock_.now() + back_off_;
}

/// Hands on what became the one effective result. A result for a task that is gone was told to the
/// queue before, by a call whose answer was lost: whoever waits for it drops a second one.
void WorkerPool::sort_results(std::vector<Finished>& batch,
                              const std::vector<FinishStatus>& statuses) {
  std::vector<TaskResult> own;
  std::size_t superseded = 0;
  for (std::size_t i = 0; i < batch.size() && i < statuses.size(); ++i) {
    if (statuses[i] == FinishStatus::superseded) {
      ++superseded;
    } else if (batch[i].reply_to == options_.holder) {
      const bool is_cancelled = statuses[i] == FinishStatus::cancelled;
      own.push_back(is_cancelled ? cancelled_result(batch[i].lease.uid)
                                 : std::move(batch[i].result));
    }
  }
  if (superseded > 0) {
    log(LogLevel::warning, "dropped {} whose lease had been lost",
        counted(superseded, "result of a run", "results of runs"));
    const std::lock_guard guard(mutex_);
    superseded_ += superseded;
  }
  if (!own.empty() && events_.on_results) events_.on_results(std::move(own));
}

void WorkerPool::run_next(Lock& lock, Slot& slot) {
  auto lease = take_next(slot);
  if (!lease) return;
  begin_run(slot, *lease);
  lock.unlock();
  if (events_.on_begun) events_.on_begun(*lease->task);
  const std::uint32_t attempt = lease->attempt;
  const Instant arrival = lease->arrival;
  EndedRun ended =
      runner_.run(std::move(*lease), slot.since, slot.stop.get_token(), [&slot](double share) {
        if (std::isfinite(share)) slot.share = std::clamp(share, 0.0, 1.0);
      });
  const bool is_left = pass_on(ended.finished, attempt, arrival);
  lock.lock();
  slot.running.reset();
  Finished& finished = ended.finished;
  if (!finished.result.error) {
    estimates_.add(*finished.task, finished.result.execution_time);
  }
  if (ended.retry_at) {
    note_retry({std::move(finished.lease), *ended.retry_at, ended.counts});
  } else if (!is_left) {
    finished_.push_back(std::move(finished));
  }
  end_turn(slot);
  if (draining_) changed_.notify_all();
}

void WorkerPool::begin_run(Slot& slot, const Lease& lease) {
  if (slot.stop.stop_requested()) slot.stop = std::stop_source();
  slot.running = LeaseRef{lease.task->uid, lease.number};
  slot.since = clock_.now();
  slot.expected = expected(lease);
  slot.told = false;
  slot.share = slot.told_share = Slot::no_share;
  slot.reply_to.clear();
  if (lease.reply_to != options_.holder) slot.reply_to = lease.reply_to;
}

void WorkerPool::cancel(const std::vector<std::string>& uids) {
  const auto is_meant = [&](const std::string& uid) {
    return std::ranges::find(uids, uid) != uids.end();
  };
  {
    const Lock lock(mutex_);
    for (Slot& slot : slots_) {
      if (slot.running && is_meant(slot.running->uid)) slot.stop.request_stop();
    }
    const auto waits = [&](const WaitingLease& one) { return is_meant(one.lease.task->uid); };
    for (WaitingLease& one : take_waiting_if(waits)) finish_cancelled(std::move(one.lease));
    // The lease may still be on its way here.
    const Instant now = clock_.now();
    std::erase_if(cancelled_, [&](const auto& one) { return one.second < now; });
    for (const std::string& uid : uids) cancelled_[uid] = now + remembered;
  }
  tell_change(true);
}

void WorkerPool::finish_cancelled(Lease lease) {
  LeaseRef ref{lease.task->uid, lease.number};
  TaskResult result = cancelled_result(ref.uid);
  finished_.push_back(
      {std::move(ref), std::move(lease.task), std::move(result), std::move(lease.reply_to), 0});
}

Duration WorkerPool::expected(const Lease& lease) const {
  return estimates_.of(*lease.task);
}

bool WorkerPool::is_unknown(const Lease& lease) const {
  return estimates_.find(lease.task->name) == nullptr;
}

LeaseWant WorkerPool::reserve(Instant now) {
  const Lock lock(mutex_);
  if (draining_) return {};
  LeaseWant reserved = want_for(idle_now(), now);
  reserved_ = std::min(reserved.idle, reserved.at_most);
  return reserved;
}

/// One task for each worker that is free, and ahead of that what the workers that are soon free
/// are expected to begin in time. A worker with a long task counts for nothing.
LeaseWant WorkerPool::want_for(std::size_t idle, Instant now) const {
  LeaseWant want;
  want.order = options_.order;
  want.estimates = estimates_.classes().all();
  want.idle = idle > waiting_.size() ? idle - waiting_.size() : 0;
  std::size_t soon = idle;
  for (const Slot& slot : slots_) {
    const bool is_short = slot.expected <= options_.ahead && now - slot.since <= options_.ahead;
    if (slot.running && is_short) ++soon;
  }
  Duration ahead = options_.ahead * static_cast<Duration::rep>(soon);
  for (const WaitingLease& waiting : waiting_) {
    // Behind a task of unknown time nothing is reserved.
    ahead -= is_unknown(waiting.lease) ? options_.ahead : expected(waiting.lease);
  }
  for (const TaskClass weight : task_classes) {
    if (estimates_.classes().seen(weight) == 0) want.estimates[index_of(weight)] = options_.ahead;
  }
  want.ahead = std::max(ahead, Duration::zero());
  const std::size_t room = most_per_exchange - std::min(most_per_exchange, waiting_.size());
  want.at_most = want.ahead > Duration::zero() ? room : std::min(want.idle, room);
  return want;
}

void WorkerPool::offer(std::vector<Lease> leases) {
  const Instant now = clock_.now();
  bool one_is_enough = false;
  {
    const Lock lock(mutex_);
    const bool were_held_up = std::exchange(reserved_, 0) > 0 && maybe_work_;
    if (leases.empty() && !were_held_up) return;
    leased_ += leases.size();
    Duration total{};
    for (Lease& lease : leases) {
      total += is_unknown(lease) ? short_task : expected(lease);
      waiting_.push_back({std::move(lease), now});
    }
    one_is_enough = !were_held_up && (leases.size() == 1 || total < short_task);
    if (one_is_enough && on_errand_) return;  // the worker that brings them runs them
  }
  tell_change(!one_is_enough);
}

void WorkerPool::wake(bool is_news) {
  {
    const Lock lock(mutex_);
    if (!is_news && clock_.now() < looks_again_at_) return;
    maybe_work_ = true;
  }
  tell_change(false);
}

bool WorkerPool::drain(Instant deadline) {
  Lock lock(mutex_);
  while (true) {
    const bool runs =
        std::ranges::any_of(slots_, [](const Slot& s) { return s.running.has_value(); });
    if (!runs && !exchanging_ && !has_ended() && waiting_.empty()) return true;
    const Duration left = deadline - clock_.now();
    if (left <= Duration::zero()) return false;
    changed_.wait_for(lock, std::min(left, Duration(milliseconds(50))));
  }
}

/// A worker that is stuck in an exchange with the queue runs nothing either.
PoolPulse WorkerPool::pulse() const {
  const Lock lock(mutex_);
  const auto running =
      std::ranges::count_if(slots_, [](const Slot& s) { return s.running.has_value(); });
  return {slots_.size() - static_cast<std::size_t>(running), leased_, draining_};
}

}  // namespace fogctl
