#include "work/watchdog.hpp"

#include <doctest/doctest.h>

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using enum WatchdogStep;

constexpr Duration patience = 10s;

Instant at(Duration time) {
  return Instant(1000s + time);
}

QueueLoad queued(std::size_t tasks) {
  QueueLoad load;
  load.queued[index_of(TaskClass::medium)] = tasks;
  return load;
}

const PoolPulse idle{.free = 1, .leased = 7, .is_draining = false};

TEST_CASE("watchdog: standing still brings new connections, then an alarm, each once") {
  Watchdog dog(patience);
  CHECK(dog.look(queued(3), idle, at(0s)) == none);  // the first sight tells nothing of before
  CHECK(dog.look(queued(3), idle, at(1s)) == none);
  CHECK(dog.look(queued(3), idle, at(10s)) == none);
  CHECK(dog.look(queued(3), idle, at(11s)) == reconnect);
  CHECK(dog.is_ready());
  CHECK(dog.look(queued(3), idle, at(20s)) == none);
  CHECK(dog.look(queued(3), idle, at(21s)) == give_alarm);
  CHECK_FALSE(dog.is_ready());
  CHECK(dog.still_for(at(21s)) == 20s);
  CHECK(dog.look(queued(3), idle, at(60s)) == none);

  SUBCASE("the first task that is leased ends it") {
    PoolPulse moved = idle;
    ++moved.leased;
    CHECK(dog.look(queued(2), moved, at(61s)) == end_alarm);
  }
  SUBCASE("so does an empty queue") {
    CHECK(dog.look(queued(0), idle, at(61s)) == end_alarm);
  }
  SUBCASE("a queue that does not answer leaves it") {
    CHECK(dog.look(std::nullopt, idle, at(61s)) == none);
    CHECK_FALSE(dog.is_ready());
    CHECK(dog.look(queued(0), idle, at(62s)) == end_alarm);
  }
  CHECK(dog.is_ready());
  CHECK(dog.look(queued(1), {.free = 1, .leased = 8}, at(70s)) == none);
  CHECK(dog.look(queued(1), {.free = 1, .leased = 8}, at(79s)) == none);
}

TEST_CASE("watchdog: what is no standstill") {
  struct Row {
    const char* name;
    std::optional<QueueLoad> load;
    PoolPulse pulse;
  };
  QueueLoad paused = queued(5);
  paused.is_paused = true;
  QueueLoad delayed;
  delayed.delayed = 5;
  const Row rows[] = {
      {"nothing is queued", queued(0), idle},
      {"the queue is paused", paused, idle},
      {"all wait for another try", delayed, idle},
      {"the queue does not answer", std::nullopt, idle},
      {"every worker is busy", queued(5), {.free = 0, .leased = 7}},
      {"the pool leases no more", queued(5), {.free = 2, .leased = 7, .is_draining = true}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Watchdog dog(patience);
    for (int second = 0; second < 100; ++second) {
      CHECK(dog.look(row.load, row.pulse, at(std::chrono::seconds(second))) == none);
    }
    CHECK(dog.is_ready());
  }
}

TEST_CASE("watchdog: a moment of any of these begins the time anew") {
  Watchdog dog(patience);
  CHECK(dog.look(queued(1), {.free = 1}, at(0s)) == none);
  CHECK(dog.look(queued(1), {.free = 1}, at(9s)) == none);
  CHECK(dog.look(queued(1), {.free = 0}, at(10s)) == none);
  CHECK(dog.look(queued(1), {.free = 1}, at(11s)) == none);
  CHECK(dog.look(queued(1), {.free = 1}, at(20s)) == none);
  CHECK(dog.look(queued(1), {.free = 1}, at(21s)) == reconnect);
}

TEST_CASE("watchdog: the queue is asked seldom, and not while tasks come") {
  Watchdog dog(patience);
  PoolPulse pulse = idle;
  CHECK_FALSE(dog.wants_load(pulse, at(0s)));  // 7 tasks came since it was made
  CHECK_FALSE(dog.wants_load(pulse, at(500ms)));
  CHECK(dog.wants_load(pulse, at(1s)));
  CHECK_FALSE(dog.wants_load(pulse, at(1100ms)));
  ++pulse.leased;
  CHECK_FALSE(dog.wants_load(pulse, at(2s)));
  CHECK(dog.wants_load(pulse, at(3s)));
  pulse.free = 0;
  CHECK_FALSE(dog.wants_load(pulse, at(4s)));
}

}  // namespace
}  // namespace fogctl
