#include "placement/deadline.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

Candidate candidate(Site site, std::string_view node, Duration mean, Duration deviation,
                    Duration delay = 0ms) {
  Candidate one;
  one.site = site;
  one.node = node;
  one.start_wait = {mean, deviation};
  one.link_delay = delay;
  return one;
}

/// 100 ms are left; here the wait is `mean`, give or take 20 ms.
ClusterView view_of(Duration mean, std::vector<Candidate> neighbours, bool has_cloud = false,
                    Duration slack = 100ms) {
  ClusterView view;
  view.slack = slack;
  view.local = candidate(Site::here, "", mean, 20ms);
  view.neighbours = std::move(neighbours);
  if (has_cloud) view.cloud = candidate(Site::cloud, "", 0ms, 0ms, 50ms);
  return view;
}

Placement placed(const ClusterView& view, const Task& task = {}, std::uint64_t draw = 0) {
  const Plan plan = place_by_deadline(task, view, Tuning{}, draw);
  REQUIRE(plan.placements.size() == 1);
  CHECK_FALSE(plan.reason.empty());
  return plan.placements[0];
}

TEST_CASE("A task runs here if it starts in time in 95 of 100 cases") {
  const auto idle = candidate(Site::neighbour, "a", 0ms, 0ms, 2ms);
  CHECK(placed(view_of(67ms, {idle})).site == Site::here);  // 67 + 1.645 * 20 = 99.9
  CHECK(placed(view_of(68ms, {idle})).site == Site::neighbour);
}

TEST_CASE("A task that was handed on stays where the mean fits") {
  const auto idle = candidate(Site::neighbour, "a", 0ms, 0ms, 2ms);
  Task task;
  task.offload_times = 1;
  CHECK(placed(view_of(100ms, {idle}), task).site == Site::here);
  CHECK(placed(view_of(101ms, {idle}), task).site == Site::neighbour);
}

TEST_CASE("Neighbours are drawn in proportion to the headroom that they leave") {
  const auto view = view_of(500ms, {candidate(Site::neighbour, "a", 38ms, 0ms, 2ms),    // 60 ms
                                    candidate(Site::neighbour, "b", 58ms, 40ms, 2ms),   // 20 ms
                                    candidate(Site::neighbour, "c", 99ms, 0ms, 2ms)});  // none
  std::map<std::string_view, int> drawn;
  constexpr int count = 8000;
  for (std::uint64_t draw = 0; draw < count; ++draw) ++drawn[placed(view, {}, draw).node];
  CHECK(drawn["a"] == doctest::Approx(count * .75).epsilon(.03));
  CHECK(drawn["b"] == doctest::Approx(count * .25).epsilon(.08));
  CHECK(drawn.count("c") == 0);
}

TEST_CASE("The cloud takes what nobody else starts in time, if its way is short enough") {
  const auto late = candidate(Site::neighbour, "a", 200ms, 0ms, 2ms);
  CHECK(placed(view_of(150ms, {late}, true)).site == Site::cloud);
  CHECK(placed(view_of(150ms, {late}, true, 50ms)).site == Site::cloud);
  CHECK(placed(view_of(150ms, {late}, true, 49ms)).site == Site::here);
}

TEST_CASE("What is likely to be late goes where it has the best chance, if there is any") {
  const auto likely = candidate(Site::neighbour, "a", 90ms, 100ms, 2ms);
  CHECK(placed(view_of(95ms, {likely})).site == Site::neighbour);
  CHECK(placed(view_of(85ms, {likely})).site == Site::here);
  CHECK(placed(view_of(300ms, {candidate(Site::neighbour, "a", 200ms, 0ms)})).site == Site::here);
}

TEST_CASE("No task goes back, further than it may, or to neighbours who are not asked") {
  Task task;
  task.offloading_nodes = {"a"};
  const auto idle = candidate(Site::neighbour, "a", 0ms, 0ms, 2ms);
  CHECK(placed(view_of(500ms, {idle}), task).site == Site::here);
  task.offloading_nodes.clear();
  task.offload_times = task.max_offload;
  CHECK(placed(view_of(500ms, {idle}), task).site == Site::here);
  auto view = view_of(500ms, {idle});
  view.fog_on = false;
  CHECK(placed(view).site == Site::here);
}

TEST_CASE("Where nothing can run here, a neighbour, else the cloud, else nowhere") {
  auto view = view_of(0ms, {candidate(Site::neighbour, "a", 500ms, 0ms)}, true, 10ms);
  view.local.reset();
  CHECK(placed(view).site == Site::neighbour);
  view.neighbours.clear();
  CHECK(placed(view).site == Site::cloud);
  view.cloud.reset();
  CHECK(place_by_deadline({}, view, Tuning{}, 0).placements.empty());
}

TEST_CASE("A task that asks for the cloud goes there, if there is one") {
  Task task;
  task.cloud_processing = true;
  CHECK(placed(view_of(0ms, {}, true), task).site == Site::cloud);
  CHECK(placed(view_of(0ms, {}), task).site == Site::here);
}

}  // namespace
}  // namespace fogctl
