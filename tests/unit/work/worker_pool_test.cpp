#include "work/worker_pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>

#include "base/log.hpp"
#include "queue/memory_queue.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

/// A pool on a queue in memory, which notes what came of its tasks in the order that it did.
struct Scene {
  explicit Scene(HandlerTable table, std::size_t threads = 4, std::size_t max_content = 1000,
                 std::function<void(Lease, bool)> on_unrunnable = {})
      : handlers(std::move(table)),
        pool(queue, handlers, clock, options(threads, max_content),
             {[this](std::vector<TaskResult> results) {
                const std::lock_guard lock(mutex);
                for (TaskResult& result : results) ended.push_back(std::move(result));
                changed.notify_all();
              },
              {},
              std::move(on_unrunnable)}) {
    set_log_level(LogLevel::off);
    CHECK(queue.extend(threads, 60s, clock.now()).has_value());
  }
  ~Scene() {
    pool.stop_leasing();
    CHECK(pool.drain(clock.now() + 10s));
    set_log_level(LogLevel::info);
  }
  static PoolOptions options(std::size_t threads, std::size_t max_content) {
    PoolOptions options;
    options.threads = threads;
    options.max_content = max_content;
    options.holder = "me";
    return options;
  }
  [[nodiscard]] NewTask task(const std::string& name, int number) const {
    Task task;
    task.name = name;
    task.uid = name + std::to_string(number);
    return {std::make_shared<const Task>(task), clock.now(), clock.now() + 60s};
  }
  void add(const std::string& name, int count) {
    std::vector<NewTask> tasks;
    for (int i = 0; i < count; ++i) tasks.push_back(task(name, i));
    CHECK(queue.enqueue(tasks, {}, clock.now()).has_value());
  }
  /// Whether so many ended within 20 s.
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 20s, [&] { return ended.size() >= count; });
  }
  [[nodiscard]] std::size_t errors() {
    const std::lock_guard lock(mutex);
    return static_cast<std::size_t>(
        std::ranges::count_if(ended, [](const TaskResult& one) { return one.error.has_value(); }));
  }

  SystemClock clock;
  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>(QueueLimits{});
  MemoryQueue queue{store, "me"};
  Handlers handlers;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<TaskResult> ended;
  WorkerPool pool;
};

/// Counts how many run at a time; each run waits a little, or until the gate opens.
struct Counted {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::atomic<bool> is_open = true;

  [[nodiscard]] Handler handler(int concurrency) {
    Handler handler{TaskClass::light, [this](const Task&, const Run& run) -> HandlerOutcome {
                      const int now = ++running;
                      int seen = most.load();
                      while (seen < now && !most.compare_exchange_weak(seen, now)) {
                      }
                      std::mutex mutex;
                      std::condition_variable_any never;
                      std::unique_lock lock(mutex);
                      do {
                        never.wait_for(lock, run.stop, 1ms, [] { return false; });
                      } while (!is_open && !run.stop.stop_requested());
                      --running;
                      return "1";
                    }};
    handler.concurrency = concurrency;
    return handler;
  }
};

Handler quick() {
  return {TaskClass::light, [](const Task&, const Run&) -> HandlerOutcome { return "2"; }};
}

TEST_CASE("worker pool: never more runs of a kind at a time than its bound, and all are done") {
  Counted counted;
  HandlerTable table;
  table.add("bound", counted.handler(2));
  Scene scene(std::move(table));
  scene.add("bound", 100);
  scene.pool.start();
  CHECK(scene.wait_for(100));
  CHECK(counted.most == 2);
  CHECK(scene.errors() == 0);
}

TEST_CASE("worker pool: a kind at its bound holds up no other") {
  Counted counted;
  counted.is_open = false;
  HandlerTable table;
  table.add("bound", counted.handler(2));
  table.add("free", quick());
  Scene scene(std::move(table));
  scene.add("bound", 500);
  scene.add("free", 100);
  scene.pool.start();
  CHECK(scene.wait_for(100));  // while no bounded one ends
  CHECK(std::ranges::all_of(scene.ended, [](const auto& one) { return one.content == "2"; }));
  counted.is_open = true;
  CHECK(scene.wait_for(600));
  CHECK(counted.most == 2);
}

