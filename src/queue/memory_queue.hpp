// The task queue in memory: for simulations, tests, and a node that need not outlive its tasks. One
// store, shared by the queues of its holders. Every call may come from any thread and returns at
// once, `wait` apart.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "queue/memory_store.hpp"
#include "queue/task_queue.hpp"

namespace fogctl {

class MemoryQueue final : public TaskQueue {
 public:
  explicit MemoryQueue(std::shared_ptr<MemoryStore> store, const std::string& holder = "node");

  [[nodiscard]] bool blocks() const override { return false; }
  [[nodiscard]] Result<Enqueued> enqueue(std::span<const NewTask> tasks, const LeaseWant& want,
                                         Instant now) override;
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
  [[nodiscard]] Result<QueueLoad> load(Instant now) override;
  [[nodiscard]] Result<std::vector<DeadTask>> dead(std::size_t most) override;
  [[nodiscard]] Result<std::size_t> revive(std::span<const std::string> uids, Instant now) override;
  [[nodiscard]] Result<std::size_t> bury(std::span<const std::string> uids) override;
  [[nodiscard]] Result<std::optional<TaskResult>> kept_result(const std::string& uid,
                                                              Instant now) override;
  [[nodiscard]] Result<QueueNews> wait(Duration at_most) override;
  void interrupt() override;
  [[nodiscard]] std::string incarnation() const override { return "memory"; }

 private:
  void note_life();

  std::shared_ptr<MemoryStore> store_;
  MemoryStore::Holder* me_;
  // Guarded by the store's mutex.
  std::uint64_t life_ = 0;
  bool evicted_ = false;
  bool interrupted_ = false;
  std::uint64_t seen_wakes_ = 0;
};

}  // namespace fogctl
