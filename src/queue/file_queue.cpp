#include "queue/file_queue.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace fogctl {
namespace {

// The arrivals of tasks tell the time better, where there are any.
constexpr Duration clock_interval = std::chrono::minutes(1);

/// Writes the journal of a queue file through to the disk: what was committed is then there.
Result<void> write_through(const std::string& path) {
  const int descriptor = ::open((path + "-wal").c_str(), O_RDONLY | O_CLOEXEC);
  const bool is_through = descriptor >= 0 && ::fdatasync(descriptor) == 0;
  const int why = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (is_through) return {};
  return failure(ErrorCode::unavailable, fmt::format("cannot write queue file {} to the disk: {}",
                                                     path, std::generic_category().message(why)));
}

}  // namespace

FileQueue::FileQueue(std::shared_ptr<FileStore> store, const std::string& holder)
    : store_(std::move(store)) {
  const std::lock_guard lock(store_->mutex_);
  me_ = &store_->holder_named(holder);
}

// A holder that was registered anew while this queue knew of an earlier life lost what it held.
void FileQueue::note_life() {
  if (me_->life == 0 || me_->life == life_) return;
  if (life_ != 0) evicted_ = true;
  life_ = me_->life;
}

Result<Enqueued> FileQueue::enqueue(std::span<const NewTask> tasks, const LeaseWant& want,
                                    Instant now) {
  const std::lock_guard lock(store_->mutex_);
  if (auto there = store_->check_place(); !there) return std::unexpected(std::move(there.error()));
  store_->begin();
  auto done = store_->enqueue(*me_, tasks, want, now);
  if (auto kept = store_->commit("enqueue", tasks.size()); !kept) {
    return std::unexpected(std::move(kept.error()));
  }
  note_life();
  return done;
}

Result<void> FileQueue::probe() {
  const std::lock_guard lock(store_->mutex_);
  return store_->check_place();
}

Result<std::vector<Lease>> FileQueue::lease(const LeaseWant& want, Instant now) {
  std::vector<Lease> leases;
  const std::lock_guard lock(store_->mutex_);
  if (store_->counts_.queued() == 0 && store_->counts_.load.delayed == 0) return leases;
  store_->begin();
  store_->lease(*me_, want, now, leases);
  if (auto kept = store_->commit("lease"); !kept) return std::unexpected(std::move(kept.error()));
  note_life();
  return leases;
}

Result<void> FileQueue::started(std::span<const LeaseRef> leases, Instant) {
  const std::lock_guard lock(store_->mutex_);
  store_->begin();
  store_->started(*me_, leases);
  return store_->commit("record as started", leases.size());
}

// The lease is this process's own affair, so it is renewed even while nothing can be written.
Result<bool> FileQueue::extend(std::size_t workers, Duration lease, Instant now) {
  const std::lock_guard lock(store_->mutex_);
  store_->extend(*me_, workers, now + lease);
  note_life();
  if (now - store_->clock_noted_at_ >= clock_interval) {
    store_->begin();
    store_->note_clock(now);
    // Where it fails, load() tells.
    if (!store_->commit("note the time")) store_->is_failing_ = true;
  }
  return !std::exchange(evicted_, false);
}

Result<std::vector<FinishStatus>> FileQueue::finish(std::span<const Finished> tasks,
                                                    const LeaseWant& want, Instant now,
                                                    std::vector<Lease>& next) {
  std::vector<FinishStatus> statuses;
  statuses.reserve(tasks.size());
  std::vector<Lease> leases;
  const std::lock_guard lock(store_->mutex_);
  store_->begin();
  for (const Finished& task : tasks) statuses.push_back(store_->finish(*me_, task, now));
  store_->trim_results(now);
  if (want.at_most > 0) store_->lease(*me_, want, now, leases);
  if (auto kept = store_->commit("finish", tasks.size()); !kept) {
    return std::unexpected(std::move(kept.error()));
  }
  note_life();
  for (Lease& lease : leases) next.push_back(std::move(lease));
  return statuses;
}

Result<void> FileQueue::retry(std::span<const Retry> runs, Instant) {
  const std::lock_guard lock(store_->mutex_);
  store_->begin();
  for (const Retry& run : runs) store_->retry(*me_, run);
  return store_->commit("put off", runs.size());
}