TEST_CASE("worker pool: a bound that is lifted lets those that wait begin") {
  Counted counted;
  counted.is_open = false;
  HandlerTable table;
  table.add("bound", counted.handler(1));
  Scene scene(std::move(table));
  scene.add("bound", 20);
  scene.pool.start();
  while (counted.running == 0) std::this_thread::yield();
  HandlerTable next;
  next.add("bound", counted.handler(0));
  scene.handlers.replace(std::move(next));
  counted.is_open = true;
  CHECK(scene.wait_for(20));
}

TEST_CASE("worker pool: one that stops gives back what waits for its turn") {
  Counted counted;
  counted.is_open = false;
  HandlerTable table;
  table.add("bound", counted.handler(1));
  Scene scene(std::move(table));
  scene.add("bound", 50);
  scene.pool.start();
  while (counted.running == 0) std::this_thread::yield();
  scene.pool.stop_leasing();
  counted.is_open = true;
  CHECK(scene.pool.drain(scene.clock.now() + 10s));
  const auto load = *scene.queue.load(scene.clock.now());
  CHECK(load.queued[0] + load.delayed == 50 - scene.ended.size());
  CHECK(load.leased[0] == 0);
}

TEST_CASE("worker pool: those that wait for their turn can be given up") {
  Counted counted;
  counted.is_open = false;
  HandlerTable table;
  table.add("bound", counted.handler(1));
  Scene scene(std::move(table));
  scene.add("bound", 3);
  scene.pool.start();
  while (counted.running == 0) std::this_thread::yield();
  std::vector<std::string> uids = {"bound0", "bound1", "bound2"};
  const auto said = scene.queue.cancel(uids, scene.clock.now());
  REQUIRE(said.has_value());
  scene.pool.cancel(uids);
  CHECK(scene.wait_for(
      static_cast<std::size_t>(std::ranges::count(*said, CancelStatus::will_apply))));
}

TEST_CASE(
    "worker pool: a kind that can only run later costs its tasks no attempt, others no time") {
  std::atomic<int> calls = 0;
  std::atomic<std::uint32_t> most_attempts = 0;
  const SystemClock clock;
  HandlerTable table;
  table.add("later", {TaskClass::light, [&](const Task&, const Run& run) -> HandlerOutcome {
                        most_attempts = std::max(most_attempts.load(), run.attempt);
                        if (++calls > 50) return "1";
                        RunFailure failure(TaskErrorCode::task_failed, "not yet");
                        failure.put_off_until = clock.now() + 20ms;
                        return std::unexpected(std::move(failure));
                      }});
  table.add("free", quick());
  Scene scene(std::move(table), 1);
  scene.add("later", 10);
  scene.add("free", 50);
  scene.pool.start();
  CHECK(scene.wait_for(60));
  CHECK(scene.errors() == 0);
  CHECK(most_attempts == 1);
  CHECK(calls == 60);
  CHECK(std::ranges::all_of(scene.ended.begin(), scene.ended.begin() + 50,
                            [](const auto& one) { return one.content == "2"; }));
}

TEST_CASE("worker pool: a result that no peer would read fails at once and for good") {
  for (const std::size_t size : {10, 11}) {
    std::atomic<int> runs = 0;
    HandlerTable table;
    table.add("long", {TaskClass::light, [&](const Task&, const Run&) -> HandlerOutcome {
                         ++runs;
                         return std::string(size, '1');
                       }});
    Scene scene(std::move(table), 1, 10);
    scene.add("long", 1);
    scene.pool.start();
    REQUIRE(scene.wait_for(1));
    CHECK(runs == 1);
    const auto& error = scene.ended[0].error;
    CHECK(error.has_value() == (size > 10));
    if (error) CHECK(error->code == TaskErrorCode::task_failed);
    if (error) CHECK(error->message.contains("11 bytes as JSON, and no more than 10 can be sent"));
  }
}

