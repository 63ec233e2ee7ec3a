// What a worker pool holds and does not run: tasks that wait for a worker or for their kind's turn,
// and those that it puts off or gives back.
#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "work/worker_pool.hpp"

namespace fogctl {
namespace {

/// How long a task that has no handler here is left to the other processes of its queue.
constexpr Duration for_others = std::chrono::seconds(1);
/// They look at the queue once a second, and had better do so first.
constexpr Duration others_look_within = std::chrono::milliseconds(1500);

}  // namespace

/// The next that may begin; none: it was given up, or waits for its kind's turn now.
std::optional<Lease> WorkerPool::take_next(Slot& slot) {
  WaitingLease next = std::move(waiting_.front());
  waiting_.pop_front();
  const std::string& kind = next.lease.task->name;
  if (cancelled_.contains(next.lease.task->uid)) {
    finish_cancelled(std::move(next.lease));
    return std::nullopt;
  }
  const int bound = bound_of(kind);
  if (!bounds_.begin(kind, bound)) {
    wait_for_turn(std::move(next), bound);
    return std::nullopt;
  }
  slot.kind = bound > 0 ? kind : std::string();
  return std::move(next.lease);
}

/// Keeps it at hand, or puts it off; a pool that leases no more keeps nothing.
void WorkerPool::wait_for_turn(WaitingLease waiting, int bound) {
  if (!draining_ && bounds_.keep(waiting, bound)) return;
  const Instant now = clock_.now();
  const Lease& lease = waiting.lease;
  const Instant until = draining_ ? now : bounds_.put_off(lease, bound, now);
  note_retry({{lease.task->uid, lease.number}, until, false});
  if (draining_) changed_.notify_all();
}

/// After a run of a bounded kind: the next of them is first in line.
void WorkerPool::end_turn(Slot& slot) {
  if (slot.kind.empty()) return;
  auto next = bounds_.end(slot.kind, bound_of(slot.kind), clock_.now() - slot.since);
  slot.kind.clear();
  if (next.empty()) return;
  waiting_.insert(waiting_.begin(), std::make_move_iterator(next.begin()),
                  std::make_move_iterator(next.end()));
  tell_change(next.size() > 1);
}

int WorkerPool::bound_of(const std::string& kind) const {
  const auto table = handlers_.table();
  const Handler* handler = table->find(kind);
  return handler == nullptr ? 0 : handler->concurrency;
}

void WorkerPool::note_retry(Retry retry) {
  next_retry_ = std::min(next_retry_.value_or(retry.not_before), retry.not_before);
  if (!retry.counts) put_off_until_ = std::max(put_off_until_, retry.not_before);
  failed_.push_back(std::move(retry));
}

/// Where the task was not run, as it has no handler here: somebody else may have one. False: this
/// is its result. The caller holds no lock.
bool WorkerPool::pass_on(const Finished& finished, std::uint32_t attempt, Instant arrival) {
  const auto& error = finished.result.error;
  if (!error || error->code != TaskErrorCode::unknown_task) return false;
  const bool may_be_others = has_others();
  if (events_.on_unrunnable) {
    events_.on_unrunnable(
        {finished.task, finished.lease.number, attempt, arrival, finished.reply_to}, may_be_others);
  } else if (may_be_others) {
    leave_to_others(*finished.task, finished.lease);
  }
  return events_.on_unrunnable || may_be_others;
}

bool WorkerPool::has_others() const {
  const auto load = queue_.load(clock_.now());
  return !load || load->workers > options_.threads;
}

void WorkerPool::leave_to_others(const Task& task, LeaseRef lease) {
  const Lock lock(mutex_);
  const Instant until = clock_.now() + for_others;
  failed_.push_back({std::move(lease), until, false});
  looks_again_at_ = until + others_look_within;
  if (left_to_others_.insert(task.name).second) {
    log(LogLevel::warning,
        "task '{}' has no handler here, and is left to the queue's other workers; give all of them "
        "the same task files",
        task.name);
  }
}

std::vector<WaitingLease> WorkerPool::take_waiting_if(
    const std::function<bool(const WaitingLease&)>& is_meant) {
  std::vector<WaitingLease> taken = bounds_.take_if(is_meant);
  std::erase_if(waiting_, [&](WaitingLease& waiting) {
    if (!is_meant(waiting)) return false;
    taken.push_back(std::move(waiting));
    return true;
  });
  return taken;
}

std::vector<LeaseRef> WorkerPool::take_waiting(Instant since) {
  const Lock lock(mutex_);
  std::vector<LeaseRef> taken;
  const auto is_old = [&](const WaitingLease& waiting) { return waiting.since <= since; };
  for (const WaitingLease& waiting : take_waiting_if(is_old)) {
    taken.push_back({waiting.lease.task->uid, waiting.lease.number});
  }
  return taken;
}

std::vector<LeaseRef> WorkerPool::unknown_of(std::vector<LeaseRef> leases) const {
  const Lock lock(mutex_);
  std::erase_if(leases, [&](const LeaseRef& lease) {
    const auto waits = [&](const WaitingLease& waiting) {
      return waiting.lease.number == lease.number && waiting.lease.task->uid == lease.uid;
    };
    return std::ranges::any_of(waiting_, waits) || bounds_.has(lease) ||
           std::ranges::any_of(slots_, [&](const Slot& slot) { return slot.running == lease; }) ||
           std::ranges::find(finished_, lease, &Finished::lease) != finished_.end() ||
           std::ranges::find(failed_, lease, &Retry::lease) != failed_.end();
  });
  return leases;
}

void WorkerPool::stop_leasing() {
  {
    const Lock lock(mutex_);
    draining_ = true;
  }
  const auto given_back = take_waiting(Instant::max());
  if (!given_back.empty()) {
    if (const auto done = queue_.give_back(given_back, clock_.now()); !done) {
      log(LogLevel::warning, "leased tasks come back when the lease runs out: {}",
          done.error().message);
    }
  }
  tell_change(true);
}

}  // namespace fogctl
