// A task queue that fails when it is told to: before the wrapped one sees the call, or after the
// call took effect, as when the answer is lost on its way. Any thread, where the wrapped one is.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "queue/task_queue.hpp"

namespace fogctl {

class FailingQueue : public TaskQueue {
 public:
  enum class When { before, after };

  explicit FailingQueue(std::unique_ptr<TaskQueue> inner) : inner_(std::move(inner)) {}

  /// The next call, whichever it is, fails with unavailable.
  void fail_next(When when) { when_ = when; }

  [[nodiscard]] bool blocks() const override { return inner_->blocks(); }
  [[nodiscard]] Result<Enqueued> enqueue(std::span<const NewTask> tasks, const LeaseWant& want,
                                         Instant now) override {
    return pass([&] { return inner_->enqueue(tasks, want, now); });
  }
  [[nodiscard]] Result<std::vector<Lease>> lease(const LeaseWant& want, Instant now) override {
    return pass([&] { return inner_->lease(want, now); });
  }
  [[nodiscard]] Result<void> started(std::span<const LeaseRef> leases, Instant now) override {
    return pass([&] { return inner_->started(leases, now); });
  }
  [[nodiscard]] Result<bool> extend(std::size_t workers, Duration lease, Instant now) override {
    return pass([&] { return inner_->extend(workers, lease, now); });
  }
  [[nodiscard]] Result<std::vector<FinishStatus>> finish(std::span<const Finished> tasks,
                                                         const LeaseWant& want, Instant now,
                                                         std::vector<Lease>& next) override {
    std::vector<Lease> taken;
    auto statuses = pass([&] { return inner_->finish(tasks, want, now, taken); });
    if (statuses) std::ranges::move(taken, std::back_inserter(next));
    return statuses;
  }
  [[nodiscard]] Result<void> retry(std::span<const Retry> runs, Instant now) override {
    return pass([&] { return inner_->retry(runs, now); });
  }
  [[nodiscard]] Result<std::vector<std::uint32_t>> withdraw(std::span<const std::string> uids,
                                                            Instant now) override {
    return pass([&] { return inner_->withdraw(uids, now); });
  }
  [[nodiscard]] Result<std::vector<CancelStatus>> cancel(std::span<const std::string> uids,
                                                         Instant now) override {
    return pass([&] { return inner_->cancel(uids, now); });
  }
  [[nodiscard]] Result<void> pause(bool is_paused) override {
    return pass([&] { return inner_->pause(is_paused); });
  }
  [[nodiscard]] Result<std::vector<TaskInfo>> list(TaskState state, std::size_t most,
                                                   Instant now) override {
    return pass([&] { return inner_->list(state, most, now); });
  }
  [[nodiscard]] Result<std::optional<TaskInfo>> find(const std::string& uid, Instant now) override {
    return pass([&] { return inner_->find(uid, now); });
  }
  [[nodiscard]] Result<OldestTasks> oldest(Instant now) override {
    return pass([&] { return inner_->oldest(now); });
  }
  [[nodiscard]] Result<void> give_back(std::span<const LeaseRef> leases, Instant now) override {
    return pass([&] { return inner_->give_back(leases, now); });
  }
  [[nodiscard]] Result<std::size_t> recover_expired(Instant now) override {
    return pass([&] { return inner_->recover_expired(now); });
  }
  [[nodiscard]] Result<void> leave(Instant now) override {
    return pass([&] { return inner_->leave(now); });
  }
  [[nodiscard]] Result<QueueLoad> load(Instant now) override {
    return pass([&] { return inner_->load(now); });
  }
  [[nodiscard]] Result<std::vector<DeadTask>> dead(std::size_t most) override {
    return pass([&] { return inner_->dead(most); });
  }
  [[nodiscard]] Result<std::size_t> revive(std::span<const std::string> uids,
                                           Instant now) override {
    return pass([&] { return inner_->revive(uids, now); });
  }
  [[nodiscard]] Result<std::size_t> bury(std::span<const std::string> uids) override {
    return pass([&] { return inner_->bury(uids); });
  }
  [[nodiscard]] Result<std::optional<TaskResult>> kept_result(const std::string& uid,
                                                              Instant now) override {
    return pass([&] { return inner_->kept_result(uid, now); });
  }
  [[nodiscard]] Result<QueueNews> wait(Duration at_most) override { return inner_->wait(at_most); }
  void interrupt() override { inner_->interrupt(); }
  [[nodiscard]] std::string incarnation() const override { return inner_->incarnation(); }

 private:
  template <typename Call>
  auto pass(Call call) -> decltype(call()) {
    const std::optional<When> when = when_.exchange(std::nullopt);
    if (when == When::before) return failure(ErrorCode::unavailable, "told to fail");
    auto outcome = call();
    if (when == When::after) return failure(ErrorCode::unavailable, "told to fail afterwards");
    return outcome;
  }

  std::unique_ptr<TaskQueue> inner_;
  std::atomic<std::optional<When>> when_{std::nullopt};
};

}  // namespace fogctl
