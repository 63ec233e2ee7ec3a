#include "node/decision_report.hpp"

#include <doctest/doctest.h>

#include "json/json.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1000s};

DecisionNames names_with(const NeighbourIdentity* who) {
  DecisionNames names;
  names.policy = "original";
  names.shadow = "deadline";
  names.here = "one";
  names.cloud = "above";
  names.who_is = [who](PeerId link) { return link == 7 ? who : nullptr; };
  return names;
}

DecisionView to_neighbour() {
  DecisionView view;
  view.decision.at = start - 2s;
  view.decision.uid.set("t");
  view.decision.name.set("light");
  view.decision.choice = {true, Site::neighbour, 7, "because"};
  view.decision.expected = 30ms;
  view.places = {{.site = Site::here, .verdict = PlaceVerdict::no_worker},
                 {.site = Site::neighbour, .link = 7, .wait = 20ms, .link_delay = 10ms}};
  return view;
}

std::string text_of(const DecisionView& view, const NeighbourIdentity* who) {
  const std::string text = '{' + decision_members(view, names_with(who), start) + '}';
  json::Object object;
  CHECK(object.parse(text));
  return text;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("A decision is told with the names of places, and null for what is not known") {
  NeighbourIdentity two;
  two.node = "ab";
  two.name = "two";
  const std::string text = text_of(to_neighbour(), &two);
  CHECK(has(text, R"("age":2,"policy":"original","task_name":"light")"));
  CHECK(has(text, R"("site":"neighbour","node":"ab","name":"two","reason":"because")"));
  CHECK(has(text, R"({"site":"here","node":null,"name":"one","expected_wait":null,)"
                  R"("link_delay":null,"expected_run":null,"state_age":null,"headroom":null,)"
                  R"("verdict":"no_worker","why":"no worker serves the queue"})"));
  CHECK(has(text, R"("shadow":null,"placed_again":false,"outcome":null)"));
}

TEST_CASE("An original neighbour is told by its address, one that nobody remembers by nothing") {
  NeighbourIdentity original;
  original.address = "10.0.0.3";
  CHECK(has(text_of(to_neighbour(), &original), R"("node":null,"name":"10.0.0.3")"));
  CHECK(has(text_of(to_neighbour(), nullptr), R"("node":null,"name":null)"));
}

TEST_CASE("What came, and what another policy would have done, are told") {
  DecisionView view = to_neighbour();
  view.decision.is_last = false;
  view.decision.shadow = Choice{false, Site::here, 0, "nowhere to go"};
  TaskEnding& ending = view.decision.ending.emplace();
  ending.waited = 50ms;
  ending.error = TaskErrorCode::timed_out;
  const std::string text = text_of(view, nullptr);
  CHECK(has(text, R"("shadow":{"policy":"deadline","site":null,"node":null,"name":null,)"
                  R"("reason":"nowhere to go","copies":[],"differs":true},)"
                  R"("placed_again":true)"));
  CHECK(has(text, R"("outcome":{"waited":0.05,"execution_time":0,"node":"","in_time":false,)"
                  R"("error":"timed_out"})"));
}

TEST_CASE("Copies are told, with what came of them, and those of a shadow") {
  NeighbourIdentity two;
  two.node = "ab";
  two.name = "two";
  DecisionView view = to_neighbour();
  CHECK(has(text_of(view, &two), R"("copies":[])"));
  view.decision.add_copy({7, 4ms, 30ms, DecidedCopy::Fate::turned_away});
  view.decision.shadow = Choice{true, Site::here, 0, "because", {7}};
  const std::string text = text_of(view, &two);
  const std::string copy = R"("copies":[{"site":"neighbour","node":"ab","name":"two")";
  CHECK(has(text, copy + R"(,"after":0.004,"expected_wait":0.03,"fate":"turned_away"}])"));
  CHECK(has(text, copy + R"(}],"differs":true})"));
}

TEST_CASE("A task that went nowhere is told with null, and why") {
  DecisionView view = to_neighbour();
  view.decision.choice = {false, Site::here, 0, "no place"};
  const std::string text = text_of(view, nullptr);
  CHECK(
      has(text, R"("site":null,"node":null,"name":null,"reason":"no place","expected_wait":null)"));
}

}  // namespace
}  // namespace fogctl
