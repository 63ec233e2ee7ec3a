#include <doctest/doctest.h>

#include <algorithm>

#include "support/copies_bench.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using namespace support;

SchedulerOptions remembering() {
  SchedulerOptions options = bench_options();
  options.kept_decisions = 100;
  return options;
}

/// One worker whose queue takes 100 ms, and two neighbours: "a" idle, "b" busy.
SchedulerBench busy_node() {
  SchedulerBench bench(remembering());
  (void)bench.load(1);
  (void)bench.task(task_of("light", "first"));
  TaskResult first = result_of("first");
  first.execution_time = 100ms;
  (void)bench.enqueued("first", EnqueueAnswer::Kind::queued);
  (void)bench.result(first);
  (void)bench.load(1, {1, 0, 0});
  (void)bench.peer_up(1, fogctl_node("a"));
  (void)bench.peer_up(2, fogctl_node("b"));
  (void)bench.peer_state(1, 0ms);
  (void)bench.peer_state(2, 500ms);
  return bench;
}

Task urgent(std::string_view uid) {
  Task task = task_of("light", uid);
  task.time_requirement = 10ms;
  return task;
}

PlaceVerdict verdict_at(const DecisionView& view, Site site, PeerId link = 0) {
  const auto found = std::ranges::find_if(
      view.places, [&](const Considered& one) { return one.site == site && one.link == link; });
  REQUIRE(found != view.places.end());
  return found->verdict;
}

DecisionView only_decision(SchedulerBench& bench, std::string_view uid) {
  const auto views = bench.scheduler.decisions_about(uid, bench.now);
  REQUIRE(views.size() == 1);
  return views.front();
}

TEST_CASE("A decision remembers every place, and what the policy held of it") {
  SchedulerBench bench = busy_node();
  bench.pass(300ms);
  (void)bench.task(urgent("t"), 9);
  const DecisionView view = only_decision(bench, "t");
  CHECK(view.decision.choice.is_somewhere);
  CHECK(view.decision.choice.site == Site::neighbour);
  CHECK(view.decision.choice.link == 1);
  CHECK(view.decision.choice.reason.find("the best neighbour") != std::string_view::npos);
  REQUIRE(view.places.size() == 3);
  CHECK(verdict_at(view, Site::here) == PlaceVerdict::late);
  CHECK(verdict_at(view, Site::neighbour, 1) == PlaceVerdict::chosen);
  CHECK(verdict_at(view, Site::neighbour, 2) == PlaceVerdict::late);
  const Considered& here = view.places.front();
  CHECK(to_seconds(*here.wait) == doctest::Approx(.1));
  CHECK(to_seconds(*here.headroom) == doctest::Approx(-.09));
  CHECK(to_seconds(*view.places[2].age) == doctest::Approx(.3));
}

TEST_CASE("Places that the policy did not see are told with the reason") {
  SchedulerBench bench = busy_node();
  (void)bench.kinds(2, {"other"});
  (void)bench.cloud_up();
  (void)bench.cloud_down();
  (void)bench.task(urgent("t"), 1);
  const DecisionView view = only_decision(bench, "t");
  CHECK(verdict_at(view, Site::neighbour, 1) == PlaceVerdict::came_from);
  CHECK(verdict_at(view, Site::neighbour, 2) == PlaceVerdict::cannot_run);
  CHECK(verdict_at(view, Site::cloud) == PlaceVerdict::no_link);
  CHECK(verdict_at(view, Site::here) == PlaceVerdict::chosen);
  (void)bench.load(0);
  (void)bench.peer_state(1, std::nullopt);
  (void)bench.task(urgent("u"), 9);
  const DecisionView other = only_decision(bench, "u");
  CHECK(verdict_at(other, Site::here) == PlaceVerdict::no_worker);
  CHECK(verdict_at(other, Site::neighbour, 1) == PlaceVerdict::takes_none);
  CHECK_FALSE(other.decision.choice.is_somewhere);
}

