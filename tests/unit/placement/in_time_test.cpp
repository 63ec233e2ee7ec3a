#include "placement/in_time.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

Candidate candidate(Site site, std::string_view node, Duration mean, Duration delay) {
  Candidate one;
  one.site = site;
  one.node = node;
  one.start_wait = {mean, 0ms};
  one.link_delay = delay;
  return one;
}

Candidate neighbour(std::string_view node, Duration mean = 0ms, Duration delay = 2ms) {
  Candidate one = candidate(Site::neighbour, node, mean, delay);
  one.takes_copies = true;
  return one;
}

Candidate without_copies(std::string_view node) {
  return candidate(Site::neighbour, node, 0ms, 2ms);
}

/// 100 ms are left; here the wait is `mean`, give or take 20 ms.
ClusterView view_of(Duration mean, std::vector<Candidate> neighbours) {
  ClusterView view;
  view.slack = 100ms;
  view.local = candidate(Site::here, "", mean, 0ms);
  view.local->start_wait.deviation = 20ms;
  view.neighbours = std::move(neighbours);
  return view;
}

Plan plan_of(const ClusterView& view, const Task& task = {}, std::uint64_t draw = 0) {
  return place_in_time(task, view, Tuning{}, draw);
}

Task heavy() {
  Task task;
  task.weight = TaskClass::heavy;
  return task;
}

TEST_CASE("A task waits here alone if it starts in time in 95 of 100 cases, or 99 if it is long") {
  const auto idle = neighbour("a");
  CHECK(plan_of(view_of(67ms, {idle})).placements.size() == 1);  // 67 + 1.645 * 20 = 99.9
  CHECK(plan_of(view_of(68ms, {idle})).placements.size() == 2);
  CHECK(plan_of(view_of(50ms, {idle}), heavy()).placements.size() == 1);  // 50 + 2.5 * 20 = 100
  CHECK(plan_of(view_of(51ms, {idle}), heavy()).placements.size() == 2);
}

TEST_CASE("A copy waits at a neighbour that is likely to start it in time") {
  const auto view = view_of(500ms, {neighbour("a", 200ms), neighbour("b")});
  for (std::uint64_t draw = 0; draw < 20; ++draw) {
    const Plan plan = plan_of(view, {}, draw);
    REQUIRE(plan.placements.size() == 2);
    CHECK(plan.placements[0].site == Site::here);
    CHECK(plan.placements[1].node == "b");
    CHECK(plan.again_after == 4ms);  // two round trips
  }
}

TEST_CASE("The next copy follows sooner where a neighbour has one worker") {
  auto one = neighbour("a", 0ms, 8ms);
  for (const auto& [workers, wanted] : {std::pair{0U, 16ms}, {1U, 10ms}, {2U, 16ms}}) {
    CAPTURE(workers);
    one.workers = workers;
    CHECK(plan_of(view_of(500ms, {one})).again_after == wanted);
  }
}

TEST_CASE("Of two that are drawn the nearer one gets the copy") {
  const auto view = view_of(500ms, {neighbour("far", 0ms, 10ms), neighbour("near", 10ms, 2ms)});
  std::map<std::string_view, int> drawn;
  for (std::uint64_t draw = 0; draw < 4000; ++draw)
    ++drawn[plan_of(view, {}, draw).placements[1].node];
  CHECK(drawn["near"] == doctest::Approx(3000).epsilon(.05));
}

TEST_CASE("Where none is likely to, any neighbour gets it: what is known of them may be old") {
  const auto view = view_of(500ms, {neighbour("a", 200ms), neighbour("b", 300ms)});
  std::map<std::string_view, int> drawn;
  for (std::uint64_t draw = 0; draw < 4000; ++draw)
    ++drawn[plan_of(view, {}, draw).placements[1].node];
  CHECK(drawn["a"] == doctest::Approx(2000).epsilon(.08));
}

TEST_CASE("Light tasks have up to three copies, one after another, others one") {
  auto view = view_of(500ms, {neighbour("a")});
  view.copies = 2;
  CHECK(plan_of(view).placements.size() == 2);
  view.copies = 3;
  CHECK(plan_of(view).placements.size() == 1);
  CHECK(plan_of(view).again_after == 0ms);
  view.copies = 0;
  CHECK(plan_of(view, heavy()).again_after == 0ms);
  view.copies = 1;
  CHECK(plan_of(view, heavy()).placements.size() == 1);
}

TEST_CASE("What is not to be copied is placed by the deadline") {
  const auto idle = neighbour("a");
  Task task;
  SUBCASE("it must not run twice") {
    task.exclusive = true;
    const Plan plan = plan_of(view_of(500ms, {idle}), task);
    REQUIRE(plan.placements.size() == 1);
    CHECK(plan.placements[0].node == "a");
  }
  SUBCASE("it is out of hand-overs") {
    task.offload_times = task.max_offload;
    CHECK(plan_of(view_of(500ms, {idle}), task).placements.size() == 1);
  }
  SUBCASE("nothing can run here") {
    auto view = view_of(500ms, {idle});
    view.local.reset();
    REQUIRE(plan_of(view).placements.size() == 1);
    CHECK(plan_of(view).placements[0].site == Site::neighbour);
  }
  SUBCASE("it asks for the cloud") {
    task.cloud_processing = true;
    auto view = view_of(0ms, {idle});
    view.cloud = candidate(Site::cloud, "", 0ms, 50ms);
    CHECK(plan_of(view, task).placements[0].site == Site::cloud);
  }
}

TEST_CASE("No copy goes back, or to a node that takes none") {
  Task task;
  task.offloading_nodes = {"a"};
  const auto view = view_of(500ms, {neighbour("a"), without_copies("b")});
  CHECK(plan_of(view, task).placements.size() == 1);
}

TEST_CASE("A node that takes no copies gets tasks by the original rule, where none does") {
  Task task;
  task.time_requirement = 100ms;
  const auto original = without_copies("b");
  const auto with_wait = [&](Duration wait, std::vector<Candidate> neighbours) {
    ClusterView view = view_of(500ms, std::move(neighbours));
    view.local->expected_wait = wait;
    return view;
  };
  CHECK(plan_of(with_wait(100ms, {original}), task).placements[0].site == Site::here);
  const Plan plan = plan_of(with_wait(101ms, {original}), task);
  REQUIRE(plan.placements.size() == 1);
  CHECK(plan.placements[0].node == "b");
  const Plan copied = plan_of(with_wait(101ms, {original, neighbour("a")}), task);
  REQUIRE(copied.placements.size() == 2);
  CHECK(copied.placements[1].node == "a");
  ClusterView waits = with_wait(101ms, {original});
  waits.copies = 1;  // at one that is gone from the view
  CHECK(plan_of(waits, task).placements[0].site == Site::here);
  ClusterView with_cloud = with_wait(101ms, {});
  with_cloud.cloud = candidate(Site::cloud, "", 0ms, 10ms);
  CHECK(plan_of(with_cloud, heavy()).placements[0].site == Site::here);  // until the last moment
}

TEST_CASE("A copy runs here or nowhere") {
  Task copy;
  copy.is_copy = true;
  auto view = view_of(500ms, {neighbour("a")});
  REQUIRE(plan_of(view, copy).placements.size() == 1);
  CHECK(plan_of(view, copy).placements[0].site == Site::here);
  view.local.reset();
  CHECK(plan_of(view, copy).placements.empty());
}

}  // namespace
}  // namespace fogctl
