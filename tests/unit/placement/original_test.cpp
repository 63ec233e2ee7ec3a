#include "placement/original.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

constexpr Site here = Site::here;
constexpr Site neighbour = Site::neighbour;
constexpr Site cloud = Site::cloud;

/// An original one: it is known by its address.
Candidate some_neighbour(std::string_view node, Duration wait, Duration delay = 0s) {
  static std::set<std::string> addresses;  // a candidate's texts are somebody else's
  Candidate candidate;
  candidate.site = Site::neighbour;
  candidate.address = *addresses.insert("address of " + std::string(node)).first;
  candidate.node = node;
  candidate.is_original = true;
  candidate.expected_wait = wait;
  candidate.link_delay = delay;
  return candidate;
}

ClusterView view_of(Duration wait, std::vector<Candidate> neighbours, bool has_cloud) {
  ClusterView view;
  view.local.emplace();
  view.local->expected_wait = wait;
  view.neighbours = std::move(neighbours);
  if (has_cloud) {
    view.cloud.emplace();
    view.cloud->site = Site::cloud;
  }
  return view;
}

Plan place(const Task& task, const ClusterView& view) {
  return place_by_original_rule(task, view, Tuning{}, 0);
}

/// One situation: the task asks for R = 2 s and may be handed on twice.
struct Row {
  const char* name;
  bool has_cloud;
  bool fog_on;
  Duration w;  // W, the wait here
  Duration f;  // F, the best neighbour's wait and link
  TaskClass weight;
  int offload_times;
  bool cloud_processing;
  Site expected;
};

constexpr auto light = TaskClass::light;
constexpr auto medium = TaskClass::medium;
constexpr auto heavy = TaskClass::heavy;

constexpr Row rows[] = {
    {"cloud, fog: asks for the cloud", true, true, 0s, 0s, light, 0, true, cloud},
    {"cloud, fog: asks for the cloud, out of hand-overs", true, true, 9s, 0s, light, 2, true,
     cloud},
    {"cloud, fog: W < R", true, true, 1s, 0s, heavy, 0, false, here},
    {"cloud, fog: W = R", true, true, 2s, 0s, heavy, 0, false, here},
    {"cloud, fog: W = R, out of hand-overs", true, true, 2s, 0s, heavy, 2, false, here},
    {"cloud, fog: W > R, F < W", true, true, 5s, 4s, light, 0, false, neighbour},
    {"cloud, fog: W > R, F < W, heavy", true, true, 5s, 4s, heavy, 0, false, neighbour},
    {"cloud, fog: W > R, F < W by a nanosecond", true, true, 5s, 5s - 1ns, heavy, 1, false,
     neighbour},
    {"cloud, fog: W > R, W = F", true, true, 5s, 5s, light, 0, false, here},
    {"cloud, fog: W > R, W = F, medium", true, true, 5s, 5s, medium, 0, false, here},
    {"cloud, fog: W > R, W = F, heavy", true, true, 5s, 5s, heavy, 0, false, cloud},
    {"cloud, fog: W > R, W < F", true, true, 5s, 6s, light, 0, false, here},
    {"cloud, fog: W > R, W < F, heavy", true, true, 5s, 6s, heavy, 0, false, cloud},
    {"cloud, fog: out of hand-overs", true, true, 5s, 0s, light, 2, false, here},
    {"cloud, fog: out of hand-overs, heavy", true, true, 5s, 0s, heavy, 2, false, cloud},
    {"cloud, fog: more hand-overs than allowed", true, true, 5s, 0s, medium, 3, false, here},
    {"cloud, fog: one hand-over left", true, true, 5s, 0s, medium, 1, false, neighbour},

    {"fog alone: asks for the cloud, W <= R", false, true, 1s, 0s, light, 0, true, here},
    {"fog alone: asks for the cloud, F < W", false, true, 5s, 4s, light, 0, true, neighbour},
    {"fog alone: W = R", false, true, 2s, 0s, heavy, 0, false, here},
    {"fog alone: W > R, F < W", false, true, 5s, 4s, heavy, 0, false, neighbour},
    {"fog alone: W > R, W = F", false, true, 5s, 5s, heavy, 0, false, here},
    {"fog alone: W > R, W < F", false, true, 5s, 6s, heavy, 0, false, here},
    {"fog alone: out of hand-overs", false, true, 5s, 0s, heavy, 2, false, here},

    {"cloud alone: asks for the cloud", true, false, 0s, 0s, light, 0, true, cloud},
    {"cloud alone: W < R, heavy", true, false, 2s - 1ns, 0s, heavy, 0, false, here},
    {"cloud alone: W = R, heavy", true, false, 2s, 0s, heavy, 0, false, cloud},
    {"cloud alone: W > R, heavy", true, false, 5s, 0s, heavy, 0, false, cloud},
    {"cloud alone: W = R, medium", true, false, 2s, 0s, medium, 0, false, here},
    {"cloud alone: W > R, light", true, false, 5s, 0s, light, 0, false, here},

    {"neither: asks for the cloud", false, false, 0s, 0s, light, 0, true, here},
    {"neither: W > R, heavy", false, false, 5s, 0s, heavy, 0, false, here},
};

