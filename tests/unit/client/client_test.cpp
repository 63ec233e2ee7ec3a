#include "client/client.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "unit/client/client_run.hpp"
#include "unit/client/fake_node.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using testing::FakeNode;
using testing::run_against;
using testing::sequence;
using wire::TaskMessage;

TEST_CASE("A single task carries what the plan says and its result comes back") {
  TaskMessage seen;
  FakeNode node({testing::hello(), [&](const TaskMessage& task, int) {
                   seen = task;
                   return testing::echo(task, "cloud");
                 }});
  ClientPlan plan = sequence(1, 1);
  plan.streams = {{"sum", TaskClass::medium, 1500ms, {}}};
  plan.contents = {"[1,2.50]"};
  plan.uid = "my-uid";
  plan.to_cloud = true;
  const auto run = run_against(node, plan);
  REQUIRE(run.report);
  REQUIRE(run.outcomes.size() == 1);
  CHECK(run.outcomes[0].kind == Outcome::Kind::done);
  CHECK(run.outcomes[0].content == "[1,2.50]");
  CHECK(run.outcomes[0].site == RanAt::cloud);
  CHECK(run.outcomes[0].response > 0s);
  CHECK(run.outcomes[0].response <= run.report->elapsed);
  CHECK(seen.task_id == "1");
  CHECK(seen.task.name == "sum");
  CHECK(seen.task.weight == TaskClass::medium);
  CHECK(seen.task.uid == "my-uid");
  CHECK(seen.task.cloud_processing);
  CHECK(seen.task.time_requirement_text == "1.5");
  CHECK(json::read_number(seen.task.sending_time).value_or(0) > 1.6e9);
}

TEST_CASE("A class that is not said is the node's to know, and its result's to tell") {
  bool has_class = true;
  FakeNode node({testing::hello(), [&](TaskMessage task, int) {
                   has_class = task.has_class;
                   task.task.weight = TaskClass::heavy;
                   return testing::echo(task);
                 }});
  ClientPlan plan = sequence(1, 1);
  plan.streams = {{"thumbnail", {}, 1s, {}}};
  const auto run = run_against(node, plan);
  REQUIRE(run.report);
  CHECK_FALSE(has_class);
  CHECK(run.report->classes[0].weight == TaskClass::heavy);
}

TEST_CASE("The closed loop has one task on its way at a time") {
  int unanswered = 0;
  int most = 0;
  FakeNode node({testing::hello(), [&](const TaskMessage& task, int) {
                   most = std::max(most, ++unanswered);
                   --unanswered;
                   return testing::echo(task);
                 }});
  const auto run = run_against(node, sequence(50, 1));
  REQUIRE(run.report);
  CHECK(most == 1);
  CHECK(total_of(*run.report).done() == 50);
  CHECK(run.report->not_sent == 0);
  CHECK(notes_on(*run.report).empty());
}

TEST_CASE("Outcomes of rows come in order of the rows, whatever the order of the answers") {
  std::string held;
  FakeNode node({testing::hello(), [&](const TaskMessage& task, int n) {
                   held = testing::echo(task) + held;
                   return n % 5 == 0 ? std::exchange(held, "") : std::string();
                 }});
  ClientPlan plan = sequence(20, 8);
  plan.contents.clear();
  for (int i = 0; i < 20; ++i) plan.contents.push_back(std::to_string(i));
  const auto run = run_against(node, plan);
  REQUIRE(run.outcomes.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) CHECK(run.outcomes[i].content == std::to_string(i));
}

TEST_CASE("A load sends each name at its rate and takes contents in turn") {
  std::vector<std::string> seen;
  FakeNode node({testing::hello(), [&](const TaskMessage& task, int) {
                   seen.push_back(task.task.name + "=" + task.task.content);
                   return testing::echo(task);
                 }});
  ClientPlan plan;
  plan.streams = {{"a", TaskClass::light, 10s, {1000, 1s}}, {"b", TaskClass::heavy, 10s, {50, 1s}}};
  plan.contents = {"1", "2", "3"};
  plan.pace = Load{100ms};
  const auto run = run_against(node, plan);
  REQUIRE(run.report);
  REQUIRE(run.report->classes.size() == 2);
  CHECK(run.report->classes[0].statistics.done() == 100);
  CHECK(run.report->classes[1].statistics.done() == 5);
  CHECK(run.outcomes.empty());
  REQUIRE(seen.size() == 105);
  CHECK(seen[0] == "a=1");
  CHECK(seen[1] == "b=2");
  for (std::size_t i = 0; i < seen.size(); ++i) {
    CHECK(seen[i].substr(2) == std::to_string(i % 3 + 1));
  }
}

TEST_CASE("A load names the tasks that failed or were lost, the first ten of them") {
  std::vector<std::string> uids;
  FakeNode node({testing::hello(), [&](const TaskMessage& task, int n) -> std::string {
                   if (n % 3 == 0) return testing::echo(task);
                   uids.push_back(task.task.uid);
                   return testing::fail(task, {TaskErrorCode::unknown_task, "no such thing"});
                 }});
  ClientPlan plan;
  plan.streams = {{"a", TaskClass::light, 10s, {1000, 1s}}};
  plan.pace = Load{20ms};
  const auto run = run_against(node, plan);
  REQUIRE(run.report);
  REQUIRE(uids.size() == 14);
  uids.resize(most_failed_uids);
  CHECK(run.report->failed_uids == uids);
}

