// The task queue in Redis: durable, shared by every process that names the same queue. Each
// transition is one script (scripts.hpp). Every call may come from any thread and blocks for a
// round trip; `wait` has a connection of its own, all others share a pool.
//
// A call whose answer was lost may have leased tasks that nobody here knows of. Its lease number is
// remembered, and the next call gives back what is held under it. What it was told to hold as away
// stays held: an enqueue or a withdrawal is made again until it is answered.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "queue/keys.hpp"
#include "queue/redis_address.hpp"
#include "queue/redis_batch.hpp"
#include "queue/redis_caller.hpp"
#include "queue/redis_health.hpp"
#include "queue/redis_news.hpp"
#include "queue/task_queue.hpp"

namespace fogctl {

struct RedisQueueOptions {
  RedisAddress address;
  std::string name = "fog";  // of the queue
  std::string holder;        // of this process's life: two that run at once must differ
  QueueLimits limits;
  RedisTimeouts timeouts;
  std::size_t connections = 8;                // the most, `wait` apart
  Duration lease = std::chrono::seconds(10);  // until the first `extend`
};

class RedisQueue final : public TaskQueue {
 public:
  /// `clock` outlives the queue; it only tells how Redis' time and ours differ.
  /// Error: unavailable when Redis is not there or not ready; failed: wrong password.
  [[nodiscard]] static Result<std::unique_ptr<RedisQueue>> open(RedisQueueOptions options,
                                                                const Clock& clock);
  ~RedisQueue() override;

  /// How the server that has the queue loses tasks that it took; see redis_health.hpp.
  [[nodiscard]] Result<std::vector<Finding>> find_losses();
  /// The server that has the queue, and by whose word, for people.
  [[nodiscard]] std::string server() const { return caller_->server(); }

  [[nodiscard]] bool blocks() const override { return true; }
  [[nodiscard]] Result<Enqueued> enqueue(std::span<const NewTask> tasks, const LeaseWant& want,
                                         Instant now) override;
  [[nodiscard]] Result<std::vector<Lease>> lease(const LeaseWant& want, Instant now) override;
  [[nodiscard]] Result<void> started(std::span<const LeaseRef> leases, Instant now) override;
  [[nodiscard]] Result<bool> extend(std::size_t workers, Duration lease, Instant now) override;
  [[nodiscard]] Result<std::vector<FinishStatus>> finish(std::span<const Finished> tasks,
                                                         const LeaseWant& want, Instant now,
                                                         std::vector<Lease>& next) override;
  [[nodiscard]] Result<void> retry(std::span<const Retry> runs, Instant now) override;
  [[nodiscard]] Result<void> tell_progress(std::span<const TaskProgress> news) override;
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
  [[nodiscard]] Result<QueueNews> wait(Duration at_most) override { return news_.wait(at_most); }
  void interrupt() override { news_.interrupt(); }
  [[nodiscard]] Result<std::vector<LeaseRef>> held(bool as_away) override;
  [[nodiscard]] Result<void> probe() override;
  [[nodiscard]] bool has_server() const override { return true; }
  void reconnect() override;
  void end_by(Instant end) override { caller_->end_by(end); }
  [[nodiscard]] std::string incarnation() const override { return caller_->incarnation(); }

 private:
  using Session = RedisCaller::Session;
  struct EnqueueBatch;
  using Statuses = std::vector<FinishStatus>;

  RedisQueue(RedisQueueOptions options, std::unique_ptr<RedisCaller> caller);

  template <typename Use>
  [[nodiscard]] auto call(Doing doing, Use use);

  // Calls that may lease: a number that no other lease of this holder has had of late.
  [[nodiscard]] std::uint32_t next_number();
  void note_lost(std::uint32_t number, bool as_away = false);
  [[nodiscard]] Result<std::vector<LeaseRef>> list_held(Session& session, bool as_away) const;
  [[nodiscard]] Result<void> give_back_lost(Session& session);
  void note_life(std::string_view life);

