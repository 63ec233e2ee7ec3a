#include "node/nodes_report.hpp"

#include <doctest/doctest.h>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1000s};

NodesReportInput alone() {
  NodesReportInput input;
  input.self = {"00ff", "fog-1", wire::protocol_version, "0.0.0.0:10000"};
  input.state.expected_wait = 250ms;
  input.state.workers = 4;
  return input;
}

/// What follows the node's own members.
std::string tail_of(const NodesReportInput& input, const std::string& from) {
  const std::string report = nodes_report(input, start);
  const std::size_t begin = report.find(from);
  REQUIRE(begin != std::string::npos);
  return report.substr(begin);
}

TEST_CASE("A node without neighbours reports itself") {
  CHECK(nodes_report(alone(), start) ==
        R"("node":"00ff","name":"fog-1","address":"0.0.0.0:10000","waiting_time":0.25,)"
        R"("workers":4,"ready":true,"cloud":null,"dropped_results":0,"neighbours":[])");
}

TEST_CASE("A node that takes no task has no waiting time") {
  NodesReportInput input = alone();
  input.state.expected_wait.reset();
  CHECK(tail_of(input, "\"waiting_time\"").starts_with("\"waiting_time\":null,\"workers\":4"));
}

TEST_CASE("A node whose free workers get no tasks is not ready") {
  NodesReportInput input = alone();
  input.is_ready = false;
  CHECK(tail_of(input, "\"ready\"").starts_with("\"ready\":false,"));
}

TEST_CASE("The cloud is reported with its address and how far away it is") {
  NodesReportInput input = alone();
  input.cloud = {"10.0.0.99:10000", 20ms, true};
  CHECK(tail_of(input, "\"cloud\"") ==
        R"("cloud":{"address":"10.0.0.99:10000","link_delay":0.02,"original":true},)"
        R"("dropped_results":0,"neighbours":[])");
}

TEST_CASE("Neighbours are reported with what they said, and when, and what went to and fro") {
  Neighbour fogctl;
  fogctl.who.node = "ab";
  fogctl.who.name = "fog \"2\"";
  fogctl.state.expected_wait = 1500ms;
  fogctl.has_state = true;
  fogctl.state_at = start - 500ms;
  fogctl.delay = 2ms;
  fogctl.handed = 7;
  fogctl.handed_now = 1;
  fogctl.taken = 3;
  Neighbour original;
  original.who.name = "an original node";
  original.who.address = "10.0.0.3";

  NodesReportInput input = alone();
  input.neighbours = {{&fogctl, "10.0.0.2:10000"}, {&original, ""}};
  CHECK(tail_of(input, "\"neighbours\"") ==
        R"("neighbours":[{"node":"ab","name":"fog \"2\"","address":"10.0.0.2:10000",)"
        R"("waiting_time":1.5,"link_delay":0.002,"state_age":0.5,"handed":7,"taken":3,)"
        R"("original":false},)"
        R"({"node":null,"name":"an original node","address":"","waiting_time":null,)"
        R"("link_delay":null,"state_age":null,"handed":0,"taken":0,"original":true}])");
}

TEST_CASE("How well waits were predicted is reported for places and by name, as is a shadow") {
  Neighbour neighbour;
  neighbour.link = 7;
  Predictions predictions;
  predictions.add("light", Site::neighbour, 7, 3ms);
  predictions.add("light", Site::here, 0, -1ms);
  NodesReportInput input = alone();
  input.neighbours = {{&neighbour, ""}};
  input.predictions = &predictions;
  input.shadow = "deadline";
  input.shadow_counts = {.decisions = 5, .differing = 2, .sites = {3, 1, 1}, .nowhere = 0};
  const std::string tail = tail_of(input, "\"shadow\"");
  CAPTURE(tail);
  CHECK(tail.starts_with(R"("shadow":{"policy":"deadline","decisions":5,"differing":2,"here":3,)"
                         R"("neighbour":1,"cloud":1,"nowhere":0},)"
                         R"("predictions":{"here":{"tasks":1,"bias":-0.001,"spread":0},)"
                         R"("cloud":{"tasks":0,"bias":0,"spread":0},"by_task":[{"task_name":)"
                         R"("light","tasks":2,"bias":0.001,"spread":)"));
  CHECK(tail.ends_with(R"("prediction":{"tasks":1,"bias":0.003,"spread":0}}])"));
}

TEST_CASE("A report is a message's members: it comes back whole, as one object") {
  Neighbour neighbour;
  neighbour.who.name = "braces {}";
  NodesReportInput input = alone();
  input.neighbours = {{&neighbour, "10.0.0.2:10000"}};
  std::string written;
  wire::append_nodes_report(written, nodes_report(input, start));
  json::Object scratch;
  const auto message = wire::parse_message(written, scratch);
  REQUIRE(message);
  REQUIRE(std::holds_alternative<wire::NodesReport>(*message));
  CHECK(std::get<wire::NodesReport>(*message).json == '{' + nodes_report(input, start) + '}');
}

}  // namespace
}  // namespace fogctl
