// A client that gives a task to a second node, since the first did not accept it in time.
#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "unit/client/client_run.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using testing::accept;
using testing::echo;
using testing::FakeNode;
using testing::hello;
using testing::run_plan;
using wire::TaskMessage;

std::string nothing(const TaskMessage&, int) {
  return "";
}

std::string accept_and_echo(const TaskMessage& task, int) {
  return accept(task) + echo(task);
}

/// Tasks one after another, each hedged after 100 ms.
ClientPlan hedged(std::uint64_t count, const FakeNode& first, const FakeNode& second) {
  ClientPlan plan = testing::sequence(count, 1);
  plan.nodes = {first.address(), second.address()};
  plan.streams = {{"echo", TaskClass::light, 500ms, {}}};
  plan.hedge = .2;
  plan.timeout = 10s;
  return plan;
}

TEST_CASE("A task that is not accepted goes to another node, and the first is told") {
  std::vector<TaskMessage> at_first;
  std::vector<TaskMessage> at_second;
  std::vector<std::string> given_up;
  Report report;
  {
    FakeNode first({.greeting = hello(),
                    .answer =
                        [&](const TaskMessage& task, int) {
                          at_first.push_back(task);
                          return std::string();
                        },
                    .on_given_up = [&](const std::string& uid) { given_up.push_back(uid); }});
    FakeNode second({hello(), [&](const TaskMessage& task, int n) {
                       at_second.push_back(task);
                       return accept_and_echo(task, n);
                     }});
    const auto run = run_plan(hedged(2, first, second));
    REQUIRE(run.report);
    report = *run.report;
    for (const Outcome& outcome : run.outcomes) CHECK(outcome.response >= 100ms);
  }
  CHECK(total_of(report).done() == 2);
  CHECK(report.hedged == 2);
  CHECK(report.sent_again == 0);
  REQUIRE(at_first.size() == 2);
  REQUIRE(at_second.size() == 2);
  CHECK(at_first[0].wants_accept);
  CHECK_FALSE(at_first[0].task.is_copy);
  CHECK(at_second[0].wants_accept);
  CHECK(at_second[0].task.is_copy);
  CHECK(at_first[0].task.uid == at_second[0].task.uid);
  REQUIRE(!given_up.empty());  // of the last one the connection may end before
  CHECK(given_up[0] == at_first[0].task.uid);
}

TEST_CASE("A task that is accepted stays, however long it takes") {
  std::atomic<int> at_second = 0;
  FakeNode second({hello(), [&](const TaskMessage&, int) {
                     ++at_second;
                     return std::string();
                   }});
  FakeNode first({hello(), [](const TaskMessage& task, int) { return accept(task); }});
  ClientPlan plan = hedged(1, first, second);
  plan.streams[0].requirement = 2500ms;
  plan.timeout = 1500ms;
  const auto run = run_plan(plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).lost() == 1);
  CHECK(run.report->hedged == 0);
  CHECK(at_second == 0);
}

TEST_CASE("The first result counts, and a second one is dropped without a word") {
  TaskMessage held;
  FakeNode second({hello(), accept_and_echo});
  // The answers to a task come with the next one.
  FakeNode first({hello(), [&](const TaskMessage& task, int n) {
                    const std::string late = n == 1 ? "" : echo(held, "fog");
                    held = task;
                    return late;
                  }});
  const auto run = run_plan(hedged(3, first, second));
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 3);
  CHECK(run.report->hedged == 3);
  CHECK(run.report->stray.repeated == 0);
  for (const Outcome& outcome : run.outcomes) CHECK(outcome.site == RanAt::local);
}

TEST_CASE("Where the one that was told to give it up answers first, the other one is told, too") {
  TaskMessage held;
  std::vector<std::string> given_up;
  {
    FakeNode second({.greeting = hello(),
                     .answer = [](const TaskMessage& task, int) { return accept(task); },
                     .on_given_up = [&](const std::string& uid) { given_up.push_back(uid); }});
    FakeNode first({hello(), [&](const TaskMessage& task, int n) {
                      if (n > 1) return (n == 2 ? echo(held) : "") + accept_and_echo(task, n);
                      held = task;
                      return std::string();
                    }});
    ClientPlan plan = hedged(1, first, second);
    plan.streams[0].requirement = 2500ms;
    plan.streams[0].rate = {1, 1s};
    plan.pace = Load{3s};
    const auto run = run_plan(plan);
    REQUIRE(run.report);
    CHECK(total_of(*run.report).done() == 3);
    CHECK(run.report->hedged == 1);
  }
  CHECK(given_up == std::vector{held.task.uid});
}

TEST_CASE("The second node's refusal is not the task's result") {
  FakeNode second({hello(), [](const TaskMessage& task, int) {
                     return testing::fail(task, {TaskErrorCode::unknown_task, "not here"});
                   }});
  FakeNode first({hello(), [&](const TaskMessage& task, int n) {
                    return n == 1 ? std::string() : accept_and_echo(task, n);
                  }});
  ClientPlan plan = hedged(1, first, second);
  plan.timeout = 500ms;
  const auto run = run_plan(plan);
  REQUIRE(run.report);
  CHECK(run.report->hedged == 1);
  CHECK(total_of(*run.report).failed() == 0);
  CHECK(total_of(*run.report).lost() == 1);
}