  [[nodiscard]] Result<void> enqueue_some(const EnqueueBatch& batch, Enqueued& done, Instant now);
  [[nodiscard]] Result<void> enqueue_apart(const EnqueueBatch& batch, Enqueued& done, Instant now);
  [[nodiscard]] std::vector<TaskEntry> entries_of(const EnqueueBatch& batch) const;
  [[nodiscard]] RedisArguments enqueue_arguments(const EnqueueBatch& batch,
                                                 std::span<const TaskEntry> entries,
                                                 std::uint32_t number, Instant now) const;
  [[nodiscard]] Result<void> read_enqueued(Session& session, const RedisReply& reply,
                                           const EnqueueBatch& batch, std::uint32_t number,
                                           Enqueued& done);
  void add_lease_keys(RedisArguments& arguments) const;
  void add_holder(RedisArguments& arguments, std::uint32_t number, Instant now) const;
  void add_lease_head(RedisArguments& arguments, const LeaseWant& want, std::uint32_t number,
                      Instant now) const;
  struct LeasedBodies {
    RedisReply bodies;
    std::int64_t tries = 0;  // of a lone one
    RedisReply failed;       // position and failed runs of each that has some
    std::uint32_t number = 0;
    bool away = false;
  };
  [[nodiscard]] Result<void> read_bodies(Session& session, const LeasedBodies& leased,
                                         std::vector<Lease>& leases);
  [[nodiscard]] Result<void> name_unreadable(Session& session, const LeasedBodies& leased,
                                             std::span<Lease> leases) const;
  struct FinishBatch;
  [[nodiscard]] RedisArguments finish_arguments(const FinishBatch& batch, Instant now,
                                                std::size_t& keys) const;
  [[nodiscard]] Result<std::string> finish_once(Session& session, const FinishBatch& batch,
                                                Instant now, std::vector<Lease>& next);
  [[nodiscard]] Result<Statuses> finish_some(Session& session, std::span<const Finished> tasks,
                                             const LeaseWant& want, Instant now,
                                             std::vector<Lease>& next);
  struct Place;
  [[nodiscard]] Result<std::vector<Place>> waiting_places(Session& session, TaskState state,
                                                          std::size_t most);
  [[nodiscard]] Result<std::vector<std::string>> holders(Session& session);
  [[nodiscard]] Result<std::vector<Place>> held_places(Session& session);
  [[nodiscard]] Result<std::optional<TaskInfo>> look_at(Session& session, const Place& place);
  [[nodiscard]] Result<void> withdraw_some(Session& session, std::span<const std::string> uids,
                                           Instant now, std::vector<std::uint32_t>& numbers);
  [[nodiscard]] Result<CancelStatus> cancel_one(Session& session, const std::string& uid,
                                                Instant now);
  [[nodiscard]] Result<CancelStatus> status_of_ended(Session& session, const std::string& uid);
  [[nodiscard]] Result<void> tell(Session& session, std::string_view holder, std::string_view kind,
                                  std::string_view what);
  [[nodiscard]] Result<void> tell_holder(Session& session, const std::string& uid);
  [[nodiscard]] Result<void> sweep_cancelled(Session& session, Instant now);
  [[nodiscard]] Result<bool> bury_one(Session& session, const std::string& uid,
                                      const std::string& died_at);
  [[nodiscard]] Result<void> bury_surplus(Session& session);
  [[nodiscard]] Result<std::size_t> adopt_strays(Session& session);
  [[nodiscard]] RedisArguments place_keys() const;
  [[nodiscard]] Result<bool> adopt(Session& session, const std::string& uid, std::string_view body);
  [[nodiscard]] Result<std::size_t> give_back_some(Session& session,
                                                   std::span<const LeaseRef> leases);
  [[nodiscard]] Result<RedisReply> overdue(Session& session, std::string_view now);
  [[nodiscard]] Result<void> evict(Session& session, const std::string& holder,
                                   const std::string& now, std::string_view why);
  [[nodiscard]] Result<std::size_t> put_back_lost(Session& session);

  const RedisQueueOptions options_;
  const QueueKeys keys_;
  const std::string held_key_;
  std::unique_ptr<RedisCaller> caller_;
  RedisNews news_;
  std::atomic<std::uint32_t> number_;
  std::atomic<std::int64_t> life_{0};  // when this holder registered, as far as known
  std::atomic<bool> evicted_{false};
  std::atomic<Duration> lease_;  // as it was renewed last
  std::atomic<bool> has_lost_{false};
  std::mutex stray_mutex_;
  std::string stray_cursor_ = "0";  // how far the look for tasks without a place has come
  std::mutex lost_mutex_;
  std::vector<std::uint32_t> lost_;       // numbers of calls whose answer was lost
  std::vector<std::uint32_t> lost_away_;  // likewise, that leased as away
};

template <typename Use>
auto RedisQueue::call(Doing doing, Use use) {
  return caller_->call(doing, [&](Session& session) -> std::invoke_result_t<Use&, Session&> {
    if (has_lost_) {
      if (auto given = give_back_lost(session); !given) return std::unexpected(given.error());
    }
    return use(session);
  });
}

}  // namespace fogctl
