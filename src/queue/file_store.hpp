// What the queues of one queue file share: the file, what only this process knows of it (its
// holders, the counts), and the transitions of the contract (task_queue.hpp), each for one holder.
// FileQueue calls them, holding the mutex, between begin() and commit(): SQLite's failure is asked
// for once, by commit(), which then takes back what the transition did here as well.
//
// One process has the file, so the holders are all in this process and are no longer than it
// lives: what the one before it held is back in the queue once the file is open.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "queue/file_lock.hpp"
#include "queue/file_schema.hpp"
#include "queue/sqlite.hpp"
#include "queue/task_queue.hpp"

namespace fogctl {

/// What outlives a power cut; what outlives the process is all, with either.
enum class FileSync {
  normal,  // all but about the last two seconds, whole: `wait` writes through each second
  full,    // all: each call waits for the disk
};

struct FileQueueOptions {
  std::string path;
  FileSync sync = FileSync::normal;
  QueueLimits limits;
  Duration first_lease = std::chrono::seconds(10);  // of a holder, before its first `extend`
};

class FileStore {
 public:
  /// Makes the file where there is none. A link to it is another name of it: the journal and the
  /// lock are beside the file. Error: in_use (by another process), invalid (no queue file, or a
  /// newer one), failed (damaged), else as file_error_code() has it.
  [[nodiscard]] static Result<std::shared_ptr<FileStore>> open(FileQueueOptions options,
                                                               const Clock& clock);
  ~FileStore();

 private:
  friend class FileQueue;

  struct Holder {
    std::string name;
    std::int64_t id = 0;     // in the file; no other life of the file has it
    std::uint64_t life = 0;  // 0: not registered, holds nothing
    Instant expiry;
    std::size_t workers = 0;
    std::vector<TaskResult> replies;
    std::vector<std::string> cancelled;  // what it holds and was given up
    [[nodiscard]] bool has_news() const { return !replies.empty() || !cancelled.empty(); }
  };

  /// What the file holds, so that no call has to count.
  struct Counts {
    QueueLoad load;  // workers apart
    std::size_t results = 0;
    std::size_t result_bytes = 0;
    [[nodiscard]] std::size_t queued() const {
      return load.queued[0] + load.queued[1] + load.queued[2];
    }
    [[nodiscard]] std::size_t tasks() const {
      return queued() + load.leased[0] + load.leased[1] + load.leased[2] + load.away + load.delayed;
    }
  };

  /// What a transition does outside of the file, once the file has it.
  struct Effects {
    std::vector<std::pair<Holder*, TaskResult>> replies;
    std::vector<std::pair<Holder*, std::string>> cancelled;
    std::vector<Holder*> ended;          // their lease is over
    std::vector<std::int64_t> answered;  // tasks
    bool wake = false;
  };

  struct Row {
    std::int64_t id = 0;
    FileState state = FileState::queued;
    std::size_t weight = 0;  // index of the class
    std::int64_t number = 0;
    std::int64_t holder = 0;
    std::int64_t origin = 0;
    std::int64_t arrival = 0;
    std::size_t bytes = 0;
    bool is_cancelled = false;
  };

  /// A queued task that a lease looks at.
  struct Ready {
    std::int64_t id = 0;
    std::size_t weight = 0;
    bool is_suspect = false;
    Lease lease;  // without its task where that is one of this call
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
    void take(std::size_t weight) {
      ++taken;
      sum += want.estimates[weight];
    }
  };

  /// One enqueue: its tasks that are the queue's now, by their ids, and where they stand in it.
  struct Batch {
    std::span<const NewTask> tasks;
    Enqueued done;
    std::unordered_map<std::int64_t, std::size_t> own;
    std::string record;  // written anew for each
  };

  FileStore(FileQueueOptions options, FileLock lock, std::unique_ptr<sqlite::Database> database,
            const Clock& clock);
  [[nodiscard]] Result<void> start();
  [[nodiscard]] bool begin_life();
  void check_pages();
  void recall_counts();
  void count_rows();
  [[nodiscard]] static std::string record_of(const Counts& counts);

  void begin();
  /// `what`: "lease", "enqueue 3 tasks".
  [[nodiscard]] Result<void> commit(std::string_view what, std::size_t tasks = 0);
  [[nodiscard]] Error explained(const Error& why, std::string_view what, std::size_t tasks) const;
  void note_fault(const Error& why);

  [[nodiscard]] Holder& holder_named(const std::string& name);
  [[nodiscard]] Holder* holder_of(std::int64_t id);
  void register_holder(Holder& me, Instant now);
  void extend(Holder& me, std::size_t workers, Instant expiry);
  [[nodiscard]] QueueLoad load(Instant now) const;

  [[nodiscard]] Enqueued enqueue(Holder& me, std::span<const NewTask> tasks, const LeaseWant& want,
                                 Instant now);
  [[nodiscard]] std::vector<bool> straight_ones(std::span<const NewTask> tasks, Want want) const;
  void mark_alone(Holder& me, const Batch& batch, std::uint32_t number);
  [[nodiscard]] EnqueueOutcome enqueue_one(Holder& me, Batch& batch, std::size_t position,
                                           FileState state, Want& want);
  [[nodiscard]] std::optional<EnqueueOutcome> known_result(const Task& task, Instant now);
  [[nodiscard]] EnqueueOutcome add(Holder& me, Batch& batch, std::size_t position, FileState state,
                                   Want& want);
  [[nodiscard]] EnqueueOutcome meet_again(Holder& me, Batch& batch, std::size_t position,
                                          const Row& row);
  void lease(Holder& me, const LeaseWant& want, Instant now, std::vector<Lease>& leases);
  void lease_ready(Holder& me, Want& want, std::vector<Lease>& leases, Batch* batch);
  [[nodiscard]] bool look_at(sqlite::Statement& order, std::int64_t bound, Want& want,
                             std::vector<Ready>& found, const Batch* batch);
  void started(Holder& me, std::span<const LeaseRef> leases);
  [[nodiscard]] FinishStatus finish(Holder& me, const Finished& done, Instant now);
  void end(const Row& row, const Task& task, const TaskResult& result, Holder* waits, Instant now);
  void give_back(Holder& me, std::span<const LeaseRef> leases);
  [[nodiscard]] bool add_asker(std::int64_t task, Holder& me);
  void retry(Holder& me, const Retry& run);
  [[nodiscard]] std::uint32_t withdraw(Holder& me, const std::string& uid, std::uint32_t number);
  void end_delays(Instant now);