TEST_CASE("Where the first node refuses a task that the second has, it is not sent again") {
  TaskMessage at_first;
  TaskMessage at_second;
  std::atomic<int> sent_to_second = 0;
  FakeNode second({hello(), [&](const TaskMessage& task, int n) {
                     ++sent_to_second;
                     if (n > 1) return echo(at_second) + accept_and_echo(task, n);
                     at_second = task;
                     return std::string();
                   }});
  FakeNode first({hello(), [&](const TaskMessage& task, int n) {
                    if (n > 1) {
                      return testing::fail(at_first, {TaskErrorCode::unavailable, "it stops"});
                    }
                    at_first = task;
                    return std::string();
                  }});
  ClientPlan plan = hedged(1, first, second);
  plan.streams[0].rate = {5, 1s};
  plan.pace = Load{400ms};  // the second task after 200 ms
  const auto run = run_plan(plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 2);
  CHECK(run.report->hedged == 2);
  CHECK(run.report->sent_again == 0);
  CHECK(sent_to_second == 2);
}

TEST_CASE("Where the first node's connection breaks, the second one's copy is the task") {
  std::atomic<int> at_second = 0;
  FakeNode second({hello(), [&](const TaskMessage& task, int n) {
                     ++at_second;
                     return accept_and_echo(task, n);
                   }});
  FakeNode first({.greeting = hello(), .answer = nothing, .closes_after = 2});
  ClientPlan plan = hedged(2, first, second);
  std::get<Sequence>(plan.pace).window = 2;
  const auto run = run_plan(plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 2);
  CHECK(at_second == 2);
}

TEST_CASE("A node that does not say that it is of fogctl gets no second task, nor has any") {
  FakeNode original({"", accept_and_echo});
  FakeNode silent({hello(), nothing});
  FakeNode silent_original({"", nothing});
  FakeNode fog({hello(), accept_and_echo});
  const auto run = [](const FakeNode& first, const FakeNode& second) {
    ClientPlan plan = hedged(1, first, second);
    plan.streams[0].requirement = 2500ms;
    plan.timeout = 1500ms;
    return run_plan(plan);
  };
  SUBCASE("the second") {
    const auto got = run(silent, original);
    REQUIRE(got.report);
    CHECK(got.report->hedged == 0);
    CHECK(total_of(*got.report).lost() == 1);
  }
  SUBCASE("both") {
    const auto got = run(silent_original, original);
    REQUIRE(got.report);
    CHECK(got.report->hedged == 0);
  }
  SUBCASE("one that says nothing at all is not waited for where another one does") {
    const auto got = run(silent_original, fog);
    REQUIRE(got.report);
    CHECK(got.report->hedged == 0);
    CHECK(total_of(*got.report).done() == 1);
    REQUIRE(got.outcomes.size() == 1);
    CHECK(got.outcomes[0].response >= 200ms);  // it may speak yet
    CHECK(got.outcomes[0].response < 500ms);   // as long as for a task to be accepted
  }
}

TEST_CASE("A node that goes by two addresses is one: what it does not accept goes to another one") {
  const std::string greeting = hello();
  std::atomic<int> at_same = 0;
  FakeNode first({greeting, nothing});
  FakeNode same({greeting, [&](const TaskMessage&, int) {
                   ++at_same;
                   return std::string();
                 }});
  FakeNode other({hello(), accept_and_echo});
  ClientPlan plan = hedged(1, first, same);
  plan.timeout = 1s;
  SUBCASE("there is none") {
    const auto run = run_plan(plan);
    REQUIRE(run.report);
    CHECK(run.report->hedged == 0);
    CHECK(total_of(*run.report).lost() == 1);
  }
  SUBCASE("there is one") {
    plan.nodes.push_back(other.address());
    const auto run = run_plan(plan);
    REQUIRE(run.report);
    CHECK(run.report->hedged == 1);
    CHECK(total_of(*run.report).done() == 1);
  }
  CHECK(at_same == 0);
}

TEST_CASE("Where another node says nothing, the next one is looked for") {
  FakeNode first({hello(), nothing});
  std::counting_semaphore<> met(0);
  FakeNode silent({.greeting = "", .answer = nothing, .on_connected = [&] { met.release(); }});
  const HostPort later = testing::nobody();
  std::optional<FakeNode> third;
  std::jthread opener([&] {
    if (!met.try_acquire_for(10s)) return;
    third.emplace(
        testing::Behaviour{.greeting = hello(), .answer = accept_and_echo, .port = later.port});
  });
  ClientPlan plan = hedged(1, first, silent);
  plan.nodes.push_back(later);
  plan.streams[0].rate = {20, 1s};
  plan.pace = Load{4s};
  plan.timeout = 500ms;
  const auto run = run_plan(plan);
  opener.join();
  REQUIRE(run.report);
  CHECK(run.report->hedged > 0);
  CHECK(total_of(*run.report).done() == run.report->hedged);
}

TEST_CASE("Without --hedge, for the cloud, and with one node nothing is hedged") {
  FakeNode second({hello(), accept_and_echo});
  FakeNode first({hello(), [](const TaskMessage& task, int) {
                    CHECK_FALSE(task.wants_accept);
                    return std::string();
                  }});
  ClientPlan plan = hedged(1, first, second);
  plan.timeout = 400ms;
  SUBCASE("without") {
    plan.hedge = 0;
  }
  SUBCASE("for the cloud") {
    plan.to_cloud = true;
  }
  const auto run = run_plan(plan);
  REQUIRE(run.report);
  CHECK(run.report->hedged == 0);
  CHECK(total_of(*run.report).lost() == 1);
}

}  // namespace
}  // namespace fogctl