TEST_CASE("The original rule, row by row") {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Task task;
    task.time_requirement = 2s;
    task.max_offload = 2;
    task.offload_times = row.offload_times;
    task.weight = row.weight;
    task.cloud_processing = row.cloud_processing;
    // Half of F is the wait there, half of it the link.
    ClusterView view =
        view_of(row.w, {some_neighbour("b", row.f / 2, row.f - row.f / 2)}, row.has_cloud);
    view.fog_on = row.fog_on;
    const Plan plan = place(task, view);
    REQUIRE(plan.placements.size() == 1);
    CHECK(plan.placements[0].site == row.expected);
    CHECK_FALSE(plan.reason.empty());
    if (row.expected == here) CHECK(plan.placements[0].expected_wait == row.w);
    if (row.expected == neighbour) CHECK(plan.placements[0].node == "b");
  }
}

TEST_CASE("Without a neighbour a task that would be late stays, a heavy one goes to the cloud") {
  Task task;
  task.time_requirement = 2s;
  CHECK(place(task, view_of(5s, {}, true)).placements[0].site == here);
  CHECK(place(task, view_of(5s, {}, false)).placements[0].site == here);
  task.weight = heavy;
  CHECK(place(task, view_of(5s, {}, true)).placements[0].site == cloud);
  CHECK(place(task, view_of(5s, {}, false)).placements[0].site == here);
}

TEST_CASE("The best neighbour is the one with the smallest wait and link together") {
  Task task;
  task.time_requirement = 0s;
  const ClusterView view = view_of(
      9s, {some_neighbour("a", 1s, 3s), some_neighbour("b", 3s, 500ms), some_neighbour("c", 4s)},
      false);
  const Plan plan = place(task, view);
  REQUIRE(plan.placements.size() == 1);
  CHECK(plan.placements[0].node == "b");
  CHECK(plan.placements[0].expected_wait == 3s);
}

TEST_CASE("Equally good neighbours: the one with the smallest id") {
  Task task;
  task.time_requirement = 0s;
  const ClusterView view = view_of(
      9s, {some_neighbour("a", 5s), some_neighbour("b", 2s), some_neighbour("c", 1s, 1s)}, false);
  CHECK(place(task, view).placements[0].node == "b");
}

TEST_CASE("A neighbour that has handed the task on does not get it again") {
  Task task;
  task.time_requirement = 0s;
  const ClusterView view = view_of(9s, {some_neighbour("a", 1s), some_neighbour("b", 2s)}, false);
  task.offloading_fog = {"address of a"};
  CHECK(place(task, view).placements[0].node == "b");
  task.offloading_fog = {"elsewhere", "address of b", "address of a"};
  CHECK(place(task, view).placements[0].site == here);
  task.offloading_fog = {"elsewhere", "address of"};
  CHECK(place(task, view).placements[0].node == "a");
}

TEST_CASE("A fogctl neighbour is known by its id alone: two may share an address") {
  Task task;
  task.time_requirement = 0s;
  ClusterView view = view_of(9s, {some_neighbour("a", 1s), some_neighbour("b", 2s)}, false);
  for (Candidate& candidate : view.neighbours) candidate.is_original = false;
  task.offloading_fog = {"address of a", "address of b"};
  CHECK(place(task, view).placements[0].node == "a");
  task.offloading_nodes = {"a"};
  CHECK(place(task, view).placements[0].node == "b");
  task.offloading_nodes = {"b", "a"};
  CHECK(place(task, view).placements[0].site == here);
}

TEST_CASE("A neighbour whose wait is as long as can be is never the sooner one") {
  Task task;
  task.time_requirement = 0s;
  const ClusterView view = view_of(9s, {some_neighbour("a", Duration::max(), 1s)}, false);
  CHECK(place(task, view).placements[0].site == here);
}

TEST_CASE("Where nothing can run here: a neighbour, else the cloud, else nowhere") {
  Task task;
  ClusterView view = view_of(0s, {some_neighbour("a", 50s)}, true);
  view.local.reset();
  CHECK(place(task, view).placements[0].site == neighbour);

  task.cloud_processing = true;
  CHECK(place(task, view).placements[0].site == cloud);
  task.cloud_processing = false;

  SUBCASE("a neighbour that has handed it on is none") {
    task.offloading_fog = {"address of a"};
    CHECK(place(task, view).placements[0].site == cloud);
  }
  SUBCASE("out of hand-overs") {
    task.offload_times = task.max_offload;
    CHECK(place(task, view).placements[0].site == cloud);
  }
  SUBCASE("fog off") {
    view.fog_on = false;
    CHECK(place(task, view).placements[0].site == cloud);
  }
  SUBCASE("no neighbour and no cloud") {
    view.neighbours.clear();
    view.cloud.reset();
    const Plan plan = place(task, view);
    CHECK(plan.placements.empty());
    CHECK_FALSE(plan.reason.empty());
  }
}

TEST_CASE("The draw and the report's age change nothing") {
  Task task;
  task.time_requirement = 0s;
  ClusterView view = view_of(9s, {some_neighbour("a", 2s), some_neighbour("b", 2s)}, true);
  view.neighbours[0].report_age = 10h;
  for (const std::uint64_t draw : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    CHECK(place_by_original_rule(task, view, Tuning{}, draw).placements[0].node == "a");
  }
}

TEST_CASE("The original rule stands first in the table of policies, first come first served") {
  REQUIRE_FALSE(policies().empty());
  CHECK(policies()[0].name == "original");
  CHECK(policies()[0].order == ServingOrder::fifo);
  CHECK(find_policy("original") == &policies()[0]);
  CHECK((find_policy("original")->place == place_by_original_rule));
  CHECK(find_policy("Original") == nullptr);
  CHECK(find_policy("") == nullptr);
  for (const Policy& policy : policies()) CHECK_FALSE(policy.summary.empty());
}

}  // namespace
}  // namespace fogctl
