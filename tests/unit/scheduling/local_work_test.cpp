#include "scheduling/local_work.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "scheduling/open_task.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{std::chrono::seconds(100)};

/// Light tasks take 10 ms, medium 50, heavy 250, each exactly.
ExecutionMoments exact_moments() {
  ExecutionMoments moments;
  moments.add(TaskClass::light, 10ms);
  moments.add(TaskClass::medium, 50ms);
  moments.add(TaskClass::heavy, 250ms);
  return moments;
}

double wait_ms(const LocalWork& work, Duration slack, Instant now = start) {
  return to_seconds(work.wait(slack, exact_moments(), now).mean) * 1e3;
}

TEST_CASE("A task waits for nothing where a worker is free") {
  LocalWork work;
  work.set_workers(2, start);
  (void)work.add(TaskClass::heavy, start + 1s, start);
  CHECK(wait_ms(work, 1s) == 0);
}

TEST_CASE("A task waits until the first worker is free, by list scheduling") {
  LocalWork work;
  work.set_workers(2, start);
  (void)work.add(TaskClass::heavy, start + 1s, start);
  (void)work.add(TaskClass::medium, start + 1s, start);
  CHECK(wait_ms(work, 1s) == doctest::Approx(50));
  (void)work.add(TaskClass::medium, start + 500ms, start);
  (void)work.add(TaskClass::light, start + 500ms, start);
  CHECK(wait_ms(work, 1s) == doctest::Approx(110));  // 50, then both before 250; not 360 / 2
}

TEST_CASE("Tasks that wait are visited in the order in which they are served, those that run not") {
  LocalWork work;
  work.set_workers(1, start);
  OpenTask tasks[5];
  (void)work.add(TaskClass::heavy, start + 9s, start, &tasks[0]);  // runs
  (void)work.add(TaskClass::light, start + 3s, start, &tasks[1]);
  (void)work.add(TaskClass::medium, start + 1s, start, &tasks[2]);
  (void)work.add(TaskClass::light, start - 1s, start, &tasks[3]);  // late: last
  (void)work.add(TaskClass::light, start + 2s, start, &tasks[4]);
  std::vector<std::pair<std::ptrdiff_t, int>> seen;
  const auto visit_all = [&](std::size_t most) {
    seen.clear();
    work.each_waiting(exact_moments(), start, [&](OpenTask& task, Duration wait) {
      seen.emplace_back(&task - tasks, static_cast<int>(wait / 1ms));
      return seen.size() < most;
    });
  };
  visit_all(9);
  CHECK(seen ==
        std::vector<std::pair<std::ptrdiff_t, int>>{{2, 250}, {4, 300}, {1, 310}, {3, 320}});
  visit_all(3);
  CHECK(seen.size() == 3);
}

TEST_CASE("Only what is served before counts") {
  LocalWork work;
  work.set_workers(1, start);
  (void)work.add(TaskClass::light, start + 1s, start);
  (void)work.add(TaskClass::medium, start + 100ms, start);
  (void)work.add(TaskClass::heavy, start + 600ms, start);
  CHECK(wait_ms(work, 50ms) == doctest::Approx(10));
  CHECK(wait_ms(work, 100ms) == doctest::Approx(60));
  CHECK(wait_ms(work, 1s) == doctest::Approx(310));
  const WaitProfile profile = work.profile(exact_moments(), start);
  for (std::size_t i = 0; i < wait_slacks.size(); ++i) {
    CAPTURE(i);
    CHECK(profile[i].mean == work.wait(wait_slacks[i], exact_moments(), start).mean);
  }
}

TEST_CASE("What is late is served last, and a late task waits for all") {
  LocalWork work;
  work.set_workers(1, start);
  (void)work.add(TaskClass::light, start + 1s, start);
  (void)work.add(TaskClass::heavy, start + 10ms, start);
  (void)work.add(TaskClass::medium, start + 900ms, start);
  const Instant later = start + 20ms;
  CHECK(wait_ms(work, 1s, later) == doctest::Approx(3 + 50));  // 30 % of light's 10 at least
  CHECK(wait_ms(work, -1ms, later) == doctest::Approx(3 + 300));
  // Where nothing is known, 30 % of the 20 that it has taken.
  CHECK(work.wait(-1ms, ExecutionMoments(), later).mean == 6ms);
}

TEST_CASE("The next begins when one ends, and what runs has less left") {
  LocalWork work;
  work.set_workers(1, start);
  const auto first = work.add(TaskClass::light, start + 1s, start);
  const auto second = work.add(TaskClass::medium, start + 100ms, start);
  work.remove(first, start + 10ms);
  CHECK(wait_ms(work, 1s, start + 10ms) == doctest::Approx(50));
  CHECK(wait_ms(work, 1s, start + 30ms) == doctest::Approx(30));
  work.remove(second, start + 60ms);
  CHECK(wait_ms(work, 1s, start + 60ms) == 0);
}

TEST_CASE("A task that goes elsewhere is not waited for") {
  LocalWork work;
  work.set_workers(1, start);
  (void)work.add(TaskClass::light, start + 1s, start);
  const auto gone = work.add(TaskClass::heavy, start + 100ms, start);
  work.remove(gone, start);
  CHECK(wait_ms(work, 1s) == doctest::Approx(10));
}

TEST_CASE("Waits spread as much as what is before them") {
  ExecutionMoments moments;
  for (int i = 0; i < 50; ++i) moments.add(TaskClass::light, i % 2 == 0 ? 5ms : 15ms);
  LocalWork work;
  work.set_workers(1, start);
  for (int i = 0; i < 5; ++i) (void)work.add(TaskClass::light, start + 1s, start);
  const WaitEstimate wait = work.wait(1s, moments, start);
  CHECK(to_seconds(wait.mean) == doctest::Approx(.05).epsilon(.05));
  CHECK(to_seconds(wait.deviation) == doctest::Approx(.005 * 2.236).epsilon(.05));
}

TEST_CASE("A long queue is estimated, from below, in bounded time") {
  const auto wait_with = [](std::size_t workers) {
    LocalWork work;
    work.set_workers(workers, start);
    for (int i = 0; i < 5000; ++i) (void)work.add(TaskClass::light, start + 1s, start);
    return wait_ms(work, 1s);
  };
  CHECK(wait_with(1) == doctest::Approx(10 + 64 * 10));
  CHECK(wait_with(4) == doctest::Approx(10 + 128 / 4 * 10));
  CHECK(wait_with(32) == doctest::Approx(10 + 256 / 32 * 10));
}

}  // namespace
}  // namespace fogctl