TEST_CASE("What came of a task stands beside what was predicted") {
  SchedulerBench bench = busy_node();
  (void)bench.task(urgent("t"), 9);
  const auto away = only<HandOn>(bench.enqueued("t", EnqueueAnswer::Kind::away, 1));
  bench.pass(40ms);
  TaskResult result = result_of("t");
  result.node = "fog-a";
  (void)bench.link_result(1, away.id, result);
  const DecisionView view = only_decision(bench, "t");
  REQUIRE(view.decision.ending);
  CHECK(view.decision.ending->waited == 30ms);
  CHECK(view.decision.ending->execution == 10ms);
  CHECK(view.decision.ending->node.text() == "fog-a");
  CHECK_FALSE(view.decision.ending->is_in_time);
  CHECK(bench.scheduler.predictions().of_link(1).bias() == 30ms);
}

TEST_CASE("A task that is placed again has a decision for each, the last with the outcome") {
  SchedulerBench bench = busy_node();
  (void)bench.task(urgent("t"), 9);
  (void)bench.enqueued("t", EnqueueAnswer::Kind::away, 1);
  (void)bench.peer_lost(1);
  const auto views = bench.scheduler.decisions_about("t", bench.now);
  REQUIRE(views.size() == 2);
  CHECK_FALSE(views[0].decision.is_last);
  CHECK(views[1].decision.is_last);
  CHECK(views[1].decision.choice.site == Site::here);
  // The one that is gone is still named.
  REQUIRE(bench.scheduler.who_is(1) != nullptr);
  CHECK(bench.scheduler.who_is(1)->name == "fog-a");
}

TEST_CASE("A plan says where the next task goes, and changes nothing") {
  SchedulerOptions options = remembering();
  options.policy = find_policy("deadline");
  SchedulerBench asked(options, 5);
  SchedulerBench other(options, 5);
  for (SchedulerBench* bench : {&asked, &other}) {
    (void)bench->load(1);
    for (int i = 0; i < 50; ++i) (void)bench->task(task_of("light", "t" + std::to_string(i)), 9);
    TaskResult result = result_of("t0");
    (void)bench->result(result);
    for (PeerId link = 1; link <= 5; ++link) {
      (void)bench->peer_up(link, fogctl_node(std::string(1, static_cast<char>('a' + link))));
      (void)bench->peer_state(link, 1ms);
    }
  }
  for (int i = 0; i < 20; ++i) {
    const DecisionView planned = asked.scheduler.plan(urgent(""), asked.now);
    CHECK(planned.places.size() == 6);
    const std::string uid = "u" + std::to_string(i);
    (void)asked.task(urgent(uid), 9);
    (void)other.task(urgent(uid), 9);
    const Choice& told = planned.decision.choice;
    CHECK(only_decision(asked, uid).decision.choice.is_same(told));
    CHECK(only_decision(other, uid).decision.choice.is_same(told));
  }
  CHECK(asked.scheduler.unanswered() == other.scheduler.unanswered());
}

TEST_CASE("With neighbours that come and go, each decision keeps those of its time") {
  SchedulerBench bench = busy_node();
  (void)bench.task(urgent("two"), 9);
  (void)bench.scheduler.plan(urgent(""), bench.now);
  (void)bench.peer_lost(1);
  (void)bench.peer_lost(2);
  (void)bench.scheduler.plan(urgent(""), bench.now);
  (void)bench.task(urgent("none"), 9);
  (void)bench.task(urgent("nor"), 9);
  CHECK(bench.scheduler.decisions_about("two", bench.now).front().places.size() == 3);
  CHECK(only_decision(bench, "none").places.size() == 1);
  CHECK(only_decision(bench, "nor").places.size() == 1);
}