TEST_CASE("worker pool: a task without a handler is left to the queue's other workers") {
  HandlerTable none;
  Scene scene(std::move(none), 1);
  MemoryQueue other(scene.store, "other");
  CHECK(other.extend(1, 60s, scene.clock.now()).has_value());
  scene.add("moved", 1);
  scene.pool.start();
  const auto is_delayed = [&] { return scene.queue.load(scene.clock.now())->delayed == 1; };
  while (!is_delayed()) std::this_thread::yield();
  const auto leases = other.lease({.idle = 1, .at_most = 1}, scene.clock.now() + 1s);
  REQUIRE(leases.has_value());
  REQUIRE(leases->size() == 1);
  CHECK(leases->front().attempt == 1);
  CHECK(scene.ended.empty());
}

TEST_CASE("worker pool: a task that this version cannot read fails as a run does") {
  HandlerTable table;
  table.add("unreadable", quick());  // it is no task of that kind
  Scene scene(std::move(table), 1);
  Task task;
  task.name = "unreadable";
  task.uid = "u";
  task.is_unreadable = true;
  task.max_attempts = 1;
  const NewTask queued{std::make_shared<const Task>(task), scene.clock.now(), scene.clock.now()};
  CHECK(scene.queue.enqueue({&queued, 1}, {}, scene.clock.now()).has_value());
  scene.pool.start();
  REQUIRE(scene.wait_for(1));
  const auto& error = scene.ended.front().error;
  REQUIRE(error);
  CHECK(error->code == TaskErrorCode::task_failed);
  CHECK(error->message.contains("cannot read what the queue holds of it"));
}

TEST_CASE("worker pool: an idle worker waits for what an enqueue leases on its behalf") {
  HandlerTable table;
  table.add("task", quick());
  Scene scene(std::move(table), 1);
  scene.pool.start();
  LeaseWant want;
  while (want.idle == 0) want = scene.pool.reserve(scene.clock.now());
  const auto first = scene.task("task", 0);
  const auto enqueued = scene.queue.enqueue({{first, scene.task("task", 1)}}, want, first.arrival);
  REQUIRE(enqueued.has_value());
  REQUIRE(enqueued->outcomes[0].status == EnqueueStatus::leased);
  REQUIRE(enqueued->outcomes[1].status == EnqueueStatus::accepted);

  scene.pool.wake();
  std::this_thread::sleep_for(20ms);
  CHECK(scene.queue.load(scene.clock.now())->queued[0] == 1);
  scene.pool.offer({{.task = first.task,
                     .number = enqueued->outcomes[0].number,
                     .attempt = 1,
                     .arrival = first.arrival,
                     .reply_to = "me"}});
  REQUIRE(scene.wait_for(2));
  CHECK(scene.ended[0].uid == "task0");
}

TEST_CASE("worker pool: an enqueue that leases nothing leaves the idle workers to what is queued") {
  HandlerTable table;
  table.add("task", quick());
  Scene scene(std::move(table), 1);
  scene.pool.start();
  while (scene.pool.reserve(scene.clock.now()).idle == 0) std::this_thread::yield();
  scene.add("task", 1);
  scene.pool.wake();
  scene.pool.offer({});
  CHECK(scene.wait_for(1));
}

TEST_CASE("worker pool: the last process of a queue fails a task without a handler") {
  HandlerTable none;
  Scene scene(std::move(none), 1);
  scene.add("gone", 1);
  scene.pool.start();
  REQUIRE(scene.wait_for(1));
  CHECK(scene.ended[0].error->code == TaskErrorCode::unknown_task);
}

TEST_CASE("worker pool: its owner gets a task without a handler, still leased") {
  std::promise<std::pair<Lease, bool>> got;
  Scene scene(HandlerTable(), 1, 1000,
              [&](Lease lease, bool has_others) { got.set_value({std::move(lease), has_others}); });
  scene.add("gone", 1);
  scene.pool.start();
  auto future = got.get_future();
  REQUIRE(future.wait_for(20s) == std::future_status::ready);
  const auto [lease, has_others] = future.get();
  CHECK(lease.task->name == "gone");
  CHECK(lease.reply_to == "me");
  CHECK_FALSE(has_others);
  const auto load = scene.queue.load(scene.clock.now());
  REQUIRE(load.has_value());
  CHECK(load->leased[index_of(TaskClass::light)] == 1);
  const LeaseRef ref{lease.task->uid, lease.number};
  CHECK(scene.queue.give_back({&ref, 1}, scene.clock.now()).has_value());
  CHECK(scene.errors() == 0);
}

}  // namespace
}  // namespace fogctl
