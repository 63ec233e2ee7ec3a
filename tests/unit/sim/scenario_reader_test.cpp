#include <doctest/doctest.h>

#include <string>

#include "sim/scenario_reader.hpp"

namespace {

using namespace fogctl;
using namespace fogctl::sim;

TEST_CASE("what is left out of a scenario has its default") {
  const auto scenario = read_scenario("", "dir/empty.toml");
  REQUIRE(scenario.has_value());
  CHECK(scenario->name == "empty");
  CHECK(scenario->workers == 4);
  CHECK(scenario->hedge == .3);
  CHECK(scenario->speeds == std::vector<double>{1});
  CHECK(scenario->mean_execution() == std::chrono::milliseconds(46));
}

TEST_CASE("a scenario is read whole") {
  const auto scenario = read_scenario(R"(
about = "all of it"
loads = [0.5, 1]
measured = { from_s = 1, to_s = 2.5 }
links = { shortest_ms = 0.2, longest_ms = 1 }
cloud = { round_trip_ms = 80 }
sharing = { interval_s = 0.1, on_change = true }
endpoints = { hedge = 0.5 }
stalls = { rate_per_s = 0.5, length_ms = 100, whole_node = true }
[nodes]
count = 3
workers = 2
speeds = [{ count = 1, speed = 2 }, { count = 2, speed = 0.5 }]
[arrivals]
hot = { count = 1, share = 0.6 }
on_off = { on_s = 1, off_s = 2, factor = 3 }
flash = { nodes = 1, factor = 6, from_s = 1, to_s = 2 }
[tasks]
execution = "pareto"
alpha = 1.5
ratio = 100
light = { share = 1, execution_ms = 20, requirement_ms = 60, exclusive = true }
medium = { share = 0 }
heavy = { share = 0 }
[[events]]
what = "cut"
nodes = [0, 2]
at_s = 1.5
for_s = 0.5
)",
                                      "x.toml");
  REQUIRE_MESSAGE(scenario.has_value(), scenario.error().message);
  CHECK(scenario->loads == std::vector<double>{.5, 1});
  CHECK(scenario->measured_to == std::chrono::milliseconds(2500));
  CHECK(scenario->shortest_link == std::chrono::microseconds(200));
  CHECK(scenario->cloud_round_trip == std::chrono::milliseconds(80));
  CHECK(scenario->shares_on_change);
  CHECK(scenario->hedge == .5);
  CHECK(scenario->stalls->whole_node);
  CHECK(scenario->capacity() == doctest::Approx(6));
  CHECK(scenario->shares[0] == doctest::Approx(.6));
  CHECK(scenario->shares[2] == doctest::Approx(.2));
  CHECK(scenario->on_off->factor == 3);
  CHECK(scenario->flash->to == std::chrono::seconds(2));
  CHECK(scenario->classes[index_of(TaskClass::light)].exclusive);
  CHECK_FALSE(scenario->classes[index_of(TaskClass::heavy)].exclusive);
  CHECK(scenario->shape.kind == ExecutionShape::Kind::pareto);
  CHECK(scenario->mean_execution() == std::chrono::milliseconds(20));
  REQUIRE(scenario->events.size() == 1);
  CHECK(scenario->events[0].kind == TimedEvent::Kind::cut);
  CHECK(scenario->events[0].nodes == std::vector<std::uint32_t>{0, 2});
}

TEST_CASE("what is wrong with a scenario is said, and where") {
  struct Row {
    const char* text;
    const char* message;
  };
  const Row rows[] = {
      {"nodes = 3", "x.toml:1: 'nodes': expected a table"},
      {"\n[nodes]\ncuont = 3", "x.toml:3: 'nodes.cuont' is not known here; there are count"},
      {"[nodes]\ncount = 0", "'nodes.count': expected a whole number from 1 to 1000000"},
      {"[nodes]\ncount = 2.5", "'nodes.count': expected a whole number"},
      {"[nodes]\ncount = 2\nspeeds = [{speed = 1}]", "counts whose sum is 'nodes.count', 2"},
      {"loads = []", "at least one number in brackets"},
      {"loads = [0]", "numbers from 0.01 to 10"},
      {"loads = [nan]", "numbers from 0.01 to 10"},
      {"[tasks]\nexecution = \"weird\"", "one of lognormal, exponential, constant, pareto"},
      {"[tasks.light]\nshare = 0.9", "whose sum is 1"},
      {"[[events]]\nat_s = 1\nfor_s = 1", "'events[0].what': expected one of die"},
      {"[[events]]\nwhat = \"die\"\nfor_s = 1", "'events[0].nodes': expected the numbers"},
      {"[[events]]\nwhat = \"die\"\nfor_s = 1\nnodes = [7]", "numbers from 0 to 0"},
      {"[[events]]\nwhat = \"die\"\nfor_s = 1\nnodes = [0.5]", "whole numbers from 0 to 0"},
      {"[[events]]\nwhat = \"join\"\nfor_s = 1\nnodes = [0]", "'events[0].for_s' is not known"},
      {"[measured]\nfrom_s = 9\nto_s = 3", "'measured.to_s': expected more than 'from_s'"},
      {"[links]\nshortest_ms = -1", "'links.shortest_ms': expected a number of at least 0"},
      {"a = = 1", "x.toml:1: "},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto scenario = read_scenario(row.text, "x.toml");
    REQUIRE_FALSE(scenario.has_value());
    CAPTURE(scenario.error().message);
    CHECK(scenario.error().message.find(row.message) != std::string::npos);
  }
}

}  // namespace