  [[nodiscard]] CancelStatus cancel(const std::string& uid, Instant now);
  void sweep_cancelled(Instant now);
  void pause(bool is_paused);
  [[nodiscard]] std::vector<TaskInfo> list(TaskState state, std::size_t most);
  [[nodiscard]] std::optional<TaskInfo> info(const std::string& uid);
  [[nodiscard]] std::optional<TaskInfo> info_in(const sqlite::Rows& rows);
  [[nodiscard]] OldestTasks first_of_each();
  [[nodiscard]] std::size_t recover_expired(Instant now);
  std::size_t evict(Holder& holder, bool lost);

  void keep_result(const Task& task, const TaskResult& result, Instant now);
  void trim_results(Instant now);
  [[nodiscard]] std::optional<TaskResult> kept_result(const std::string& uid, Instant now);
  void drop_result(const std::string& uid);
  void bury(const Finished& done, const Row& row, Instant now);
  void bury_surplus();
  [[nodiscard]] std::vector<DeadTask> newest_dead(std::size_t most);
  [[nodiscard]] bool revive(Holder& me, const std::string& uid, Instant now);
  [[nodiscard]] bool forget_dead(const std::string& uid);
  bool drop_eldest_dead();
  void drop_dead(std::int64_t id, std::size_t bytes);

  /// nullptr: it cannot be read, and the transition fails.
  [[nodiscard]] TaskPtr task_in(std::string_view record);
  [[nodiscard]] std::optional<Row> find(std::string_view uid);
  [[nodiscard]] bool is_held_by(const Holder& me, const Row& row, std::uint32_t number) const;
  [[nodiscard]] std::size_t& count_of(FileState state, std::size_t weight);
  void put_back(const Row& row);
  [[nodiscard]] bool has_room(std::size_t bytes, std::size_t share = 1) const;
  [[nodiscard]] std::uint32_t next_number();

  /// Queue time of an instant, and back; both saturate, for "never" is an instant too.
  [[nodiscard]] std::int64_t to_file(Instant instant) const;
  [[nodiscard]] Instant from_file(std::int64_t time) const;
  void note_clock(Instant now);

  /// Error: the file takes no new task, which would be lost. It is not where it was, or damaged.
  [[nodiscard]] Result<void> check_file() const;
  /// Whether it is time to write through what was committed; then it has to be done.
  [[nodiscard]] bool is_sync_due();

  // Room on the disk; the rules are in file_store_room.cpp.
  static constexpr std::int64_t page_bytes = 4096;
  static constexpr int growth_step = 1 << 20;

  [[nodiscard]] Result<void> make_journal();
  void set_checkpoints(std::int64_t journal_bytes);
  /// Fails the transaction where there is no room for its pages.
  void take_pages();
  /// After a call with so many items failed: whether it may be made again, at once, with at most
  /// most_at_once_ of them. Else why not, as callers of the queue are to hear it.
  [[nodiscard]] Result<void> make_room(Error why, std::size_t items);
  /// What may be done in one call.
  template <typename Item>
  [[nodiscard]] std::span<const Item> part_of(std::span<const Item> items) const {
    return items.first(std::min(items.size(), most_at_once_));
  }
  [[nodiscard]] LeaseWant part_of(LeaseWant want) const;
  [[nodiscard]] bool fill_reserve();
  void release_reserve();
  void regain_room(Instant now);
  void say_full(const Error& why);

  const FileQueueOptions options_;
  const Clock& clock_;
  const FileLock lock_;  // is let go of after the database is closed
  const std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<FileStatements> sql_;

  std::mutex mutex_;
  std::condition_variable news_;
  std::size_t waiting_ = 0;
  std::uint64_t wakes_ = 1;  // how often queued tasks appeared where there were none

  std::int64_t changes_synced_ = 0;  // of the database's, when it was last written through
  Instant synced_at_;

  Duration offset_{};  // from an instant to queue time
  Instant clock_noted_at_;
  std::int64_t life_ = 0;  // of the file
  std::map<std::string, Holder, std::less<>> holders_;
  /// By the task's row. In no file: of an earlier life nobody waits.
  std::unordered_map<std::int64_t, std::vector<Holder*>> askers_;
  Counts counts_;
  Counts counts_before_;  // this call
  Effects effects_;
  bool is_failing_ = false;
  std::optional<Error> damage_;

  std::int64_t allocated_ = 0;  // bytes of the file that are on the disk for certain
  bool is_tight_ = false;       // the reserve is used up: no new task is taken
  bool is_full_ = false;        // said so, and it is not long since something failed of it
  std::string full_;            // what was said
  Instant full_until_;
  Instant room_looked_at_;
  std::size_t most_at_once_ = std::numeric_limits<std::size_t>::max();
  bool keeps_ends_ = true;  // results, and tasks that failed for good
  std::uint64_t next_life_ = 1;
  std::uint32_t next_number_ = first_lease_number;
};

}  // namespace fogctl
