// The Scheduler's part of each end-to-end case of the mesh, on virtual time.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "support/mesh_world.hpp"
#include "support/scheduler_bench.hpp"

namespace fogctl {
namespace {

using support::MeshOptions;
using support::MeshWorld;
using support::SentTask;
using support::task_of;
using namespace std::chrono_literals;

constexpr MeshOptions even{.run_times{20ms, 20ms, 20ms}};

/// Of this class, or needing to start within `requirement`.
Task urgent(std::string_view name, Duration requirement) {
  Task task = task_of(name);
  task.time_requirement = requirement;
  return task;
}

/// One task every `gap`, for `length`.
void send_at_rate(MeshWorld& world, std::size_t client, const Task& task, Duration gap,
                  Duration length) {
  for (const Instant end = world.now() + length; world.now() < end; world.run_for(gap)) {
    world.send(client, task);
  }
}

/// The nodes want each other and have found each other.
std::vector<std::size_t> whole_mesh(MeshWorld& world, std::size_t nodes) {
  std::vector<std::size_t> mesh;
  for (std::size_t i = 0; i < nodes; ++i) {
    const std::size_t node = world.add_node();
    for (const std::size_t other : mesh) {
      world.want(node, other);
      world.want(other, node);
    }
    mesh.push_back(node);
  }
  REQUIRE(world.run_until([&] { return world.is_whole(); }, 3s));
  return mesh;
}

/// Everything is as it should be at the end.
void check_settled(MeshWorld& world) {
  world.settle();
  CHECK(world.broken() == "");
  CHECK(world.unanswered() == 0);
  CHECK(std::ranges::none_of(world.sent(), &SentTask::has_failed));
}

TEST_CASE("Three nodes that start in any order find one another within 3 s and share the work") {
  std::array<std::size_t, 3> order = {0, 1, 2};
  do {
    CAPTURE(order);
    MeshWorld world(1, even);
    for (int i = 0; i < 3; ++i) world.crash(world.add_node());
    for (const std::size_t node : order) {
      for (const std::size_t other : {0U, 1U, 2U}) {
        if (other != node) world.want(node, other);
      }
    }
    for (const std::size_t node : order) {
      world.restart(node);
      world.run_for(700ms);
    }
    REQUIRE(world.run_until([&] { return world.is_whole(); }, 3s));
    for (const std::size_t node : order) {
      send_at_rate(world, world.add_client(node), urgent("light", 10ms), 7ms, 2s);
    }
    check_settled(world);
    for (const std::size_t node : order) CHECK(world.ran_on(node) > 50);
  } while (std::ranges::next_permutation(order).found);
}

double in_time_rate_of(std::size_t nodes) {
  MeshWorld world(2, even);
  const auto mesh = whole_mesh(world, nodes);
  // Five times what one worker can do: a task each 4 ms, of 20 ms.
  send_at_rate(world, world.add_client(mesh[0]), urgent("light", 300ms), 4ms, 10s);
  check_settled(world);
  if (nodes > 1) {
    for (const std::size_t node : mesh) CHECK(world.ran_on(node) > 200);
  }
  return world.in_time_rate();
}

TEST_CASE(
    "A node that is overloaded five times spreads the work: more than twice as many in time") {
  const double alone = in_time_rate_of(1);
  const double with_others = in_time_rate_of(6);
  CAPTURE(alone);
  CAPTURE(with_others);
  CHECK(with_others > 2 * alone);
}

TEST_CASE("A neighbour that dies while it holds forwarded tasks: each is answered once") {
  for (const bool says_so : {true, false}) {
    CAPTURE(says_so);
    MeshWorld world(3, even);
    const auto mesh = whole_mesh(world, 3);
    const std::size_t client = world.add_client(mesh[0]);
    send_at_rate(world, client, urgent("light", 5ms), 5ms, 1s);
    REQUIRE(world.scheduler(mesh[0]).away() > 10);
    world.crash(mesh[1], says_so);
    world.crash(mesh[2], says_so);
    REQUIRE(world.run_until([&] { return world.unanswered() == 0; }, 30s));
    CHECK(world.scheduler(mesh[0]).away() == 0);
    check_settled(world);
  }
}

TEST_CASE("A cable that is cut for 10 s and back: no task is lost, whole again within 5 s") {
  MeshWorld world(4, even);
  const auto mesh = whole_mesh(world, 3);
  std::vector<std::size_t> clients;
  for (const std::size_t node : mesh) clients.push_back(world.add_client(node));
  const auto all_send = [&](Duration length) {
    for (const Instant end = world.now() + length; world.now() < end; world.run_for(40ms)) {
      for (const std::size_t client : clients) {
        world.send(client, urgent("light", 5ms));
        world.send(client, urgent("medium", 5ms));
      }
    }
  };
  all_send(2s);
  REQUIRE(world.scheduler(mesh[0]).away() + world.scheduler(mesh[1]).away() > 0);
  world.partition({mesh[0]}, {mesh[1], mesh[2]});
  all_send(10s);
  CHECK(world.scheduler(mesh[0]).neighbours().empty());
  CHECK(world.scheduler(mesh[0]).away() == 0);
  CHECK(world.links_between(mesh[1], mesh[2]) == 1);
  world.heal();
  CHECK(world.run_until([&] { return world.is_whole(); }, 5s));
  check_settled(world);
}

TEST_CASE("A cable that is cut more shortly than anybody notices: nothing happens but a delay") {
  MeshWorld world(5, even);
  const auto mesh = whole_mesh(world, 2);
  send_at_rate(world, world.add_client(mesh[0]), urgent("light", 5ms), 10ms, 1s);
  REQUIRE(world.scheduler(mesh[0]).away() > 0);
  world.partition({mesh[0]}, {mesh[1]});
  world.run_for(1500ms);
  world.heal();
  CHECK(world.scheduler(mesh[0]).neighbours().size() == 1);
  check_settled(world);
}

TEST_CASE("The cloud goes and comes back: heavy tasks are answered all along") {
  MeshWorld world(6, even);
  const auto mesh = whole_mesh(world, 2);
  world.add_cloud();
  world.run_for(1s);
  Task heavy = urgent("heavy", 5s);
  heavy.cloud_processing = true;
  const std::size_t client = world.add_client(mesh[0]);
  const auto sent_for = [&](Duration length) {  // answered within a second, whoever ran them
    const std::size_t before = world.sent().size();
    send_at_rate(world, client, heavy, 50ms, length);
    world.run_for(1s);
    CHECK(world.unanswered() == 0);
    return std::ranges::count(world.sent().begin() + static_cast<std::ptrdiff_t>(before),
                              world.sent().end(), "cloud", &SentTask::ran_on);
  };
  CHECK(sent_for(2s) == 40);
  send_at_rate(world, client, heavy, 10ms, 100ms);
  REQUIRE(world.scheduler(mesh[0]).away() > 0);
  world.cloud_goes();
  world.run_for(1s);
  CHECK(world.unanswered() == 0);
  CHECK(sent_for(5s) == 0);
  world.cloud_comes();
  world.run_for(1s);
  CHECK(sent_for(2s) == 40);
  check_settled(world);
}

TEST_CASE("A chain of three: tasks go from the first to the last, their results come back") {
  MeshWorld world(7, even);
  const std::size_t a = world.add_node();
  const std::size_t b = world.add_node();
  const std::size_t c = world.add_node();
  world.want(a, b);
  world.want(b, c);
  REQUIRE(world.run_until([&] { return world.is_whole(); }, 3s));
  send_at_rate(world, world.add_client(a), urgent("light", 5ms), 7ms, 3s);
  check_settled(world);
  for (const std::size_t node : {a, b, c}) CHECK(world.ran_on(node) > 50);
}

TEST_CASE("Tasks that wait at one node, and are never copied, are shared by nodes that have none") {
  MeshOptions stealing = even;
  stealing.policy = "in-time";
  MeshWorld world(1, stealing);
  const auto mesh = whole_mesh(world, 3);
  Task task = urgent("light", 10s);
  task.exclusive = true;
  const std::size_t client = world.add_client(mesh[0]);
  for (int i = 0; i < 60; ++i) world.send(client, task);
  world.run_for(900ms);
  CHECK(world.unanswered() == 0);  // alone it takes 1.2 s
  CHECK(world.stolen() > 0);
  CHECK(world.ran_on(mesh[1]) + world.ran_on(mesh[2]) == world.stolen());
  check_settled(world);
}

TEST_CASE("Two nodes and two clients that all count from 1 do not take each other's answers") {
  MeshWorld world(8, even);
  const auto mesh = whole_mesh(world, 2);
  std::vector<std::size_t> clients;
  for (const std::size_t node : mesh) {
    clients.push_back(world.add_client(node));
    clients.push_back(world.add_client(node));
  }
  for (int i = 0; i < 100; ++i) {
    for (const std::size_t client : clients) world.send(client, urgent("light", 5ms));
    if (i % 10 == 0) world.run_for(200ms);
  }
  CHECK(world.scheduler(mesh[0]).away() + world.scheduler(mesh[1]).away() > 0);
  check_settled(world);
  CHECK(std::ranges::all_of(world.sent(), [](const SentTask& task) { return task.answers == 1; }));
}

TEST_CASE("One task sent to two nodes that hand it to each other waits for neither") {
  MeshWorld world(12, even);
  const auto mesh = whole_mesh(world, 2);
  std::vector<std::size_t> clients;
  for (const std::size_t node : mesh) clients.push_back(world.add_client(node));
  for (const std::size_t client : clients) world.send(client, urgent("light", 5s));
  world.run_for(3s);  // each has learnt how long a task takes, and told that it has none
  Task twice = urgent("light", 5ms);
  twice.uid = "twice";
  twice.uid_chosen = true;
  for (const std::size_t client : clients) {
    for (int i = 0; i < 20; ++i) world.send(client, urgent("light", 5s));
    world.send(client, twice);
  }
  world.run_for(20ms);
  CHECK(std::ranges::count_if(mesh, [&](std::size_t node) {
          return world.scheduler(node).neighbours().at(0).handed > 0;
        }) == 2);
  CHECK(world.run_until([&] { return world.unanswered() == 0; }, 5s));
  check_settled(world);
}

TEST_CASE("An isolated node works alone from its start") {
  MeshWorld world(9, even);
  const std::size_t node = world.add_node();
  world.want(node, world.add_node());
  world.crash(1, false);
  send_at_rate(world, world.add_client(node), urgent("light", 50ms), 40ms, 5s);
  CHECK(world.unanswered() <= 1);
  CHECK(world.in_time_rate() > 0.9);
  CHECK(world.ran_on(node) == world.sent().size() - world.unanswered());
  CHECK(world.broken() == "");
}

TEST_CASE("A frozen neighbour holds up what it has only until it is given up as silent") {
  MeshWorld world(10, even);
  const auto mesh = whole_mesh(world, 2);
  send_at_rate(world, world.add_client(mesh[0]), urgent("light", 5ms), 10ms, 1s);
  world.freeze(mesh[1]);
  REQUIRE(world.scheduler(mesh[0]).away() > 0);
  REQUIRE(world.run_until([&] { return world.unanswered() == 0; }, 10s));
  world.run_for(10s);
  world.thaw(mesh[1]);
  CHECK(world.run_until([&] { return world.is_whole(); }, 5s));
  check_settled(world);
}

TEST_CASE("A node whose wait changes all the time closes a silent link as soon as an idle one") {
  MeshWorld world(13, even);
  const auto mesh = whole_mesh(world, 2);
  const std::size_t client = world.add_client(mesh[0]);
  world.freeze(mesh[1]);
  for (int i = 0; i < 20; ++i) {
    for (int tasks = 0; tasks < 5; ++tasks) world.send(client, urgent("light", 5s));
    world.run_for(250ms);
  }
  CHECK(world.scheduler(mesh[0]).neighbours().empty());
}

TEST_CASE("A node that stops in order leaves nothing unanswered, here or with its neighbours") {
  MeshWorld world(11, even);
  const auto mesh = whole_mesh(world, 3);
  send_at_rate(world, world.add_client(mesh[0]), urgent("light", 5ms), 5ms, 1s);
  REQUIRE(world.scheduler(mesh[1]).unanswered() > 0);
  world.stop(mesh[1]);
  world.run_for(3s);
  CHECK_FALSE(world.is_up(mesh[1]));
  check_settled(world);
}

TEST_CASE("Two links opened at once between two nodes: both keep the same one") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    MeshWorld world(seed, even);
    const std::size_t a = world.add_node();
    const std::size_t b = world.add_node();
    world.dial(a, b);
    world.dial(b, a);
    world.dial(a, b);
    world.run_for(5s);
    for (const auto& [one, two] : {std::pair(a, b), std::pair(b, a)}) {
      CHECK(world.links_between(one, two) == 1);
      CHECK(world.scheduler(one).neighbours().size() == 1);
    }
    CHECK(world.broken() == "");
  }
}

}  // namespace
}  // namespace fogctl
