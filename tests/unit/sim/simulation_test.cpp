// Whole simulations: equal seeds give equal figures, nothing is lost, and what is known of the
// original rule shows.
#include <doctest/doctest.h>

#include <cmath>

#include "sim/experiment.hpp"
#include "sim/plot.hpp"
#include "sim/scenario_reader.hpp"

namespace {

using namespace fogctl;
using namespace fogctl::sim;

Scenario scenario_of(std::string_view text) {
  auto scenario = read_scenario(text, "test.toml");
  REQUIRE_MESSAGE(scenario.has_value(), scenario.error().message);
  return *scenario;
}

constexpr std::string_view hot_spot = R"(
measured = { from_s = 2, to_s = 8 }
[nodes]
count = 5
[arrivals.hot]
count = 1
share = 0.5
)";

PolicySummary summary_of(const Scenario& scenario, double load, std::string_view policy,
                         std::uint64_t seed = 1) {
  const Policy* const chosen[] = {find_policy(policy)};
  const auto tallies = run_cell(scenario, load, chosen, seed);
  return summarize(std::string(policy), {tallies.data(), 1});
}

TEST_CASE("equal seeds give equal figures, others others") {
  const Scenario scenario = scenario_of(hot_spot);
  for (const Policy& policy : policies()) {
    CAPTURE(policy.name);
    const auto first = summary_of(scenario, .9, policy.name);
    const auto again = summary_of(scenario, .9, policy.name);
    CHECK(first.events == again.events);
    CHECK(first.in_time.mean == again.in_time.mean);
    CHECK(first.wait_p99 == again.wait_p99);
    CHECK(first.events != summary_of(scenario, .9, policy.name, 2).events);
  }
}

TEST_CASE("the original rule is late where its neighbours' states are old, the ideal is not") {
  const Scenario scenario = scenario_of(hot_spot);
  const Policy* const original[] = {find_policy("original")};
  const auto tallies = run_cell(scenario, .9, original, 1);
  const auto by_rule = summarize("original", {tallies.data(), 1});
  const auto ideal = summarize("ideal", {tallies.data() + 1, 1});
  CHECK(by_rule.in_time.mean < .75);
  CHECK(ideal.in_time.mean > .995);
  CHECK(by_rule.tasks == ideal.tasks);
  CHECK(summary_of(scenario, .9, "deadline").in_time.mean > by_rule.in_time.mean + .1);
}

TEST_CASE("what may not be copied waits less where it is stolen, and runs once") {
  Scenario scenario = scenario_of(hot_spot);
  for (ClassMix& mix : scenario.classes) mix.exclusive = true;
  Policy alone = *find_policy("in-time");
  alone.steals = false;
  const Policy* const both[] = {&alone, find_policy("in-time")};
  const auto tallies = run_cell(scenario, .7, both, 1);
  const auto without = summarize("without", {tallies.data(), 1});
  const auto with = summarize("with", {tallies.data() + 1, 1});
  CHECK(with.duplicate == 0);
  CHECK(without.duplicate == 0);
  CHECK(with.wait_p99 < .75 * without.wait_p99);
  CHECK(with.in_time.mean > without.in_time.mean - .005);
  CHECK(with.messages < without.messages + .2);
}

TEST_CASE("tied copies bring nearly all in time where a node gets half, and little runs twice") {
  const auto summary = summary_of(scenario_of(hot_spot), .9, "in-time");
  CHECK(summary.in_time.mean > .98);
  CHECK(summary.duplicate > 0);
  CHECK(summary.duplicate < .08);
  CHECK(summary.messages < 4.5);
}

TEST_CASE("no task is lost when nodes die, freeze, stall, are cut off, or the cloud is away") {
  for (const std::string_view what : {"die", "freeze", "stall", "cut", "cloud-away"}) {
    const std::string text = std::string(hot_spot) + "[[events]]\nwhat = \"" + std::string(what) +
                             "\"\nnodes = [0, 1]\nat_s = 3\nfor_s = 2\n";
    const Scenario scenario = scenario_of(text);
    for (const Policy& policy : policies()) {
      CAPTURE(what);
      CAPTURE(policy.name);
      const auto summary = summary_of(scenario, .6, policy.name);
      CHECK(summary.lost == 0);
      CHECK(summary.tasks > 1000);
    }
  }
}

TEST_CASE("a node that joins runs tasks from then on, those of its own endpoints too") {
  const auto joining_at = [](int second) {
    const std::string event =
        "[[events]]\nwhat = \"join\"\nnodes = [0, 1]\nat_s = " + std::to_string(second) + "\n";
    return scenario_of(std::string(hot_spot) + (second < 0 ? "" : event));
  };
  for (const Policy& policy : policies()) {
    CAPTURE(policy.name);
    const auto in_time = [&](int second) {
      const auto summary = summary_of(joining_at(second), .6, policy.name);
      CHECK(summary.lost == 0);
      return summary.in_time.mean;
    };
    CHECK(in_time(5) < in_time(-1));
    CHECK(in_time(5) > in_time(8));
  }
  const Policy* const original[] = {find_policy("original")};
  const auto ideal_of = [&](int second) {
    return run_cell(joining_at(second), 1.1, original, 1).back().all().in_time;
  };
  CHECK(ideal_of(8) < ideal_of(-1));
}

