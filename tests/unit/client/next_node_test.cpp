// What a client does where the first node that it knows is of no use, and another one is.
#include <doctest/doctest.h>

#include <atomic>
#include <string>

#include "unit/client/client_run.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using testing::FakeNode;
using testing::run_plan;
using testing::RunRecord;
using testing::sequence;
using wire::TaskMessage;

std::string echo(const TaskMessage& task, int) {
  return testing::echo(task);
}

RunRecord run_with(const FakeNode& first, const FakeNode& second, ClientPlan plan) {
  plan.nodes = {first.address(), second.address()};
  return run_plan(std::move(plan));
}

TEST_CASE("A refused task does not wait for as long as the node said where another one takes it") {
  for (const std::uint64_t window : {1, 8}) {
    CAPTURE(window);
    FakeNode first({testing::hello(), [](const TaskMessage& task, int) {
                      return R"({"message_type":"result","task_id":)" + task.task_id +
                             R"(,"error":{"code":"overloaded","message":"m","retry_after":1e300}})";
                    }});
    std::atomic<int> tasks = 0;
    FakeNode second({testing::hello(), [&](const TaskMessage& task, int n) {
                       ++tasks;
                       return echo(task, n);
                     }});
    const auto run = run_with(first, second, sequence(8, window));
    REQUIRE(run.report);
    CHECK(total_of(*run.report).done() == 8);
    CHECK(tasks == 8);
    CHECK(run.report->stray.repeated == 0);
  }
}

TEST_CASE("What went to another node is not sent again when the time comes that the first said") {
  FakeNode first({testing::hello(), [](const TaskMessage& task, int) {
                    return R"({"message_type":"result","task_id":)" + task.task_id +
                           R"(,"error":{"code":"overloaded","message":"m","retry_after":1}})";
                  }});
  std::atomic<int> tasks = 0;
  FakeNode second({testing::hello(), [&](const TaskMessage&, int) {
                     ++tasks;
                     return std::string();
                   }});
  ClientPlan plan = sequence(1, 1);
  plan.timeout = 2s;
  const auto run = run_with(first, second, plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 0);
  CHECK(tasks == 1);
}

}  // namespace
}  // namespace fogctl
