// What a client does when a connection breaks or a node refuses.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "unit/client/client_run.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using testing::FakeNode;
using testing::run_against;
using testing::run_plan;
using testing::sequence;
using wire::TaskMessage;

std::string echo(const TaskMessage& task, int) {
  return testing::echo(task);
}

std::string refuse(const TaskMessage& task, int) {
  return testing::fail(task, {TaskErrorCode::unavailable, "the queue is away"});
}

ClientPlan with_timeout(ClientPlan plan, Duration timeout) {
  plan.timeout = timeout;
  return plan;
}

TEST_CASE("Each task has a task_uid of its own, another in another run") {
  std::set<std::string> uids;
  FakeNode node({testing::hello(), [&](const TaskMessage& task, int n) {
                   uids.insert(task.task.uid);
                   CHECK(is_valid_name(task.task.uid));
                   return echo(task, n);
                 }});
  run_against(node, sequence(20, 4));
  run_against(node, sequence(20, 4));
  CHECK(uids.size() == 40);
}

TEST_CASE("A task that was unanswered when the connection broke is sent again with its task_uid") {
  std::vector<TaskMessage> seen;
  FakeNode node({.greeting = testing::hello(),
                 .answer =
                     [&](const TaskMessage& task, int n) {
                       seen.push_back(task);
                       return seen.size() == 2 ? std::string() : echo(task, n);
                     },
                 .closes_after = 2,
                 .breaks = 1});
  ClientPlan plan = sequence(3, 1);
  plan.contents = {"1", "2", "3"};
  const auto run = run_against(node, plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 3);
  CHECK(run.report->sent_again == 1);
  CHECK(run.report->reconnects == 1);
  CHECK(run.report->ended_early.empty());
  REQUIRE(seen.size() == 4);
  CHECK(seen[1].task.uid == seen[2].task.uid);
  CHECK(seen[1].task.content == seen[2].task.content);
  CHECK(seen[1].task_id == seen[2].task_id);
  CHECK(run.outcomes[1].response >= 50ms);  // from its first sending, over the back-off
}

TEST_CASE("A load goes on over a connection that breaks, and all of it is answered") {
  FakeNode node({.greeting = testing::hello(), .answer = echo, .closes_after = 50, .breaks = 3});
  ClientPlan plan;
  plan.streams = {{"echo", TaskClass::light, 10s, {500, 1s}}};
  plan.pace = Load{1s};
  const auto run = run_against(node, plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 500);
  CHECK(run.report->not_sent == 0);
  CHECK(run.report->reconnects == 3);
}

TEST_CASE("Two answers to a task that was sent twice count once") {
  int n_of_all = 0;
  FakeNode node({.greeting = testing::hello(),
                 .answer =
                     [&](const TaskMessage& task, int) {
                       const bool is_first = ++n_of_all == 1;
                       return is_first ? "" : testing::echo(task) + testing::echo(task);
                     },
                 .closes_after = 1,
                 .breaks = 1});
  const auto run = run_against(node, sequence(2, 1));
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 2);
  CHECK(run.outcomes.size() == 2);
  CHECK(run.report->stray.repeated >= 1);
}

TEST_CASE("A result counts also where the node had refused the task before") {
  FakeNode second({testing::hello(), [](const TaskMessage& task, int n) {
                     return n == 1 ? std::string() : testing::echo(task);
                   }});
  FakeNode first({testing::hello(), [&](const TaskMessage& task, int n) {
                    return n == 1 ? refuse(task, n) + testing::echo(task) : echo(task, n);
                  }});
  ClientPlan plan = sequence(1, 1);
  plan.nodes = {first.address(), second.address()};
  const auto run = run_plan(plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 1);
  CHECK(total_of(*run.report).failed() == 0);
}

TEST_CASE("A refusal is not the last word: the task is sent again after a back-off") {
  std::vector<std::string> uids;
  FakeNode node({testing::hello(), [&](const TaskMessage& task, int n) {
                   uids.push_back(task.task.uid);
                   return n < 3 ? refuse(task, n) : echo(task, n);
                 }});
  const auto run = run_against(node, sequence(1, 1));
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 1);
  CHECK(run.report->failures.empty());
  CHECK(run.report->sent_again == 1);
  CHECK(run.report->reconnects == 0);
  REQUIRE(uids.size() == 3);
  CHECK(uids[0] == uids[2]);
  CHECK(run.outcomes[0].response >= 300ms);  // 100 and 200
}

