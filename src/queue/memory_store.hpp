// What queues in memory share: the tasks, who holds them, and the transitions of the contract
// (task_queue.hpp), each for one holder. No thread calls this but through a MemoryQueue, which
// holds the mutex; nothing here blocks or reads a clock, so that a simulation replays alike.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "queue/dead_set.hpp"
#include "queue/kept_results.hpp"
#include "queue/ready_order.hpp"
#include "queue/task_queue.hpp"

namespace fogctl {

class MemoryStore {
 public:
  /// `first_lease`: how long a holder's lease is before its first `extend`.
  explicit MemoryStore(QueueLimits limits = {}, Duration first_lease = std::chrono::seconds(10))
      : limits_(limits), first_lease_(first_lease) {}

 private:
  friend class MemoryQueue;

  using Slot = std::uint32_t;
  static constexpr Slot no_slot = ~Slot{0};

  struct Holder {
    std::string name;
    std::uint64_t life = 0;  // 0: not registered, holds nothing
    Instant expiry;
    std::size_t workers = 0;
    Slot first = no_slot;  // of what it holds
    std::vector<TaskResult> replies;
    std::vector<std::string> cancelled;  // what it holds and was given up
    [[nodiscard]] bool has_news() const { return !replies.empty() || !cancelled.empty(); }
  };

  enum class State : std::uint8_t { none, queued, delayed, ahead, alone, started, away };

  struct Entry {
    TaskPtr task;
    Instant arrival;
    Instant start_by;
    std::uint64_t ticket = 0;
    std::size_t bytes = 0;
    Holder* origin = nullptr;                      // that enqueued it
    std::unique_ptr<std::vector<Holder*>> askers;  // that asked for its result as well; null: none
    Holder* holder = nullptr;
    Slot previous = no_slot;  // in the holder's list
    Slot next = no_slot;
    std::uint32_t number = 0;    // of the last lease
    std::uint32_t tries = 0;     // runs that may have begun and whose lease was lost
    std::uint32_t failures = 0;  // runs that failed
    Instant not_before;          // of a delayed one
    bool cancelled = false;      // given up while it was held
    bool suspect = false;        // its lease was lost: it comes alone
    State state = State::none;
    std::uint64_t call = 0;  // the enqueue that brought it, and where it stood there
    std::size_t position = 0;
  };

  struct Want {
    const LeaseWant& want;
    Instant now;
    std::uint32_t number = 0;
    std::size_t taken = 0;
    Duration sum{};
    [[nodiscard]] bool has_room() const {
      return taken < want.at_most && (taken < want.idle || sum < want.ahead);
    }
  };

  [[nodiscard]] Holder& holder_named(const std::string& name);
  [[nodiscard]] Enqueued enqueue(Holder& me, std::span<const NewTask> tasks, const LeaseWant& want,
                                 Instant now);
  void lease(Holder& me, const LeaseWant& want, Instant now, std::vector<Lease>& leases);
  void started(Holder& me, std::span<const LeaseRef> leases);
  void extend(Holder& me, std::size_t workers, Instant expiry);
  [[nodiscard]] FinishStatus finish(Holder& me, const Finished& done, Instant now);
  void retry(Holder& me, const Retry& run);
  void give_back(Holder& me, std::span<const LeaseRef> leases);
  [[nodiscard]] static bool add_asker(Entry& entry, Holder& me);
  [[nodiscard]] std::uint32_t next_number();
  [[nodiscard]] std::uint32_t withdraw(Holder& me, const std::string& uid, std::uint32_t number);
  [[nodiscard]] CancelStatus cancel(const std::string& uid, Instant now);
  void pause(bool is_paused);
  [[nodiscard]] std::vector<TaskInfo> list(TaskState state, std::size_t most) const;
  [[nodiscard]] std::optional<TaskInfo> find(const std::string& uid) const;
  [[nodiscard]] OldestTasks oldest() const;
  [[nodiscard]] std::size_t recover_expired(Instant now);
  [[nodiscard]] bool revive(Holder& me, const std::string& uid, Instant now);
  std::size_t evict(Holder& holder, bool lost);
  [[nodiscard]] QueueLoad load(Instant now) const;

  [[nodiscard]] EnqueueOutcome enqueue_one(Holder& me, const NewTask& task, Instant now);
  [[nodiscard]] EnqueueOutcome meet_again(Holder& me, const NewTask& task, Slot slot);
  [[nodiscard]] bool in_urgency_order(std::span<const NewTask> tasks, QueueOrder order,
                                      Instant now) const;
  void lease_straight(Holder& me, Want& want, std::span<const Slot> fresh, Enqueued& done);
  void lease_ready(Holder& me, Want& want, std::vector<Lease>& leases, Enqueued* own);
  void register_holder(Holder& me, Instant now);
  void queue(Entry& entry, Slot slot);
  void hold(Holder& me, Entry& entry, Slot slot, std::uint32_t number, State state);
  void unlink(Entry& entry);
  void put_back(Entry& entry, Slot slot);
  void end_delays(Instant now);
  void end(Entry& entry, const Task& task, const TaskResult& result, Holder* waits, Instant now);
  [[nodiscard]] std::uint32_t attempt_of(const Entry& entry) const;
  [[nodiscard]] TaskInfo info_of(const Entry& entry) const;
  [[nodiscard]] Entry* held_by(const Holder& me, const std::string& uid, std::uint32_t number,
                               Slot& slot);
  [[nodiscard]] Slot new_slot();
  [[nodiscard]] std::size_t& count_of(const Entry& entry);
  void wake();
  void tidy();
  [[nodiscard]] auto is_queued() const {
    return [this](const ReadyOrder::Item& item) {
      const Entry& entry = entries_[item.slot];
      return entry.state == State::queued && entry.ticket == item.ticket;
    };
  }

  const QueueLimits limits_;
  const Duration first_lease_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::size_t waiting_ = 0;
  std::uint64_t wakes_ = 1;  // how often queued tasks appeared where there were none

  std::unordered_map<std::string_view, Slot> tasks_;  // by uid, a view into the task
  std::deque<Entry> entries_;
  std::vector<Slot> free_;
  ReadyOrder ready_;
  std::multimap<Instant, Slot> delayed_;  // by when their turn is
  std::vector<std::string> given_up_;     // cancelled, and not ended yet
  std::size_t queued_ = 0;
  std::map<std::string, Holder, std::less<>> holders_;
  KeptResults results_;
  DeadSet dead_;
  QueueLoad load_;  // workers apart
  std::uint64_t next_ticket_ = 1;
  std::uint64_t next_life_ = 1;
  std::uint64_t next_call_ = 1;
  std::uint32_t next_number_ = 0;
};

}  // namespace fogctl
