// Tasks that run on the node's own queue: placed, enqueued, answered once.
#include "scheduling/scheduler.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/scheduler_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using namespace std::chrono_literals;
using Kind = EnqueueAnswer::Kind;

TEST_CASE("A task is enqueued here, and its result goes back to who sent it, once") {
  auto bench = SchedulerBench::with_workers();
  Task task = task_of("light", "u1");
  task.time_requirement = 5s;
  task.waited = 1s;
  const auto enqueue = only<EnqueueTask>(bench.task(task, 7, "42"));
  CHECK(enqueue.task->uid == "u1");
  CHECK_FALSE(enqueue.away);
  CHECK(enqueue.arrival == bench.now);
  CHECK(enqueue.start_by == bench.now + 4s);
  CHECK(bench.enqueued("u1", Kind::queued).empty());
  CHECK(bench.scheduler.unanswered() == 1);

  const auto answer = only<ReturnResult>(bench.result(result_of("u1")));
  CHECK(answer.origin.peer == 7);
  CHECK(answer.origin.task_id == "42");
  CHECK(answer.origin.has_uid);
  CHECK(answer.result.content == "3");
  CHECK(answer.task->process_by == "local");
  CHECK_FALSE(answer.is_forwarded);
  CHECK(bench.scheduler.unanswered() == 0);

  CHECK(bench.result(result_of("u1")).empty());
  CHECK(bench.scheduler.repeated_results() == 1);
}

TEST_CASE("A result that is faster than the queue's answer is the answer") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.task(task_of("light", "u1"));
  CHECK(all<ReturnResult>(bench.result(result_of("u1"))).size() == 1);
  CHECK(bench.enqueued("u1", Kind::queued).empty());
  CHECK(bench.scheduler.unanswered() == 0);
}

TEST_CASE("A task without uid gets one of its own") {
  auto bench = SchedulerBench::with_workers();
  const auto first = only<EnqueueTask>(bench.task(task_of("light")));
  const auto second = only<EnqueueTask>(bench.task(task_of("light")));
  CHECK(is_valid_name(first.task->uid));
  CHECK(first.task->uid != second.task->uid);
  CHECK_FALSE(first.task->uid_chosen);
  const auto answer = only<ReturnResult>(bench.result(result_of(first.task->uid)));
  CHECK_FALSE(answer.origin.has_uid);
}

TEST_CASE("A failed task's answer is its error, and teaches nothing about execution times") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.task(task_of("light", "u1"));
  const auto failed = only<ReturnResult>(bench.result(error_of("u1", TaskErrorCode::task_failed)));
  CHECK(failed.result.error->code == TaskErrorCode::task_failed);
  const auto next = only<EnqueueTask>(bench.task(task_of("light", "u2")));
  CHECK(next.task->estimated_execution_time == 0);
}

TEST_CASE("The placed task carries the estimates by which it was placed") {
  auto bench = SchedulerBench::with_workers(2);
  (void)bench.task(task_of("medium", "u1"));
  TaskResult result = result_of("u1");
  result.execution_time = 400ms;
  (void)bench.result(result);
  const auto first = only<EnqueueTask>(bench.task(task_of("medium", "u2")));
  CHECK(first.task->estimated_queuing_time == 0);
  CHECK(first.task->estimated_execution_time == 0.4);
  const auto second = only<EnqueueTask>(bench.task(task_of("medium", "u3")));
  CHECK(second.task->estimated_queuing_time == 0.2);
}

TEST_CASE("process_by says local only where the task was not handed on, and not in the cloud") {
  struct Row {
    const char* name;
    bool is_cloud;
    int offload_times;
    const char* came;
    const char* expected;
  };
  constexpr Row rows[] = {
      {"a client's task", false, 0, "f", "local"},
      {"a task of another fog node", false, 1, "fog", "fog"},
      {"a task of another one, twice handed on", false, 2, "f", "f"},
      {"a client's task at the cloud", true, 0, "f", "f"},
      {"a fog node's task at the cloud", true, 0, "cloud", "cloud"},
      {"a task handed on at the cloud", true, 3, "cloud", "cloud"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    SchedulerOptions options = bench_options();
    options.is_cloud = row.is_cloud;
    SchedulerBench bench(options);
    (void)bench.load(1);
    Task task = task_of("light", "u1");
    task.offload_times = row.offload_times;
    task.process_by = row.came;
    CHECK(only<EnqueueTask>(bench.task(task)).task->process_by == row.expected);
    CHECK(only<ReturnResult>(bench.result(result_of("u1"))).task->process_by == row.expected);
  }
}

TEST_CASE("The same uid sent again waits for the same result, and everyone is answered once") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.task(task_of("light", "u1"), 1, "10");
  CHECK(bench.task(task_of("light", "u1"), 2, "20").empty());
  CHECK(bench.task(task_of("light", "u1"), 3, "30").empty());
  CHECK(bench.scheduler.unanswered() == 1);
  const auto answers = all<ReturnResult>(bench.result(result_of("u1")));
  REQUIRE(answers.size() == 3);
  std::vector<std::string> ids;
  for (const auto& answer : answers) ids.push_back(answer.origin.task_id);
  std::ranges::sort(ids);
  CHECK(ids == std::vector<std::string>{"10", "20", "30"});
  CHECK(bench.scheduler.unanswered() == 0);
}