TEST_CASE("A shadow is asked beside the policy, counted, and changes nothing") {
  SchedulerOptions shadowed = remembering();
  shadowed.shadow = find_policy("deadline");
  SchedulerBench with(shadowed, 3);
  SchedulerBench without(remembering(), 3);
  for (SchedulerBench* bench : {&with, &without}) {
    (void)bench->load(1);
    for (PeerId link = 1; link <= 3; ++link) {
      (void)bench->peer_up(link, fogctl_node(std::string(1, static_cast<char>('a' + link))));
      (void)bench->peer_state(link, 5ms);
    }
    (void)bench->task(task_of("light", "first"), 9);
    TaskResult first = result_of("first");
    first.execution_time = 100ms;
    (void)bench->result(first);
  }
  std::uint64_t differing = 0;
  for (int i = 0; i < 30; ++i) {
    const std::string uid = "u" + std::to_string(i);
    Task task = task_of("light", uid);
    task.time_requirement = 50ms;
    CHECK(with.task(task, 9).size() == without.task(task, 9).size());
    with.pass(1ms);
    without.pass(1ms);
    const Decision live = only_decision(with, uid).decision;
    CHECK(only_decision(without, uid).decision.choice.is_same(live.choice));
    REQUIRE(live.shadow);
    differing += live.shadow->is_same(live.choice) ? 0 : 1;
  }
  const ShadowCounts& counts = with.scheduler.shadow_counts();
  CHECK(counts.decisions == 31);
  CHECK(counts.differing == differing);
  CHECK(counts.differing > 0);
  CHECK(counts.sites[0] + counts.sites[1] + counts.sites[2] + counts.nowhere == 31);
  CHECK(without.scheduler.shadow_counts().decisions == 0);
  CHECK(with.scheduler.own_state().waits.has_value() == false);
}

std::vector<DecidedCopy> copies_of(const DecisionView& view) {
  const auto& decision = view.decision;
  return {decision.copies.begin(), decision.copies.begin() + decision.copy_count};
}

TEST_CASE("The copies of a task stand beside its decision, later ones too, and what came of each") {
  Home bench;
  (void)bench.task(hurried());
  using Fate = DecidedCopy::Fate;
  CHECK(copies_of(only_decision(bench, "u1")).at(0).fate == Fate::planned);
  const auto sent = bench.copies();
  REQUIRE(sent.size() == 2);
  DecisionView view = only_decision(bench, "u1");
  auto copies = copies_of(view);
  REQUIRE(copies.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(copies[i].link == sent[i].link);
    CHECK(copies[i].fate == Fate::sent);
    CHECK(copies[i].expected == 1ms);  // the way to one that is idle
    CHECK(verdict_at(view, Site::neighbour, sent[i].link) == PlaceVerdict::copied);
  }
  CHECK(copies[0].after == 0ms);
  CHECK(copies[1].after == 2ms);
  CHECK(verdict_at(view, Site::here) == PlaceVerdict::chosen);

  TaskResult refused = result_of("u1");
  refused.error = TaskError{TaskErrorCode::unavailable, "no"};
  (void)bench.link_result(sent[0].link, sent[0].id, refused);
  (void)bench.copy_started(sent[1].link, sent[1].id);
  copies = copies_of(only_decision(bench, "u1"));
  CHECK(copies[0].fate == Fate::turned_away);
  CHECK(copies[1].fate == Fate::began);
}

TEST_CASE("A plan and a shadow have copies, too") {
  Home bench;
  const DecisionView plan = bench.scheduler.plan(hurried(), bench.now);
  REQUIRE(copies_of(plan).size() == 1);
  CHECK(copies_of(plan)[0].fate == DecidedCopy::Fate::planned);
  CHECK(verdict_at(plan, Site::neighbour, copies_of(plan)[0].link) == PlaceVerdict::copied);
  CHECK_FALSE(plan.is_refused);

  Choice one = plan.decision.choice;
  CHECK(one.copies[0] == copies_of(plan)[0].link);
  CHECK(one.is_same(plan.decision.choice));
  one.copies[0] = 0;
  CHECK_FALSE(one.is_same(plan.decision.choice));
}

TEST_CASE("A plan for a task that no node in reach can run says so") {
  SchedulerBench bench = busy_node();
  Task unknown = urgent("t");
  unknown.name = "nosuch";
  const DecisionView plan = bench.scheduler.plan(unknown, bench.now);
  CHECK(plan.is_refused);
  CHECK(plan.decision.choice.reason == "no node in reach can run it");
  (void)bench.kinds(2, {"nosuch"});
  CHECK_FALSE(bench.scheduler.plan(unknown, bench.now).is_refused);
}

TEST_CASE("A Scheduler that is to keep no decisions keeps none") {
  SchedulerBench bench = SchedulerBench::with_workers();
  (void)bench.task(task_of("light", "t"));
  (void)bench.result(result_of("t"));
  CHECK(bench.scheduler.decisions_about("t", bench.now).empty());
  CHECK(bench.scheduler.predictions().here().tasks() == 0);
}

}  // namespace
}  // namespace fogctl
