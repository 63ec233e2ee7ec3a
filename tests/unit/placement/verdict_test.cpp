#include "placement/verdict.hpp"

#include <doctest/doctest.h>

#include <set>

#include "base/random.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

Candidate candidate(Site site, std::string_view node, Duration wait, Duration deviation = {}) {
  Candidate one;
  one.site = site;
  one.node = node;
  one.expected_wait = one.start_wait.mean = wait;
  one.start_wait.deviation = deviation;
  return one;
}

Task task_within(Duration requirement) {
  Task task;
  task.name = "light";
  task.time_requirement = requirement;
  return task;
}

ClusterView view_within(Duration slack) {
  ClusterView view;
  view.slack = slack;
  return view;
}

TEST_CASE("A neighbour that has handed the task on is judged so, however idle it is") {
  Task task = task_within(1s);
  task.offloading_nodes = {"a"};
  task.offload_times = 1;
  const auto* policy = find_policy("original");
  const Judgement judged =
      judge(*policy, task, view_within(1s), candidate(Site::neighbour, "a", 0ms));
  CHECK(judged.verdict == PlaceVerdict::has_handed_on);
}

TEST_CASE("A task with no hand-overs left is in time with no neighbour, but may be here") {
  Task task = task_within(1s);
  task.offload_times = task.max_offload;
  for (const Policy& policy : policies()) {
    CAPTURE(policy.name);
    const ClusterView view = view_within(1s);
    CHECK(judge(policy, task, view, candidate(Site::neighbour, "a", 0ms)).verdict ==
          PlaceVerdict::no_hops_left);
    CHECK(judge(policy, task, view, candidate(Site::here, "", 0ms)).verdict ==
          PlaceVerdict::in_time);
  }
}

TEST_CASE("Late is what the policy itself holds for late, and by how much") {
  struct Row {
    const char* policy;
    Site site;
    Duration wait;
    Duration deviation;
    Duration headroom;
  };
  const Row rows[] = {
      {"original", Site::here, 100ms, 50ms, 0ms},
      {"original", Site::here, 101ms, 0ms, -1ms},
      {"original", Site::neighbour, 90ms, 50ms, 10ms},
      {"deadline", Site::here, 40ms, 20ms, 60ms - 32900us},
      {"deadline", Site::neighbour, 40ms, 20ms, 50ms},
      {"deadline", Site::neighbour, 95ms, 20ms, -5ms},
  };
  for (const Row& row : rows) {
    CAPTURE(row.policy);
    const Judgement judged = judge(*find_policy(row.policy), task_within(100ms), view_within(100ms),
                                   candidate(row.site, "a", row.wait, row.deviation));
    CHECK(judged.headroom == row.headroom);
    CHECK(judged.verdict == (row.headroom < 0ms ? PlaceVerdict::late : PlaceVerdict::in_time));
  }
}

TEST_CASE("A wait longer than any is late, not early") {
  const Judgement judged = judge(*find_policy("deadline"), task_within(0s), view_within(-1h),
                                 candidate(Site::neighbour, "a", Duration::max(), Duration::max()));
  CHECK(judged.verdict == PlaceVerdict::late);
}

/// Whatever is drawn: where the policy says that the task starts in time at the place that it
/// chose, its judgement says so too; and where it is in time here, it goes nowhere else.
TEST_CASE("Policies choose by what they are said to judge by") {
  Random random(7);
  const auto length = [&random] { return Duration(1ms) * random.below(200); };
  for (int round = 0; round < 2000; ++round) {
    Task task = task_within(length());
    ClusterView view = view_within(task.time_requirement);
    view.local = candidate(Site::here, "", length(), length() / 4);
    for (const char* node : {"a", "b", "c"}) {
      view.neighbours.push_back(candidate(Site::neighbour, node, length(), length() / 4));
      view.neighbours.back().link_delay = length() / 10;
    }
    for (const Policy& policy : policies()) {
      CAPTURE(policy.name);
      CAPTURE(round);
      const Plan plan = policy.place(task, view, {}, random.next());
      REQUIRE(plan.placements.size() >= 1);
      const Placement& first = plan.placements.front();
      const PlaceVerdict here = judge(policy, task, view, *view.local).verdict;
      if (here == PlaceVerdict::in_time) CHECK(first.site == Site::here);
      if (plan.reason.ends_with("the neighbour starts it in time")) {
        for (const Candidate& one : view.neighbours) {
          if (one.node != first.node) continue;
          CHECK(judge(policy, task, view, one).verdict == PlaceVerdict::in_time);
        }
      }
    }
  }
}

TEST_CASE("Every verdict has a name of its own and an explanation") {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(PlaceVerdict::stopping); ++i) {
    const auto verdict = static_cast<PlaceVerdict>(i);
    CHECK(names.insert(to_string(verdict)).second);
    CHECK_FALSE(explanation_of(verdict).empty());
  }
}

}  // namespace
}  // namespace fogctl
