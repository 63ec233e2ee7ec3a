// Tasks that go to the cloud: never before the queue holds them as away, and back again when the
// cloud does not answer.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "scheduling/scheduler.hpp"
#include "support/copies_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using namespace std::chrono_literals;
using Kind = EnqueueAnswer::Kind;

/// A node with a worker and a cloud, and one task `u1` that is with the cloud under lease 5.
struct Away : SchedulerBench {
  explicit Away(bool is_original = false, const Task& task = cloud_task("heavy", "u1")) {
    (void)load(1);
    (void)cloud_up(is_original);
    (void)this->task(task, 7, "42");
    id = only<HandOn>(enqueued("u1", Kind::away, 5)).id;
  }
  std::int64_t id = 0;
};

TEST_CASE("A task for the cloud is held by the queue as away before it is sent") {
  auto bench = SchedulerBench::with_workers();
  CHECK(bench.cloud_up().empty());
  Task task = cloud_task("heavy", "u1");
  task.waited = 1s;
  const auto enqueue = only<EnqueueTask>(bench.task(task));
  CHECK(enqueue.away);
  CHECK(enqueue.task->process_by == "cloud");
  CHECK(bench.scheduler.away() == 0);

  bench.pass(250ms);
  const auto sent = only<HandOn>(bench.enqueued("u1", Kind::away, 5));
  CHECK(sent.task->uid == "u1");
  CHECK(sent.task->process_by == "cloud");
  CHECK(sent.task->waited == 1250ms);
  CHECK(enqueue.task->waited == 1s);  // what the queue was given does not change
  CHECK(bench.scheduler.away() == 1);
}

TEST_CASE("The cloud's result ends the task in the queue and goes to the client as it came") {
  Away bench;
  const Actions actions = bench.cloud_result(bench.id, result_of("", "9"));
  CHECK(bench.was_expected);
  REQUIRE(actions.size() == 2);
  const auto finish = all<FinishAway>(actions).at(0);
  CHECK(finish.task->uid == "u1");
  CHECK(finish.lease_number == 5);
  CHECK(finish.result.uid == "u1");
  CHECK(finish.result.content == "9");
  const auto answer = all<ReturnResult>(actions).at(0);
  CHECK(answer.is_forwarded);
  CHECK(answer.origin.task_id == "42");
  CHECK(answer.result.uid == "u1");
  CHECK(answer.task->process_by == "cloud");
  CHECK(bench.scheduler.unanswered() == 0);
  CHECK(bench.scheduler.away() == 0);

  CHECK(bench.cloud_result(bench.id, result_of("")).empty());
  CHECK_FALSE(bench.was_expected);
  CHECK(bench.scheduler.repeated_results() == 1);
}

TEST_CASE("How far the cloud is shows in its answers too: the connection may end at a proxy") {
  struct Row {
    const char* name;
    bool is_original;
    Duration expected;
  };
  for (const Row& row :
       {Row{"fogctl", false, 200ms}, Row{"original, silent on waits", true, 1ms}}) {
    CAPTURE(row.name);
    Away bench(row.is_original);
    bench.scheduler.on_cloud_delay(1ms);
    bench.pass(250ms);
    TaskResult result = result_of("", "9");
    result.execution_time = 30ms;
    result.queuing_time = 20ms;
    (void)bench.cloud_result(bench.id, result);
    bench.scheduler.on_cloud_delay(1ms);  // as it is told again and again
    const auto plan = bench.scheduler.plan(cloud_task("heavy", "u2"), bench.now);
    const auto cloud = std::ranges::find(plan.places, Site::cloud, &Considered::site);
    REQUIRE(cloud != plan.places.end());
    CHECK(to_seconds(*cloud->link_delay) == doctest::Approx(to_seconds(row.expected)));
  }
}

