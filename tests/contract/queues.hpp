// What the contract cases run on, and the words they are written in. A case is a template over the
// back end: `Queues<Backend> queues; auto a = queues.open("a");` opens one more holder of one
// queue.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "queue/file_queue.hpp"
#include "queue/memory_queue.hpp"
#include "queue/redis_queue.hpp"
#include "queue/task_queue.hpp"
#include "support/redis_server.hpp"
#include "support/scratch_folder.hpp"

namespace fogctl::contract {

using namespace std::chrono_literals;

inline constexpr Duration first_lease = 10s;

struct MemoryBackend {
  explicit MemoryBackend(QueueLimits limits)
      : store(std::make_shared<MemoryStore>(limits, first_lease)) {}
  std::unique_ptr<TaskQueue> open(const std::string& holder) {
    return std::make_unique<MemoryQueue>(store, holder);
  }
  std::shared_ptr<MemoryStore> store;
};

inline const SystemClock& system_clock() {
  static const SystemClock clock;
  return clock;
}

inline RedisQueueOptions redis_options(const RedisServer& server, std::string name,
                                       std::string holder) {
  RedisQueueOptions options;
  options.address = server.address();
  options.name = std::move(name);
  options.holder = std::move(holder);
  options.lease = first_lease;
  return options;
}

inline std::unique_ptr<TaskQueue> open_redis(const RedisQueueOptions& options) {
  auto queue = RedisQueue::open(options, system_clock());
  REQUIRE_MESSAGE(queue.has_value(), queue.error().message);
  return std::move(*queue);
}

struct RedisBackend {
  explicit RedisBackend(QueueLimits limits_given) : limits(limits_given) {
    static std::atomic<int> cases{0};
    name = "case" + std::to_string(++cases);
  }
  std::unique_ptr<TaskQueue> open(const std::string& holder) {
    auto options = redis_options(shared_redis_server(), name, holder);
    options.limits = limits;
    return open_redis(options);
  }
  QueueLimits limits;
  std::string name;
};

inline std::shared_ptr<FileStore> open_file(const FileQueueOptions& options) {
  auto store = FileStore::open(options, system_clock());
  REQUIRE_MESSAGE(store.has_value(), store.error().message);
  return std::move(*store);
}

inline FileQueueOptions file_options(const ScratchFolder& folder, QueueLimits limits = {}) {
  return {.path = folder.path() / "queue",
          .sync = FileSync::normal,
          .limits = limits,
          .first_lease = first_lease};
}

struct FileBackend {
  explicit FileBackend(QueueLimits limits) : store(open_file(file_options(folder, limits))) {}
  std::unique_ptr<TaskQueue> open(const std::string& holder) {
    return std::make_unique<FileQueue>(store, holder);
  }
  ScratchFolder folder;
  std::shared_ptr<FileStore> store;
};

/// The instant at which every case starts: cases move on from it by hand.
inline Instant start() {
  static const Instant instant = system_clock().now();
  return instant;
}

struct TaskSpec {
  std::string uid;
  Duration start_by = 60s;  // after start()
  Duration arrival = 0s;    // likewise
  TaskClass weight = TaskClass::light;
  bool away = false;
  bool chosen = false;
  std::string name = "light";
  std::string content = "1";
};

inline NewTask make(const TaskSpec& spec) {
  Task task;
  task.uid = spec.uid;
  task.uid_chosen = spec.chosen;
  task.name = spec.name;
  task.weight = spec.weight;
  task.content = spec.content;
  return {std::make_shared<const Task>(std::move(task)), start() + spec.arrival,
          start() + spec.start_by, spec.away};
}

inline std::vector<NewTask> make_all(const std::vector<TaskSpec>& specs) {
  std::vector<NewTask> tasks;
  for (const TaskSpec& spec : specs) tasks.push_back(make(spec));
  return tasks;
}

inline LeaseWant up_to(std::size_t tasks, QueueOrder order = QueueOrder::start_by) {
  return {.idle = tasks, .at_most = tasks, .ahead = {}, .estimates = {}, .order = order};
}

template <typename T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}
inline void must(const Result<void>& result) {
  if (!result) FAIL(result.error().message);
}

inline Enqueued enqueue(TaskQueue& queue, const std::vector<TaskSpec>& specs,
                        const LeaseWant& want = {}, Instant now = start()) {
  return must(queue.enqueue(make_all(specs), want, now));
}

inline std::vector<Lease> lease(TaskQueue& queue, std::size_t tasks, Instant now = start(),
                                QueueOrder order = QueueOrder::start_by) {
  return must(queue.lease(up_to(tasks, order), now));
}

inline std::vector<std::string> uids(const std::vector<Lease>& leases) {
  std::vector<std::string> names;
  for (const Lease& lease : leases) names.push_back(lease.task->uid);
  return names;
}

inline std::vector<EnqueueStatus> statuses(const Enqueued& enqueued) {
  std::vector<EnqueueStatus> all;
  for (const EnqueueOutcome& outcome : enqueued.outcomes) all.push_back(outcome.status);
  return all;
}

inline LeaseRef ref(const Lease& lease) {
  return {lease.task->uid, lease.number};
}

inline TaskResult result_of(const std::string& uid, std::string content = "42") {
  return {.uid = uid,
          .content = std::move(content),
          .error = std::nullopt,
          .execution_time = 3ms,
          .queuing_time = 2ms,
          .node = "n"};
}

inline Finished finished(const Lease& lease, std::string content = "42") {
  return {ref(lease), lease.task, result_of(lease.task->uid, std::move(content)), lease.reply_to};
}
inline Finished finished(const NewTask& task, std::uint32_t number) {
  return {{task.task->uid, number}, task.task, result_of(task.task->uid), {}};
}

inline std::vector<FinishStatus> finish(TaskQueue& queue, const std::vector<Finished>& tasks,
                                        Instant now = start()) {
  std::vector<Lease> none;
  return must(queue.finish(tasks, {}, now, none));
}
inline std::vector<FinishStatus> finish(TaskQueue& queue, const std::vector<Lease>& leases,
                                        Instant now = start()) {
  std::vector<Finished> tasks;
  for (const Lease& lease : leases) tasks.push_back(finished(lease));
  return finish(queue, tasks, now);
}

/// As processes do that live all that time: how many tasks they put back.
inline std::size_t recover(TaskQueue& queue, Instant from, Instant until) {
  std::size_t recovered = 0;
  for (Instant now = from; now < until; now += 1s) recovered += must(queue.recover_expired(now));
  return recovered + must(queue.recover_expired(until));
}

inline std::size_t sum(const std::array<std::size_t, task_class_count>& counts) {
  return counts[0] + counts[1] + counts[2];
}

/// One queue of a back end, and as many holders as a case opens.
template <typename Backend>
struct Queues {
  explicit Queues(QueueLimits limits = {}) : backend(limits) {}
  std::unique_ptr<TaskQueue> open(const std::string& holder) { return backend.open(holder); }
  Backend backend;
};

using Names = std::vector<std::string>;
using enum EnqueueStatus;

}  // namespace fogctl::contract

// doctest prints enums as numbers; a comparison that fails shows its expression, which is enough.
#define QUEUE_CASE(name)                                             \
  TEST_CASE_TEMPLATE(name, Backend, fogctl::contract::MemoryBackend, \
                     fogctl::contract::RedisBackend, fogctl::contract::FileBackend)
