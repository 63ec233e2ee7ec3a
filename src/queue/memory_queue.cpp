#include "queue/memory_queue.hpp"

#include <algorithm>
#include <utility>

namespace fogctl {

MemoryQueue::MemoryQueue(std::shared_ptr<MemoryStore> store, const std::string& holder)
    : store_(std::move(store)) {
  const std::lock_guard lock(store_->mutex_);
  me_ = &store_->holder_named(holder);
}

// A holder that was registered anew while this queue knew of an earlier life lost what it held.
void MemoryQueue::note_life() {
  if (me_->life == 0 || me_->life == life_) return;
  if (life_ != 0) evicted_ = true;
  life_ = me_->life;
}

Result<Enqueued> MemoryQueue::enqueue(std::span<const NewTask> tasks, const LeaseWant& want,
                                      Instant now) {
  const std::lock_guard lock(store_->mutex_);
  auto done = store_->enqueue(*me_, tasks, want, now);
  note_life();
  return done;
}

Result<std::vector<Lease>> MemoryQueue::lease(const LeaseWant& want, Instant now) {
  std::vector<Lease> leases;
  const std::lock_guard lock(store_->mutex_);
  store_->lease(*me_, want, now, leases);
  note_life();
  return leases;
}

Result<void> MemoryQueue::started(std::span<const LeaseRef> leases, Instant) {
  const std::lock_guard lock(store_->mutex_);
  store_->started(*me_, leases);
  return {};
}

Result<bool> MemoryQueue::extend(std::size_t workers, Duration lease, Instant now) {
  const std::lock_guard lock(store_->mutex_);
  store_->extend(*me_, workers, now + lease);
  note_life();
  return !std::exchange(evicted_, false);
}

Result<std::vector<FinishStatus>> MemoryQueue::finish(std::span<const Finished> tasks,
                                                      const LeaseWant& want, Instant now,
                                                      std::vector<Lease>& next) {
  std::vector<FinishStatus> statuses;
  statuses.reserve(tasks.size());
  const std::lock_guard lock(store_->mutex_);
  for (const Finished& task : tasks) {
    statuses.push_back(store_->finish(*me_, task, now));
  }
  if (want.at_most > 0) {
    store_->lease(*me_, want, now, next);
    note_life();
  }
  return statuses;
}

Result<void> MemoryQueue::retry(std::span<const Retry> runs, Instant) {
  const std::lock_guard lock(store_->mutex_);
  for (const Retry& run : runs) store_->retry(*me_, run);
  return {};
}

Result<std::vector<std::uint32_t>> MemoryQueue::withdraw(std::span<const std::string> uids,
                                                         Instant now) {
  const std::lock_guard lock(store_->mutex_);
  const std::uint32_t number = store_->next_number();
  std::vector<std::uint32_t> numbers;
  numbers.reserve(uids.size());
  for (const std::string& uid : uids) {
    numbers.push_back(store_->withdraw(*me_, uid, number));
  }
  if (std::ranges::find(numbers, number) != numbers.end()) store_->register_holder(*me_, now);
  store_->tidy();
  note_life();
  return numbers;
}

Result<std::vector<CancelStatus>> MemoryQueue::cancel(std::span<const std::string> uids,
                                                      Instant now) {
  const std::lock_guard lock(store_->mutex_);
  std::vector<CancelStatus> statuses;
  statuses.reserve(uids.size());
  for (const std::string& uid : uids) statuses.push_back(store_->cancel(uid, now));
  return statuses;
}

Result<void> MemoryQueue::pause(bool is_paused) {
  const std::lock_guard lock(store_->mutex_);
  store_->pause(is_paused);
  return {};
}

Result<std::vector<TaskInfo>> MemoryQueue::list(TaskState state, std::size_t most, Instant) {
  const std::lock_guard lock(store_->mutex_);
  return store_->list(state, most);
}

Result<std::optional<TaskInfo>> MemoryQueue::find(const std::string& uid, Instant) {
  const std::lock_guard lock(store_->mutex_);
  return store_->find(uid);
}

Result<OldestTasks> MemoryQueue::oldest(Instant) {
  const std::lock_guard lock(store_->mutex_);
  return store_->oldest();
}

Result<void> MemoryQueue::give_back(std::span<const LeaseRef> leases, Instant) {
  const std::lock_guard lock(store_->mutex_);
  store_->give_back(*me_, leases);
  return {};
}

Result<std::size_t> MemoryQueue::recover_expired(Instant now) {
  const std::lock_guard lock(store_->mutex_);
  return store_->recover_expired(now);
}

Result<void> MemoryQueue::leave(Instant) {
  const std::lock_guard lock(store_->mutex_);
  store_->evict(*me_, false);
  life_ = 0;
  evicted_ = false;
  return {};
}

Result<QueueLoad> MemoryQueue::load(Instant now) {
  const std::lock_guard lock(store_->mutex_);
  return store_->load(now);
}

Result<std::vector<DeadTask>> MemoryQueue::dead(std::size_t most) {
  const std::lock_guard lock(store_->mutex_);
  return store_->dead_.newest(most);
}

Result<std::size_t> MemoryQueue::revive(std::span<const std::string> uids, Instant now) {
  const std::lock_guard lock(store_->mutex_);
  std::size_t revived = 0;
  for (const std::string& uid : uids) revived += store_->revive(*me_, uid, now) ? 1 : 0;
  return revived;
}

Result<std::size_t> MemoryQueue::bury(std::span<const std::string> uids) {
  const std::lock_guard lock(store_->mutex_);
  std::size_t buried = 0;
  for (const std::string& uid : uids) buried += store_->dead_.take(uid) ? 1 : 0;
  return buried;
}

Result<std::optional<TaskResult>> MemoryQueue::kept_result(const std::string& uid, Instant now) {
  const std::lock_guard lock(store_->mutex_);
  const auto* kept = store_->results_.find(uid, now);
  if (kept == nullptr) return std::nullopt;
  return kept->result;
}

Result<QueueNews> MemoryQueue::wait(Duration at_most) {
  QueueNews news;
  std::unique_lock lock(store_->mutex_);
  const auto has_news = [&] {
    return interrupted_ || seen_wakes_ != store_->wakes_ || me_->has_news();
  };
  ++store_->waiting_;
  store_->news_.wait_for(lock, at_most, has_news);
  --store_->waiting_;
  news.work = seen_wakes_ != store_->wakes_;
  seen_wakes_ = store_->wakes_;
  news.replies.swap(me_->replies);
  news.cancelled.swap(me_->cancelled);
  return news;
}

void MemoryQueue::interrupt() {
  const std::lock_guard lock(store_->mutex_);
  interrupted_ = true;
  store_->news_.notify_all();
}

}  // namespace fogctl