TEST_CASE("A node that says when to send again is obeyed") {
  FakeNode node({testing::hello(), [&](const TaskMessage& task, int n) {
                   if (n > 1) return echo(task, n);
                   return R"({"message_type":"result","task_id":)" + task.task_id +
                          R"(,"error":{"code":"overloaded","message":"full","retry_after":0.4}})";
                 }});
  const auto run = run_against(node, sequence(1, 1));
  REQUIRE(run.outcomes.size() == 1);
  CHECK(run.outcomes[0].kind == Outcome::Kind::done);
  CHECK(run.outcomes[0].response >= 400ms);
}

TEST_CASE("A task that is refused until its time is over failed with the refusal") {
  FakeNode node({testing::hello(), refuse});
  const auto run = run_against(node, with_timeout(sequence(2, 1), 1s));
  REQUIRE(run.outcomes.size() == 2);
  for (const Outcome& outcome : run.outcomes) {
    CHECK(outcome.kind == Outcome::Kind::failed);
    CHECK(outcome.error == TaskError{TaskErrorCode::unavailable, "the queue is away"});
  }
  CHECK(run.report->elapsed >= 600ms);
}

TEST_CASE("Another error is the last word") {
  int count = 0;
  FakeNode node({testing::hello(), [&](const TaskMessage& task, int) {
                   ++count;
                   return testing::fail(task, {TaskErrorCode::task_failed, "no"});
                 }});
  const auto run = run_against(node, sequence(1, 1));
  CHECK(total_of(*run.report).failed() == 1);
  CHECK(count == 1);
}

TEST_CASE("Where the node is gone for ever the run ends when its tasks' time is over") {
  const auto go = [](const ClientPlan& plan) {
    FakeNode node({.greeting = testing::hello(),
                   .answer = [](const TaskMessage&, int) { return ""; },
                   .closes_after = 1,
                   .is_gone_then = true});
    return run_against(node, plan);
  };
  const auto one = go(with_timeout(sequence(1, 1), 300ms));
  REQUIRE(one.outcomes.size() == 1);
  CHECK(one.outcomes[0].kind == Outcome::Kind::lost);
  CHECK(one.report->elapsed >= 300ms);

  const auto many = go(with_timeout(sequence(1'000'000, 1), 300ms));
  REQUIRE(many.report);
  CHECK(total_of(*many.report).lost() <= 2);
  CHECK(total_of(*many.report).lost() + many.report->not_sent == 1'000'000);
  CHECK(many.report->ended_early.find("broke") != std::string::npos);
  CHECK(many.report->elapsed < 10s);
}

TEST_CASE("A node that always breaks the connection does not keep a task beyond its time") {
  FakeNode node({.greeting = testing::hello(),
                 .answer = [](const TaskMessage&, int) { return ""; },
                 .closes_after = 1});
  const auto run = run_against(node, with_timeout(sequence(1, 1), 1s));
  REQUIRE(run.report);
  CHECK(total_of(*run.report).lost() == 1);
  CHECK(run.report->reconnects > 0);
}

TEST_CASE("The next node is taken when the first is gone") {
  FakeNode first({.greeting = testing::hello(),
                  .answer = [](const TaskMessage& task,
                               int n) { return n < 3 ? testing::echo(task) : std::string(); },
                  .closes_after = 3,
                  .is_gone_then = true});
  FakeNode second({testing::hello(), echo});
  ClientPlan plan = sequence(10, 2);
  plan.nodes = {first.address(), second.address()};
  const auto run = run_plan(plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 10);
  CHECK(run.report->reconnects == 1);
  CHECK(run.report->address == to_string(first.address()));
}

TEST_CASE("At the start the first node that can be connected to is taken") {
  FakeNode node({testing::hello(), echo});
  ClientPlan plan = sequence(1, 1);
  plan.nodes = {testing::nobody(), node.address()};
  const auto run = run_plan(plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 1);
  CHECK(run.report->address == to_string(node.address()));
  CHECK(run.report->reconnects == 0);
}

TEST_CASE("What a node refuses goes to the next one") {
  int refused = 0;
  FakeNode first({testing::hello(), [&](const TaskMessage& task, int n) {
                    ++refused;
                    return refuse(task, n);
                  }});
  FakeNode second({testing::hello(), echo});
  ClientPlan plan = sequence(20, 1);
  plan.nodes = {first.address(), second.address()};
  const auto run = run_plan(plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 20);
  CHECK(refused <= 2);
}

TEST_CASE("Without retries a refusal is the last word") {
  FakeNode node({testing::hello(), refuse});
  ClientPlan plan = sequence(1, 1);
  plan.retries = false;
  const auto run = run_against(node, plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).failed() == 1);
  CHECK(run.report->sent_again == 0);
  CHECK(run.report->elapsed < 5s);
}

}  // namespace
}  // namespace fogctl
