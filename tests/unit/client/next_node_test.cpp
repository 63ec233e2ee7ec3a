// What a client does where the first node that it knows is of no use, and another one is.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <string_view>

#include "unit/client/client_run.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using testing::FakeNode;
using testing::run_plan;
using testing::RunRecord;
using testing::sequence;
using wire::TaskMessage;

constexpr const char* foreign_greeting = "SSH-2.0-OpenSSH\r\n";

std::string echo(const TaskMessage& task, int) {
  return testing::echo(task);
}

bool has_note(const RunRecord& run, std::string_view text) {
  return std::ranges::any_of(
      run.notes, [&](const std::string& note) { return note.find(text) != std::string::npos; });
}

RunRecord run_with(const FakeNode& first, const FakeNode& second, ClientPlan plan) {
  plan.nodes = {first.address(), second.address()};
  return run_plan(std::move(plan));
}

TEST_CASE("A port that closes at once is not tried again before the next node") {
  std::atomic<int> connections = 0;
  FakeNode proxy({.greeting = "",
                  .answer = {},
                  .on_connected = [&] { ++connections; },
                  .closes_at_once = true});
  FakeNode second({testing::hello(), echo});
  const auto run = run_with(proxy, second, sequence(2, 1));
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 2);
  CHECK(connections == 1);
}

TEST_CASE("Of two ports that close at once each is tried in turn") {
  std::atomic<int> connections = 0;
  FakeNode first({.greeting = "", .answer = {}, .closes_at_once = true});
  FakeNode second({.greeting = "",
                   .answer = {},
                   .on_connected = [&] { ++connections; },
                   .closes_at_once = true});
  ClientPlan plan = sequence(1, 1);
  plan.timeout = 3s;
  const auto run = run_with(first, second, plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).lost() == 1);
  CHECK(connections >= 1);
}

TEST_CASE("What does not speak the protocol is left for the next node, with a note") {
  FakeNode foreign({foreign_greeting, [](const TaskMessage&, int) { return ""; }});
  FakeNode second({testing::hello(), echo});
  const auto run = run_with(foreign, second, sequence(2, 1));
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 2);
  CHECK(run.report->ended_early.empty());
  CHECK(has_note(run, to_string(foreign.address()) + " broke: it does not speak the protocol"));
}

TEST_CASE("Where no node speaks the protocol the run ends when the last of them has shown it") {
  FakeNode first({foreign_greeting, [](const TaskMessage&, int) { return ""; }});
  FakeNode second({foreign_greeting, [](const TaskMessage&, int) { return ""; }});
  ClientPlan plan = sequence(1, 1);
  plan.timeout = 1h;
  const auto run = run_with(first, second, plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).lost() == 1);
  CHECK(run.report->ended_early.find(to_string(second.address()) + " does not speak") == 0);
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

constexpr const char* no_room =
    "{\"message_type\":\"error\",\"code\":\"overloaded\",\"message\":\"no room\"}\n";

std::string silent(const TaskMessage&, int) {
  return "";
}

TEST_CASE("A node that has no room for one more connection is left for the next one") {
  std::atomic<int> connections = 0;
  FakeNode full({.greeting = no_room, .answer = silent, .on_connected = [&] { ++connections; }});
  FakeNode second({testing::hello(), echo});
  const auto run = run_with(full, second, sequence(2, 1));
  REQUIRE(run.report);
  CHECK(total_of(*run.report).done() == 2);
  CHECK(connections == 1);
  CHECK(has_note(run, to_string(full.address()) + " broke: it says: no room"));
}

TEST_CASE("A node that has no room is tried again more and more seldom, and no task fails by it") {
  std::atomic<int> connections = 0;
  FakeNode full({.greeting = no_room, .answer = silent, .on_connected = [&] { ++connections; }});
  ClientPlan plan = sequence(1, 1);
  plan.timeout = 2s;
  plan.nodes = {full.address()};
  const auto run = run_plan(plan);
  REQUIRE(run.report);
  CHECK(total_of(*run.report).lost() == 1);
  // Pauses of 0.1 to 0.2 s, 0.2 to 0.4 s, and so on: six at the most.
  CHECK(connections >= 2);
  CHECK(connections <= 7);
}

}  // namespace
}  // namespace fogctl