TEST_CASE("A result under an id that was not given out is dropped") {
  Away bench;
  CHECK(bench.cloud_result(bench.id + 1, result_of("u1")).empty());
  CHECK_FALSE(bench.was_expected);
  CHECK(bench.scheduler.unanswered() == 1);
}

TEST_CASE("The cloud goes down: what is with it runs here, and a late answer changes nothing") {
  Away bench;
  const auto back = only<TakeBack>(bench.cloud_down());
  CHECK(back.uid == "u1");
  CHECK(back.lease_number == 5);
  CHECK(bench.scheduler.away() == 0);
  CHECK(bench.scheduler.unanswered() == 1);

  CHECK(bench.cloud_up().empty());
  CHECK(bench.cloud_result(bench.id, result_of("u1")).empty());
  CHECK_FALSE(bench.was_expected);

  const auto answer = only<ReturnResult>(bench.result(result_of("u1")));
  CHECK(answer.task->process_by == "local");
  CHECK_FALSE(answer.is_forwarded);
  CHECK(bench.scheduler.unanswered() == 0);
}

TEST_CASE("A task that was handed on keeps its process_by when it comes back from the cloud") {
  Task task = cloud_task("heavy", "u1");
  task.offload_times = 1;
  task.process_by = "fog";
  Away bench(false, task);
  (void)bench.cloud_down();
  CHECK(only<ReturnResult>(bench.result(result_of("u1"))).task->process_by == "fog");
}

TEST_CASE("The cloud goes down while the queue is asked to hold the task: it is taken back") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  CHECK(bench.cloud_down().empty());
  CHECK(only<TakeBack>(bench.enqueued("u1", Kind::away, 5)).lease_number == 5);
  CHECK(only<ReturnResult>(bench.result(result_of("u1"))).task->process_by == "local");
}

TEST_CASE("A task that the queue has already is left to it") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  CHECK(bench.enqueued("u1", Kind::queued).empty());
  CHECK(bench.cloud_down().empty());
  CHECK(all<ReturnResult>(bench.result(result_of("u1"))).size() == 1);
}

TEST_CASE("While the cloud is down its tasks run here, and the next one goes up again") {
  auto bench = SchedulerBench::with_workers();
  const auto here = only<EnqueueTask>(bench.task(cloud_task("heavy", "u1")));
  CHECK_FALSE(here.away);
  CHECK(here.task->process_by == "local");
  (void)bench.enqueued("u1", Kind::queued);
  CHECK(bench.cloud_up().empty());
  CHECK(only<EnqueueTask>(bench.task(cloud_task("heavy", "u2"))).away);
}

TEST_CASE("A cloud that did not run the task is no answer where it can run here") {
  for (const auto code :
       {TaskErrorCode::unavailable, TaskErrorCode::overloaded, TaskErrorCode::unknown_task}) {
    Away bench;
    CHECK(only<TakeBack>(bench.cloud_result(bench.id, error_of("u1", code))).lease_number == 5);
    CHECK(bench.was_expected);
    CHECK(all<ReturnResult>(bench.result(result_of("u1"))).size() == 1);
  }
}

TEST_CASE("A cloud's failure is the answer; turned away, a task waits for somebody to run it") {
  Away failed;
  CHECK(failed.cloud_result(failed.id, error_of("u1", TaskErrorCode::task_failed)).size() == 2);

  Away no_workers;
  (void)no_workers.load(0);
  CHECK(no_workers.cloud_result(no_workers.id, error_of("u1", TaskErrorCode::unavailable)).empty());
  no_workers.pass(1h);
  CHECK(no_workers.tick().empty());
  CHECK(only<TakeBack>(no_workers.load(1)).lease_number == 5);
}

