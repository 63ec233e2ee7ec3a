// No worker serves the queue: what is new waits for one for a bounded time, or goes elsewhere.
#include <doctest/doctest.h>

#include "scheduling/scheduler.hpp"
#include "support/scheduler_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using namespace std::chrono_literals;
using Kind = EnqueueAnswer::Kind;

TaskErrorCode code_of(const ReturnResult& answer) {
  REQUIRE(answer.result.error);
  return answer.result.error->code;
}

TEST_CASE("Without workers a task waits for one, and is placed when one appears") {
  SchedulerBench bench;
  CHECK(bench.task(task_of("light", "u1")).empty());
  CHECK(bench.scheduler.next_tick() == bench.now + 2s);
  bench.pass(1s);
  CHECK(bench.tick().empty());
  CHECK(bench.load(0).empty());
  const auto enqueue = only<EnqueueTask>(bench.load(1));
  CHECK(enqueue.task->uid == "u1");
  CHECK(enqueue.arrival == bench.now - 1s);
  CHECK(bench.load(2).empty());
  bench.pass(10s);
  CHECK(bench.tick().empty());
  CHECK_FALSE(bench.scheduler.next_tick());
  CHECK(all<ReturnResult>(bench.result(result_of("u1"))).size() == 1);
}

TEST_CASE("Without workers and cloud a task is refused when its patience ends, oldest first") {
  SchedulerBench bench;
  (void)bench.task(task_of("light", "u1"), 1, "10");
  bench.pass(500ms);
  (void)bench.task(task_of("light", "u2"), 1, "20");
  bench.pass(1500ms - 1ns);
  CHECK(bench.tick().empty());
  bench.pass(1ns);
  const auto first = only<ReturnResult>(bench.tick());
  CHECK(first.origin.task_id == "10");
  CHECK(code_of(first) == TaskErrorCode::unavailable);
  CHECK(first.result.error->message.find("no worker") != std::string::npos);
  CHECK(bench.scheduler.next_tick() == bench.now + 500ms);
  bench.pass(500ms);
  CHECK(only<ReturnResult>(bench.tick()).origin.task_id == "20");
  CHECK(bench.scheduler.unanswered() == 0);
}

TEST_CASE("No more tasks wait for a place than are allowed to") {
  SchedulerOptions options = bench_options();
  options.max_parked = 2;
  SchedulerBench bench(options);
  CHECK(bench.task(task_of("light")).empty());
  CHECK(bench.task(task_of("light")).empty());
  CHECK(code_of(only<ReturnResult>(bench.task(task_of("light")))) == TaskErrorCode::unavailable);
  CHECK(bench.load(1).size() == 2);
  CHECK(bench.scheduler.unanswered() == 2);
}

TEST_CASE("Without workers a task goes to the cloud, also one that waits when it comes up") {
  SchedulerBench bench;
  (void)bench.task(task_of("light", "u1"));
  CHECK(only<EnqueueTask>(bench.cloud_up()).away);
  CHECK(only<EnqueueTask>(bench.task(task_of("light", "u2"))).away);
}

}  // namespace
}  // namespace fogctl
