#include "queue/file_queue.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
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

Result<void> is_done(const Result<bool>& outcome) {
  if (!outcome) return std::unexpected(outcome.error());
  return {};
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
  if (auto usable = store_->check_file(); !usable) {
    return std::unexpected(std::move(usable.error()));
  }
  const auto call = [&] { return store_->enqueue(*me_, tasks, store_->part_of(want), now); };
  return transact("enqueue", tasks.size(), call, want.at_most);
}

Result<void> FileQueue::probe() {
  const std::lock_guard lock(store_->mutex_);
  return store_->check_file();
}

Result<std::vector<Lease>> FileQueue::lease(const LeaseWant& want, Instant now) {
  const std::lock_guard lock(store_->mutex_);
  if (store_->counts_.queued() == 0 && store_->counts_.load.delayed == 0) {
    return std::vector<Lease>();
  }
  const auto call = [&] {
    std::vector<Lease> leases;
    store_->lease(*me_, store_->part_of(want), now, leases);
    return leases;
  };
  return transact("lease", 0, call, want.at_most);
}

Result<void> FileQueue::started(std::span<const LeaseRef> leases, Instant) {
  return in_parts("record as started", leases, [&](auto part) { store_->started(*me_, part); });
}

// The lease is this process's own affair, so it is renewed even while nothing can be written.
Result<bool> FileQueue::extend(std::size_t workers, Duration lease, Instant now) {
  const std::lock_guard lock(store_->mutex_);
  store_->extend(*me_, workers, now + lease);
  note_life();
  if (now - store_->clock_noted_at_ >= clock_interval) {
    [[maybe_unused]] const auto noted = note_clock("note the time", now);  // load() tells a failure
  }
  return !std::exchange(evicted_, false);
}

Result<bool> FileQueue::note_clock(std::string_view what, Instant now) {
  return transact(what, 0, [&] {
    store_->note_clock(now);
    return true;
  });
}

Result<std::vector<FinishStatus>> FileQueue::finish(std::span<const Finished> tasks,
                                                    const LeaseWant& want, Instant now,
                                                    std::vector<Lease>& next) {
  std::vector<FinishStatus> statuses;
  statuses.reserve(tasks.size());
  const std::lock_guard lock(store_->mutex_);
  do {
    const std::span<const Finished> rest = tasks.subspan(statuses.size());
    std::vector<Lease> leases;
    const auto call = [&] {
      leases.clear();
      const std::span<const Finished> part = store_->part_of(rest);
      std::vector<FinishStatus> ends;
      for (const Finished& task : part) ends.push_back(store_->finish(*me_, task, now));
      store_->trim_results(now);
      const bool is_last = part.size() == rest.size();
      if (is_last && want.at_most > 0) store_->lease(*me_, store_->part_of(want), now, leases);
      return ends;
    };
    const auto ends = transact("finish", rest.size(), call, std::max(rest.size(), want.at_most));
    if (!ends) return std::unexpected(ends.error());
    statuses.insert(statuses.end(), ends->begin(), ends->end());
    std::ranges::move(leases, std::back_inserter(next));
  } while (statuses.size() < tasks.size());
  return statuses;
}

Result<void> FileQueue::retry(std::span<const Retry> runs, Instant) {
  return in_parts("put off", runs, [&](auto part) {
    for (const Retry& run : part) store_->retry(*me_, run);
  });
}

Result<std::vector<std::uint32_t>> FileQueue::withdraw(std::span<const std::string> uids,
                                                       Instant now) {
  const std::lock_guard lock(store_->mutex_);
  return transact("withdraw", uids.size(), [&] {
    std::vector<std::uint32_t> numbers;
    numbers.reserve(uids.size());
    const std::uint32_t number = store_->next_number();
    for (const std::string& uid : uids) {
      numbers.push_back(store_->withdraw(*me_, uid, number));
    }
    if (std::ranges::find(numbers, number) != numbers.end()) store_->register_holder(*me_, now);
    return numbers;
  });
}

Result<std::vector<CancelStatus>> FileQueue::cancel(std::span<const std::string> uids,
                                                    Instant now) {
  const std::lock_guard lock(store_->mutex_);
  return transact("give up", uids.size(), [&] {
    std::vector<CancelStatus> statuses;
    statuses.reserve(uids.size());
    for (const std::string& uid : uids) statuses.push_back(store_->cancel(uid, now));
    return statuses;
  });
}

Result<void> FileQueue::pause(bool is_paused) {
  const std::lock_guard lock(store_->mutex_);
  return is_done(transact(is_paused ? "pause the work" : "resume the work", 0, [&] {
    store_->pause(is_paused);
    return true;
  }));
}

Result<std::vector<TaskInfo>> FileQueue::list(TaskState state, std::size_t most, Instant) {
  const std::lock_guard lock(store_->mutex_);
  return transact("list the tasks", 0, [&] { return store_->list(state, most); });
}

Result<std::optional<TaskInfo>> FileQueue::find(const std::string& uid, Instant) {
  const std::lock_guard lock(store_->mutex_);
  return transact("look up a task", 0, [&] { return store_->info(uid); });
}

Result<OldestTasks> FileQueue::oldest(Instant) {
  const std::lock_guard lock(store_->mutex_);
  return transact("look for the oldest tasks", 0, [&] { return store_->first_of_each(); });
}

Result<void> FileQueue::give_back(std::span<const LeaseRef> leases, Instant) {
  return in_parts("give back", leases, [&](auto part) { store_->give_back(*me_, part); });
}

Result<std::size_t> FileQueue::recover_expired(Instant now) {
  const std::lock_guard lock(store_->mutex_);
  return transact("queue again", 0, [&] { return store_->recover_expired(now); });
}

Result<void> FileQueue::leave(Instant now) {
  const std::lock_guard lock(store_->mutex_);
  auto left = is_done(transact("give back what is held", 0, [&] {
    store_->evict(*me_, false);
    store_->note_clock(now);
    return true;
  }));
  if (!left) return left;
  life_ = 0;
  evicted_ = false;
  return {};
}

Result<QueueLoad> FileQueue::load(Instant now) {
  const std::lock_guard lock(store_->mutex_);
  if (store_->damage_) return std::unexpected(*store_->damage_);
  store_->regain_room(now);
  if (store_->is_failing_) {
    if (const auto noted = note_clock("write", now); !noted) {
      return std::unexpected(noted.error());
    }
    store_->is_failing_ = false;
  }
  return store_->load(now);
}

Result<std::vector<DeadTask>> FileQueue::dead(std::size_t most) {
  const std::lock_guard lock(store_->mutex_);
  return transact("list the dead", 0, [&] { return store_->newest_dead(most); });
}

Result<std::size_t> FileQueue::revive(std::span<const std::string> uids, Instant now) {
  const std::lock_guard lock(store_->mutex_);
  return transact("revive", uids.size(), [&] {
    std::size_t revived = 0;
    for (const std::string& uid : uids) revived += store_->revive(*me_, uid, now) ? 1 : 0;
    return revived;
  });
}

Result<std::size_t> FileQueue::bury(std::span<const std::string> uids) {
  const std::lock_guard lock(store_->mutex_);
  return transact("bury", uids.size(), [&] {
    std::size_t buried = 0;
    for (const std::string& uid : uids) buried += store_->forget_dead(uid) ? 1 : 0;
    return buried;
  });
}

Result<std::optional<TaskResult>> FileQueue::kept_result(const std::string& uid, Instant now) {
  const std::lock_guard lock(store_->mutex_);
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