TEST_CASE("An original cloud is given light, medium and heavy tasks of bounded size alone") {
  struct Row {
    const char* name;
    Task task;
    bool goes;
  };
  Task large = cloud_task("heavy", "u1");
  large.content = '"' + std::string(1000, 'x') + '"';
  Task braces = cloud_task("medium", "u1");
  braces.content = '"' + std::string(200, '{') + '"';
  const Row rows[] = {
      {"heavy", cloud_task("heavy", "u1"), true},
      {"light", cloud_task("light", "u1"), true},
      {"a task that it does not know", cloud_task("echo", "u1"), false},
      {"too large an object", large, false},
      {"too large once its braces are escaped", braces, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    auto bench = SchedulerBench::with_workers();
    (void)bench.cloud_up(true);
    CHECK(only<EnqueueTask>(bench.task(row.task)).away == row.goes);
    (void)bench.cloud_up(false);
    Task again = row.task;
    again.uid = "u2";
    CHECK(only<EnqueueTask>(bench.task(again)).away);
  }
}

TEST_CASE("A cloud that comes back as an original one gets nothing that it would not answer") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up(false);
  (void)bench.task(cloud_task("echo", "u1"));
  (void)bench.cloud_down();
  (void)bench.cloud_up(true);
  CHECK(only<TakeBack>(bench.enqueued("u1", Kind::away, 5)).uid == "u1");
}

TEST_CASE("An original cloud that stays silent loses the task, each after its own time") {
  Away bench(true);
  CHECK(bench.scheduler.next_tick() == bench.now + 60s);
  bench.pass(30s);
  (void)bench.task(cloud_task("heavy", "u2"));
  (void)bench.enqueued("u2", Kind::away, 6);
  bench.pass(30s - 1ns);
  CHECK(bench.tick().empty());
  bench.pass(1ns);
  CHECK(only<TakeBack>(bench.tick()).uid == "u1");
  CHECK(bench.scheduler.next_tick() == bench.now + 30s);
  CHECK(bench.cloud_result(bench.id, result_of("u1")).empty());
  CHECK(all<ReturnResult>(bench.result(result_of("u1"))).size() == 1);
  bench.pass(30s);
  CHECK(only<TakeBack>(bench.tick()).uid == "u2");
  CHECK_FALSE(bench.scheduler.next_tick());
}

TEST_CASE("A fogctl cloud has more time, in case that it is frozen") {
  Away bench(false);
  CHECK(bench.scheduler.next_tick() == bench.now + 5min);
  bench.pass(5min - 1ns);
  CHECK(bench.tick().empty());
  bench.pass(1ns);
  CHECK(only<TakeBack>(bench.tick()).uid == "u1");
  CHECK_FALSE(bench.scheduler.next_tick());
}

TEST_CASE("A fogctl cloud that was taken for an original one is not given up after its silence") {
  Away bench(true);
  (void)bench.cloud_up(false);
  bench.pass(2min);
  CHECK(bench.tick().empty());
  CHECK(bench.cloud_result(bench.id, result_of("u1")).size() == 2);
}

TEST_CASE("A task that is too large for the cloud, once it is escaped, runs here") {
  SchedulerOptions options = bench_options();
  std::size_t of_cloud = no_limit;
  SUBCASE("by the node's own measure") {
    options.max_message = 10'000;
  }
  SUBCASE("by what the cloud says") {
    of_cloud = 10'000;
  }
  SchedulerBench bench(options);
  (void)bench.load(1);
  (void)bench.cloud_up(false, of_cloud);
  for (const std::size_t braces : {1000U, 2000U}) {
    Task task = cloud_task("echo");
    task.content = '"' + std::string(braces, '{') + '"';
    CHECK(only<EnqueueTask>(bench.task(task)).away == (braces == 1000));
  }
}

TEST_CASE("Ids for the cloud lie between 2^32 and 2^53 and come once") {
  std::set<std::int64_t> starts;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SchedulerBench bench(bench_options(), seed);
    (void)bench.load(1);
    (void)bench.cloud_up();
    std::set<std::int64_t> ids;
    for (int i = 0; i < 20; ++i) {
      const std::string uid = "u" + std::to_string(i);
      (void)bench.task(cloud_task("heavy", uid));
      const auto id = only<HandOn>(bench.enqueued(uid, Kind::away, 1)).id;
      REQUIRE(id >= std::int64_t{1} << 32);
      REQUIRE(id < std::int64_t{1} << 53);
      ids.insert(id);
    }
    CHECK(ids.size() == 20);
    starts.insert(*ids.begin());
  }
  CHECK(starts.size() == 200);
}