Result<std::vector<std::uint32_t>> FileQueue::withdraw(std::span<const std::string> uids,
                                                       Instant now) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(uids.size());
  const std::lock_guard lock(store_->mutex_);
  store_->begin();
  const std::uint32_t number = store_->next_number();
  for (const std::string& uid : uids) {
    numbers.push_back(store_->withdraw(*me_, uid, number));
  }
  if (std::ranges::find(numbers, number) != numbers.end()) store_->register_holder(*me_, now);
  if (auto kept = store_->commit("withdraw", uids.size()); !kept) {
    return std::unexpected(std::move(kept.error()));
  }
  note_life();
  return numbers;
}

Result<std::vector<CancelStatus>> FileQueue::cancel(std::span<const std::string> uids,
                                                    Instant now) {
  return transact("give up", uids.size(), [&] {
    std::vector<CancelStatus> statuses;
    statuses.reserve(uids.size());
    for (const std::string& uid : uids) statuses.push_back(store_->cancel(uid, now));
    return statuses;
  });
}

Result<void> FileQueue::pause(bool is_paused) {
  const std::lock_guard lock(store_->mutex_);
  store_->begin();
  store_->pause(is_paused);
  return store_->commit(is_paused ? "pause the work" : "resume the work");
}

Result<std::vector<TaskInfo>> FileQueue::list(TaskState state, std::size_t most, Instant) {
  return transact("list the tasks", 0, [&] { return store_->list(state, most); });
}

Result<std::optional<TaskInfo>> FileQueue::find(const std::string& uid, Instant) {
  return transact("look up a task", 0, [&] { return store_->info(uid); });
}

Result<OldestTasks> FileQueue::oldest(Instant) {
  return transact("look for the oldest tasks", 0, [&] { return store_->first_of_each(); });
}

Result<void> FileQueue::give_back(std::span<const LeaseRef> leases, Instant) {
  const std::lock_guard lock(store_->mutex_);
  store_->begin();
  store_->give_back(*me_, leases);
  return store_->commit("give back", leases.size());
}

Result<std::size_t> FileQueue::recover_expired(Instant now) {
  const std::lock_guard lock(store_->mutex_);
  store_->begin();
  const std::size_t recovered = store_->recover_expired(now);
  if (auto kept = store_->commit("queue again", recovered); !kept) {
    return std::unexpected(std::move(kept.error()));
  }
  return recovered;
}

Result<void> FileQueue::leave(Instant now) {
  const std::lock_guard lock(store_->mutex_);
  store_->begin();
  store_->evict(*me_, false);
  store_->note_clock(now);
  if (auto kept = store_->commit("give back what is held"); !kept) return kept;
  life_ = 0;
  evicted_ = false;
  return {};
}

Result<QueueLoad> FileQueue::load(Instant now) {
  const std::lock_guard lock(store_->mutex_);
  if (store_->is_failing_) {
    store_->begin();
    store_->note_clock(now);
    if (auto kept = store_->commit("write"); !kept) return std::unexpected(std::move(kept.error()));
    store_->is_failing_ = false;
  }
  return store_->load(now);
}

Result<std::vector<DeadTask>> FileQueue::dead(std::size_t most) {
  return transact("list the dead", 0, [&] { return store_->newest_dead(most); });
}

Result<std::size_t> FileQueue::revive(std::span<const std::string> uids, Instant now) {
  return transact("revive", uids.size(), [&] {
    std::size_t revived = 0;
    for (const std::string& uid : uids) revived += store_->revive(*me_, uid, now) ? 1 : 0;
    return revived;
  });
}

Result<std::size_t> FileQueue::bury(std::span<const std::string> uids) {
  return transact("bury", uids.size(), [&] {
    std::size_t buried = 0;
    for (const std::string& uid : uids) buried += store_->forget_dead(uid) ? 1 : 0;
    return buried;
  });
}

Result<std::optional<TaskResult>> FileQueue::kept_result(const std::string& uid, Instant now) {
  return transact("look up a result", 0, [&] { return store_->kept_result(uid, now); });
}

// The thread that waits for news has time to wait for the disk, too; others go on meanwhile.
Result<QueueNews> FileQueue::wait(Duration at_most) {
  QueueNews news;
  std::unique_lock lock(store_->mutex_);
  if (store_->is_sync_due()) {
    lock.unlock();
    auto synced = write_through(store_->options_.path);
    lock.lock();
    if (!synced) {
      store_->changes_synced_ = 0;  // next time again
      return std::unexpected(std::move(synced.error()));
    }
  }
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

void FileQueue::interrupt() {
  const std::lock_guard lock(store_->mutex_);
  interrupted_ = true;
  store_->news_.notify_all();
}

}  // namespace fogctl
