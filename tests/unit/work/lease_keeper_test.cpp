#include "work/lease_keeper.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "queue/memory_queue.hpp"
#include "support/caught_errors.hpp"
#include "support/failing_queue.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

/// Counts a keeper's calls, and refuses to renew a lease, or to recover others', when it is told
/// to.
struct WatchedQueue : FailingQueue {
  using FailingQueue::FailingQueue;
  [[nodiscard]] Result<bool> extend(std::size_t workers, Duration lease, Instant now) override {
    if (!is_away) {
      auto extended = FailingQueue::extend(workers, lease, now);
      ++renewals;
      return extended;
    }
    ++refused;
    return failure(ErrorCode::unavailable, "away");
  }
  [[nodiscard]] Result<std::size_t> recover_expired(Instant now) override {
    const bool refuses = refuses_recovery;
    auto recovered = FailingQueue::recover_expired(now);
    const std::size_t found = others_tasks.exchange(0);
    ++recoveries;
    if (found > 0) return found;
    if (refuses) return failure(ErrorCode::failed, "refused");
    return recovered;
  }
  std::atomic<bool> is_away = false;
  std::atomic<bool> refuses_recovery = false;
  std::atomic<std::size_t> others_tasks = 0;  // that the next recovery finds
  std::atomic<int> refused = 0;
  std::atomic<int> renewals = 0;
  std::atomic<int> recoveries = 0;
};

/// As if the process was stopped for so long before each look at it.
struct LeapingClock : Clock {
  explicit LeapingClock(Duration leap) : leap_ns(leap.count()) {}
  [[nodiscard]] Instant now() const override { return Instant(Duration(time_ns += leap_ns)); }
  [[nodiscard]] WallTime wall_now() const override { return {}; }
  const std::int64_t leap_ns;
  mutable std::atomic<std::int64_t> time_ns = std::int64_t{1} << 50;
};

constexpr Duration a_lease = 1s;

struct Scene {
  explicit Scene(Duration leap)
      : clock(leap),
        queue(std::make_unique<MemoryQueue>(std::make_shared<MemoryStore>(QueueLimits{}, a_lease),
                                            "me")),
        pool(queue, handlers, clock, options(), {}),
        keeper(queue, pool, clock, {a_lease, 1h}, {[this] { has_lost = true; }, {}}) {
    set_log_level(LogLevel::off);
  }
  ~Scene() { set_log_level(LogLevel::info); }
  static PoolOptions options() {
    PoolOptions options;
    options.holder = "me";
    return options;
  }
  static void wait_for(const std::atomic<int>& count, int least) {
    while (count < least) std::this_thread::sleep_for(1ms);
  }

  LeapingClock clock;
  Handlers handlers{HandlerTable()};
  WatchedQueue queue;
  WorkerPool pool;  // not started
  std::atomic<bool> has_lost = false;
  LeaseKeeper keeper;
};

TEST_CASE("lease keeper: a process that was stopped, whenever, does not take itself for dead") {
  Scene scene(a_lease + 1ms);
  REQUIRE(scene.keeper.start().has_value());
  Scene::wait_for(scene.queue.recoveries, 4);
  scene.keeper.stop();
  CHECK_FALSE(scene.has_lost);
}

TEST_CASE("lease keeper: who cannot renew its lease looks after nobody's, until it can again") {
  Scene scene(a_lease / 20);
  REQUIRE(scene.keeper.start().has_value());
  Scene::wait_for(scene.queue.recoveries, 1);
  scene.queue.is_away = true;
  Scene::wait_for(scene.queue.refused, 1);
  const int before = scene.queue.recoveries;
  Scene::wait_for(scene.queue.refused, 4);
  CHECK(scene.queue.recoveries == before);
  scene.queue.is_away = false;
  Scene::wait_for(scene.queue.recoveries, before + 1);
  scene.keeper.stop();
}

TEST_CASE("lease keeper: what fails again and again beside the renewals is said once") {
  Scene scene(a_lease / 20);
  CaughtErrors errors;
  set_log_level(LogLevel::warning);
  scene.queue.refuses_recovery = true;
  REQUIRE(scene.keeper.start().has_value());
  Scene::wait_for(scene.queue.recoveries, 4);
  const int renewals = scene.queue.renewals;
  CHECK(renewals >= 3);  // they work
  scene.queue.refuses_recovery = false;
  Scene::wait_for(scene.queue.renewals, renewals + 4);
  scene.queue.refuses_recovery = true;
  const int recoveries = scene.queue.recoveries;
  Scene::wait_for(scene.queue.recoveries, recoveries + 4);
  scene.keeper.stop();
  const std::string text = errors.text();
  std::size_t said = 0;
  for (std::size_t at = 0; (at = text.find("refused", at)) != std::string::npos; ++at) ++said;
  CHECK_MESSAGE(said == 2, text);
}

TEST_CASE("lease keeper: of another's lease it says nothing that only its own would tell") {
  Scene scene(a_lease / 20);
  CaughtErrors errors;
  set_log_level(LogLevel::warning);
  scene.queue.others_tasks = 2;
  REQUIRE(scene.keeper.start().has_value());
  Scene::wait_for(scene.queue.recoveries, 2);
  scene.keeper.stop();
  const std::string text = errors.text();
  CHECK_MESSAGE(text.find("queued again 2 tasks of a process") != std::string::npos, text);
  CHECK_MESSAGE(text.find("for 1s") == std::string::npos, text);
}

}  // namespace
}  // namespace fogctl
