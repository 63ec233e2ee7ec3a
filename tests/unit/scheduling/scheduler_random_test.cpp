// Thousands of random histories of one node: clients send again, the queue and the cloud go and
// come back. A failure names its seed.
#include <doctest/doctest.h>

#include "support/scheduler_world.hpp"

namespace fogctl {
namespace {

using support::SchedulerWorld;

constexpr std::uint64_t seeds = 2000;
constexpr int steps = 120;

/// Lives through `steps` events; false when something broke.
[[nodiscard]] bool live(SchedulerWorld& world) {
  for (int i = 0; i < steps && world.broken().empty(); ++i) world.step();
  CHECK(world.broken() == "");
  return world.broken().empty();
}

TEST_CASE("Whatever happens, every task is answered exactly once") {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    SchedulerWorld world(seed, {.loses_answers = true});
    if (!live(world)) return;
    world.settle();
    CHECK(world.broken() == "");
    REQUIRE(world.unanswered_origins() == 0);
    REQUIRE(world.scheduler().unanswered() == 0);
    REQUIRE(world.scheduler().away() == 0);
    REQUIRE(world.wait_of_new_task() == 0);
  }
}

TEST_CASE("While no answer of the queue is lost, nothing stays in it as away") {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    SchedulerWorld world(seed, {.loses_answers = false});
    if (!live(world)) return;
    world.settle();
    CHECK(world.broken() == "");
    REQUIRE(world.unanswered_origins() == 0);
    REQUIRE(world.held_away() == 0);
  }
}

TEST_CASE("Whenever the node stops with its queue, every task is answered exactly once") {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    SchedulerWorld world(seed, {.loses_answers = true});
    if (!live(world)) return;
    world.stop();
    CHECK(world.broken() == "");
    REQUIRE(world.unanswered_origins() == 0);
    REQUIRE(world.scheduler().unanswered() == 0);
  }
}

}  // namespace
}  // namespace fogctl