TEST_CASE("A result with an error is a failed task with the node's reason") {
  FakeNode node({testing::hello(), [](const TaskMessage& task, int) {
                   return testing::fail(task, {TaskErrorCode::unknown_task, "no such thing"});
                 }});
  const auto run = run_against(node, sequence(2, 1));
  REQUIRE(run.outcomes.size() == 2);
  CHECK(run.outcomes[0].kind == Outcome::Kind::failed);
  CHECK(run.outcomes[0].error == TaskError{TaskErrorCode::unknown_task, "no such thing"});
  CHECK(total_of(*run.report).failed() == 2);
  CHECK(run.report->failures.at(TaskErrorCode::unknown_task).count == 2);
}

TEST_CASE("An error message that names no task fails the one that is on its way") {
  FakeNode node({testing::hello(), [](const TaskMessage&, int) {
                   std::string text;
                   wire::append_error(text, "too_much", "the field is too long");
                   return text;
                 }});
  const auto run = run_against(node, sequence(1, 1));
  REQUIRE(run.outcomes.size() == 1);
  CHECK(run.outcomes[0].kind == Outcome::Kind::failed);
  CHECK(run.outcomes[0].error.message == "too_much: the field is too long");
  CHECK(run.notes == std::vector<std::string>{"the node says: too_much: the field is too long"});
}

TEST_CASE("What is not answered in time is lost, and the run ends") {
  FakeNode node({testing::hello(), [](const TaskMessage& task, int n) {
                   return n == 2 ? std::string() : testing::echo(task);
                 }});
  ClientPlan plan = sequence(3, 1);
  plan.timeout = 1s;
  const auto run = run_against(node, plan);
  REQUIRE(run.outcomes.size() == 3);
  CHECK(run.outcomes[0].kind == Outcome::Kind::done);
  CHECK(run.outcomes[1].kind == Outcome::Kind::lost);
  CHECK(run.outcomes[2].kind == Outcome::Kind::done);
  CHECK(run.report->ended_early.empty());
}

TEST_CASE("Late, second and unknown answers count for no task") {
  std::string first;
  FakeNode node({testing::hello(), [&](const TaskMessage& task, int n) -> std::string {
                   const std::string answer = testing::echo(task);
                   if (n == 1) {
                     first = answer;
                     return "";
                   }
                   return first + R"({"message_type":"result","task_id":"x"})" + answer + answer +
                          R"({"message_type":"state","task_time":1})";
                 }});
  ClientPlan plan = sequence(3, 1);
  plan.timeout = 1s;
  const auto run = run_against(node, plan);
  REQUIRE(run.report);
  const Statistics total = total_of(*run.report);
  CHECK(total.sent() == 3);
  CHECK(total.done() == 2);
  CHECK(total.lost() == 1);
  CHECK(run.report->stray.late == 2);  // the first task's answer, with the two others
  CHECK(run.report->stray.repeated >= 1);
  CHECK(run.report->stray.unknown == 2);
}

TEST_CASE("Without retries a connection that breaks loses what is unanswered and ends the run") {
  FakeNode node({.greeting = testing::hello(),
                 .answer = [](const TaskMessage& task,
                              int n) { return n < 4 ? testing::echo(task) : std::string(); },
                 .closes_after = 4});
  ClientPlan plan = sequence(10, 1);
  plan.retries = false;
  const auto run = run_against(node, plan);
  REQUIRE(run.report);
  const Statistics total = total_of(*run.report);
  CHECK(total.done() == 3);
  CHECK(total.lost() == 1);
  CHECK(run.report->not_sent == 6);
  CHECK(run.report->ended_early.find("broke") != std::string::npos);
}

TEST_CASE("A peer that speaks something else ends the run at once") {
  FakeNode node({"SSH-2.0-OpenSSH_9.2\r\n", [](const TaskMessage&, int) { return ""; }});
  const auto run = run_against(node, sequence(1, 1));
  REQUIRE(run.report);
  CHECK(total_of(*run.report).lost() == 1);
  CHECK(run.report->ended_early.find("does not speak the protocol") != std::string::npos);
}

TEST_CASE("With nobody listening there is no report but an error that may pass") {
  ClientPlan plan = sequence(1, 1);
  plan.streams = {{"echo", TaskClass::light, 10s, {}}};
  plan.nodes = {testing::nobody(), testing::nobody()};
  const SystemClock clock;
  const auto report = run_client(plan, clock, {});
  REQUIRE_FALSE(report);
  CHECK(is_transient(report.error()));
  for (const HostPort& node : plan.nodes) {
    CHECK(report.error().message.find(to_string(node)) != std::string::npos);
  }
}

}  // namespace
}  // namespace fogctl