TEST_CASE("how many tasks come is known beforehand") {
  for (const char* arrivals :
       {"", "[arrivals.on_off]\non_s = 1\noff_s = 2\nfactor = 3\n",
        "[arrivals.flash]\nnodes = 4\nfactor = 6\nfrom_s = 20\nto_s = 30\n"}) {
    const Scenario scenario = scenario_of("[nodes]\ncount = 20\n" + std::string(arrivals));
    CAPTURE(arrivals);
    const auto drawn = static_cast<double>(draw_trace(scenario, .5, 1).tasks.size());
    CHECK(expected_tasks(scenario, .5) == doctest::Approx(drawn).epsilon(.03));
  }
}

TEST_CASE("endpoints that do not hear of their home send to another node, where copies are tied") {
  const auto with = [](double hedge, std::string_view policy) {
    Scenario scenario = scenario_of(
        "measured = { from_s = 2, to_s = 12 }\n[nodes]\ncount = 10\n"
        "[stalls]\nrate_per_s = 0.1\nlength_ms = 300\nwhole_node = true\n");
    scenario.hedge = hedge;
    return summary_of(scenario, .7, policy);
  };
  const auto without = with(0, "in-time");
  const auto hedged = with(.3, "in-time");
  CHECK(hedged.in_time.mean > .995);
  CHECK(hedged.in_time.mean > without.in_time.mean + .01);
  CHECK(hedged.duplicate < without.duplicate + .01);
  CHECK(hedged.messages < without.messages + .2);
  CHECK(hedged.lost == 0);
  CHECK(with(.3, "original").events == with(0, "original").events);
}

TEST_CASE("no task is lost when the node that it was sent to instead dies or freezes too") {
  for (const std::string_view what : {"die", "freeze"}) {
    const std::string text = std::string(hot_spot) +
                             "[[events]]\nwhat = \"freeze\"\nnodes = [0]\nat_s = 3\nfor_s = 2\n"
                             "[[events]]\nwhat = \"" +
                             std::string(what) +
                             "\"\nnodes = [1, 2]\nat_s = 3.5\nfor_s = 1\n"
                             "[[events]]\nwhat = \"die\"\nnodes = [0]\nat_s = 4\nfor_s = 1\n";
    CAPTURE(what);
    CHECK(summary_of(scenario_of(text), .6, "in-time").lost == 0);
  }
}

TEST_CASE("a constant offered load is what arrives") {
  const Scenario scenario = scenario_of("[nodes]\ncount = 20\n");
  const Trace trace = draw_trace(scenario, .5, 1);
  Duration work{};
  for (const TracedTask& task : trace.tasks) work += task.execution;
  const double length = to_seconds(trace.tasks.back().arrival - start_of_time);
  CHECK(to_seconds(work) / length / 80 == doctest::Approx(.5).epsilon(.03));
  CHECK(trace.links.size() == 190);
}

TEST_CASE("nodes of a large fog know no more than they may, and reach each other") {
  const Scenario scenario = scenario_of("[nodes]\ncount = 200\nknown = 8\n");
  const Trace trace = draw_trace(scenario, .01, 1);
  std::vector<int> known(200);
  for (const TracedLink& link : trace.links) ++known[link.a], ++known[link.b];
  for (const int count : known) CHECK((count >= 2 && count <= 8));
}

TEST_CASE("the plot has a line for each policy and a panel for each scenario") {
  std::vector<LoadSummary> summaries(2);
  for (LoadSummary& one : summaries) {
    one.load = .9;
    one.policies.resize(2);
    one.policies[0].policy = "original";
    one.policies[1].policy = "ideal";
  }
  summaries[0].scenario = "a<b";
  summaries[1].scenario = "c";
  const std::string svg = plot_in_time(summaries);
  CHECK(svg.starts_with("<svg "));
  CHECK(svg.find("a&lt;b") != std::string::npos);
  CHECK(svg.find(">ideal<") != std::string::npos);
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(svg.find(">ideal<") < svg.find(">original<"));  // drawn over it
}

TEST_CASE("estimates are means with Student's interval") {
  const double values[] = {1, 2, 3};
  const Estimate estimate = estimate_of(values);
  CHECK(estimate.mean == doctest::Approx(2));
  CHECK(estimate.half_width == doctest::Approx(4.303 / std::sqrt(3.0)).epsilon(1e-4));
  CHECK(estimate_of({values, 1}).half_width == 0);
}

TEST_CASE("quantiles of waits are exact within 1.6 %") {
  WaitHistogram waits;
  for (int i = 1; i <= 1000; ++i) waits.add(std::chrono::milliseconds(i));
  CHECK(to_seconds(waits.quantile(.5)) == doctest::Approx(.5).epsilon(.016));
  CHECK(to_seconds(waits.quantile(.99)) == doctest::Approx(.99).epsilon(.016));
  CHECK(WaitHistogram().quantile(.5) == Duration::zero());
}

}  // namespace