TEST_CASE("The same uid with another name or content is refused, and the first one goes on") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.task(task_of("light", "u1"), 1, "10");
  Task other_content = task_of("light", "u1");
  other_content.content = "2";
  for (const Task& other : {other_content, task_of("medium", "u1")}) {
    const auto refusal = only<ReturnResult>(bench.task(other, 2, "20"));
    CHECK(refusal.origin.task_id == "20");
    CHECK(refusal.result.uid == "u1");
    REQUIRE(refusal.result.error);
    CHECK(refusal.result.error->code == TaskErrorCode::invalid_task);
    CHECK(refusal.result.error->message.find("'task_uid'") != std::string::npos);
  }
  CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "10");
}

TEST_CASE("A task that is sent again for ever costs bounded memory") {
  auto bench = SchedulerBench::with_workers();
  std::size_t refused = 0;
  for (int i = 0; i < 100; ++i) refused += bench.task(task_of("light", "u1"), 1, "1").size();
  refused -= 1;  // the first one's EnqueueTask
  CHECK(refused > 0);
  const auto answers = all<ReturnResult>(bench.result(result_of("u1")));
  CHECK(answers.size() + refused == 100);
}

TEST_CASE("Once it was answered, a uid sent again is asked of the queue, which kept the result") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.task(task_of("light", "u1"), 1, "10");
  (void)bench.result(result_of("u1"));
  CHECK(only<EnqueueTask>(bench.task(task_of("light", "u1"), 2, "20")).task->uid == "u1");
  CHECK(bench.enqueued("u1", Kind::queued).empty());  // the first one's, and late
  CHECK(bench.scheduler.unanswered() == 1);
  const auto answer = only<ReturnResult>(bench.enqueued("u1", Kind::done));
  CHECK(answer.origin.task_id == "20");
  CHECK(answer.result.content == "\"kept\"");
  CHECK(answer.result.uid == "u1");
  CHECK(bench.scheduler.unanswered() == 0);
}

TEST_CASE("What the queue refuses is answered with the reason") {
  struct Row {
    const char* name;
    Kind kind;
    TaskErrorCode code;
    const char* says;
  };
  constexpr Row rows[] = {
      {"another task's uid", Kind::conflict, TaskErrorCode::invalid_task, "'task_uid'"},
      {"full", Kind::overloaded, TaskErrorCode::overloaded, "full"},
      {"a full disk", Kind::no_room, TaskErrorCode::overloaded, "the reason"},
      {"cannot be done", Kind::failed, TaskErrorCode::unavailable, "the reason"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    auto bench = SchedulerBench::with_workers();
    (void)bench.task(task_of("light", "u1"), 3, "9");
    const auto answer = only<ReturnResult>(bench.enqueued("u1", row.kind));
    CHECK(answer.origin.peer == 3);
    CHECK(answer.result.uid == "u1");
    REQUIRE(answer.result.error);
    CHECK(answer.result.error->code == row.code);
    CHECK(answer.result.error->message.find(row.says) != std::string::npos);
    CHECK(answer.result.node == "fog-1");
    CHECK(bench.scheduler.unanswered() == 0);
    CHECK(bench.task(task_of("light", "u1")).size() == 1);  // forgotten: it may come again
  }
}

TEST_CASE("A stop answers all that ends with the process, and leaves to the queue what survives") {
  for (const bool queue_survives : {false, true}) {
    CAPTURE(queue_survives);
    auto bench = SchedulerBench::with_workers();
    (void)bench.task(task_of("light", "kept"), 1, "1");
    (void)bench.enqueued("kept", Kind::queued);
    (void)bench.task(task_of("light", "asked"), 1, "2");  // no answer of the queue yet
    (void)bench.load(0);
    (void)bench.task(task_of("light", "parked"), 1, "3");
    const auto answers = all<ReturnResult>(bench.stop(queue_survives));
    CHECK(answers.size() == (queue_survives ? 2 : 3));
    for (const auto& answer : answers) {
      REQUIRE(answer.result.error);
      CHECK(answer.result.error->code == TaskErrorCode::unavailable);
      CHECK((answer.result.uid != "kept" || !queue_survives));
    }
    CHECK(bench.scheduler.unanswered() == (queue_survives ? 1 : 0));
  }
}

TEST_CASE("A task is waited for by 17 connections, of which those that closed do not count") {
  PeerId first_open = 1;
  SchedulerOptions options = bench_options();
  options.is_connected = [&](PeerId peer) { return peer >= first_open; };
  SchedulerBench bench(options);
  (void)bench.load(1);
  for (PeerId peer = 1; peer <= 17; ++peer) (void)bench.task(task_of("light", "u1"), peer);
  const auto refused = all<ReturnResult>(bench.task(task_of("light", "u1"), 18));
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].result.error->code == TaskErrorCode::overloaded);
  first_open = 17;
  CHECK(all<ReturnResult>(bench.task(task_of("light", "u1"), 18)).empty());
}

}  // namespace
}  // namespace fogctl