TEST_CASE("A wait as long as can be does not overflow on its way to the cloud") {
  Task task = cloud_task("heavy", "u1");
  task.waited = Duration::max();
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(task);
  bench.pass(1s);
  CHECK(only<HandOn>(bench.enqueued("u1", Kind::away, 1)).task->waited == Duration::max());
}

TEST_CASE("The same uid sent again while it is away waits for the cloud's answer") {
  Away bench;
  CHECK(bench.task(cloud_task("heavy", "u1"), 8, "43").empty());
  const Actions actions = bench.cloud_result(bench.id, result_of("u1"));
  CHECK(all<ReturnResult>(actions).size() == 2);
  CHECK(all<FinishAway>(actions).size() == 1);
}

TEST_CASE("What came while the cloud was away goes there at the last moment, once it is back") {
  Home bench;
  (void)bench.cloud_up();
  bench.scheduler.on_cloud_delay(2ms);
  (void)bench.cloud_down();
  (void)bench.task(hurried("u1", 1s));
  SUBCASE("it is in the queue") {
    (void)bench.enqueued("u1", EnqueueAnswer::Kind::queued);
    SUBCASE("") {
      (void)bench.cloud_up();
    }
    SUBCASE("and the cloud says later that it can run it") {
      (void)bench.cloud_up();
      (void)bench.kinds(cloud_link, {"other"});
      (void)bench.kinds(cloud_link, {"light"});
    }
    bench.pass(997ms);
    CHECK(all<Withdraw>(bench.tick()).empty());
    bench.pass(1ms);
    CHECK(bench.scheduler.next_tick() <= bench.now);
    CHECK(all<Withdraw>(bench.tick()).at(0).uid == "u1");
  }
  SUBCASE("the queue has not answered yet") {
    (void)bench.cloud_up();
    bench.pass(998ms);
    CHECK(all<Withdraw>(bench.tick()).empty());
  }
  SUBCASE("it has begun") {
    (void)bench.enqueued("u1", EnqueueAnswer::Kind::queued);
    (void)bench.started("u1");
    (void)bench.cloud_up();
    bench.pass(998ms);
    CHECK(all<Withdraw>(bench.tick()).empty());
  }
}

TEST_CASE("What the queue's disk has no room for goes to the cloud, unnoted") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  SUBCASE("it was to run here") {
    CHECK_FALSE(only<EnqueueTask>(bench.task(task_of("light", "u1"))).away);
    CHECK(only<EnqueueTask>(bench.enqueued("u1", Kind::no_room)).away);
  }
  SUBCASE("it was to go there") {
    CHECK(only<EnqueueTask>(bench.task(cloud_task("heavy", "u1"))).away);
  }
  SUBCASE("the link is lost meanwhile: it is refused") {
    (void)only<EnqueueTask>(bench.task(cloud_task("heavy", "u1")));
    CHECK(bench.cloud_down().empty());
    CHECK_FALSE(only<EnqueueTask>(bench.enqueued("u1", Kind::no_room)).away);
    const auto refused = only<ReturnResult>(bench.enqueued("u1", Kind::no_room));
    CHECK(refused.result.error.value().code == TaskErrorCode::overloaded);
    return;
  }
  const auto sent = only<HandOn>(bench.enqueued("u1", Kind::no_room));
  CHECK(only<ReturnResult>(bench.cloud_result(sent.id, result_of("u1"))).is_forwarded);
  CHECK(bench.scheduler.unanswered() == 0);
}

}  // namespace
}  // namespace fogctl
