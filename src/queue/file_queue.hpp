// The task queue in a file of this machine: for a node that runs alone and must lose nothing. One
// store, shared by the queues of its holders, all of one process. A call is one transaction: when
// it returns, what it did outlives a kill -9, and a power cut as FileSync says. Every call may come
// from any thread; they take turns.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "queue/file_store.hpp"
#include "queue/task_queue.hpp"

namespace fogctl {

class FileQueue final : public TaskQueue {
 public:
  FileQueue(std::shared_ptr<FileStore> store, const std::string& holder);

  [[nodiscard]] bool blocks() const override { return true; }
  [[nodiscard]] Result<Enqueued> enqueue(std::span<const NewTask> tasks, const LeaseWant& want,
                                         Instant now) override;
  [[nodiscard]] Result<void> probe() override;
  [[nodiscard]] Result<std::vector<Lease>> lease(const LeaseWant& want, Instant now) override;
  [[nodiscard]] Result<void> started(std::span<const LeaseRef> leases, Instant now) override;
  [[nodiscard]] Result<bool> extend(std::size_t workers, Duration lease, Instant now) override;
  [[nodiscard]] Result<std::vector<FinishStatus>> finish(std::span<const Finished> tasks,
                                                         const LeaseWant& want, Instant now,
                                                         std::vector<Lease>& next) override;
  [[nodiscard]] Result<void> retry(std::span<const Retry> runs, Instant now) override;
  [[nodiscard]] Result<void> give_back(std::span<const LeaseRef> leases, Instant now) override;
  [[nodiscard]] Result<std::vector<std::uint32_t>> withdraw(std::span<const std::string> uids,
                                                            Instant now) override;
  [[nodiscard]] Result<std::vector<CancelStatus>> cancel(std::span<const std::string> uids,
                                                         Instant now) override;
  [[nodiscard]] Result<void> pause(bool is_paused) override;
  [[nodiscard]] Result<std::vector<TaskInfo>> list(TaskState state, std::size_t most,
                                                   Instant now) override;
  [[nodiscard]] Result<std::optional<TaskInfo>> find(const std::string& uid, Instant now) override;
  [[nodiscard]] Result<OldestTasks> oldest(Instant now) override;
  [[nodiscard]] Result<std::size_t> recover_expired(Instant now) override;
  [[nodiscard]] Result<void> leave(Instant now) override;
  /// Fails, too, as long as nothing can be written since a call failed.
  [[nodiscard]] Result<QueueLoad> load(Instant now) override;
  [[nodiscard]] Result<std::vector<DeadTask>> dead(std::size_t most) override;
  [[nodiscard]] Result<std::size_t> revive(std::span<const std::string> uids, Instant now) override;
  [[nodiscard]] Result<std::size_t> bury(std::span<const std::string> uids) override;
  [[nodiscard]] Result<std::optional<TaskResult>> kept_result(const std::string& uid,
                                                              Instant now) override;
  [[nodiscard]] Result<QueueNews> wait(Duration at_most) override;
  void interrupt() override;
  [[nodiscard]] std::string incarnation() const override { return "file"; }

 private:
  void note_life();
  [[nodiscard]] Result<bool> note_clock(std::string_view what, Instant now);
  /// One transaction, made again where the store makes room for it: `what` and `tasks` as in
  /// FileStore::commit, `items` as in FileStore::make_room. The caller holds the mutex.
  template <typename Call>
  [[nodiscard]] auto transact(std::string_view what, std::size_t tasks, Call call,
                              std::size_t items = 0) -> Result<decltype(call())> {
    for (;;) {
      store_->begin();
      auto outcome = call();
      auto kept = store_->commit(what, tasks);
      if (kept) note_life();
      if (kept) return outcome;
      auto room = store_->make_room(std::move(kept.error()), items);
      if (!room) return std::unexpected(std::move(room.error()));
    }
  }
  /// Likewise for each part of the items that fits, so for all at once as a rule.
  template <typename Item, typename Call>
  [[nodiscard]] Result<void> in_parts(std::string_view what, std::span<const Item> items,
                                      Call call) {
    const std::lock_guard lock(store_->mutex_);
    do {
      std::span<const Item> part;
      const auto change = [&] {
        part = store_->part_of(items);
        call(part);
        return true;
      };
      auto done = transact(what, items.size(), change, items.size());
      if (!done) return std::unexpected(std::move(done.error()));
      items = items.subspan(part.size());
    } while (!items.empty());
    return {};
  }

  std::shared_ptr<FileStore> store_;
  FileStore::Holder* me_;
  // Guarded by the store's mutex.
  std::uint64_t life_ = 0;
  bool evicted_ = false;
  bool interrupted_ = false;
  std::uint64_t seen_wakes_ = 0;
};

}  // namespace fogctl
