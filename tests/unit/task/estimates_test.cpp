#include "task/estimates.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TEST_CASE("An estimate is 0, the newest, .7/.3 of two, then .5/.3/.2 of the newest three") {
  struct Row {
    const char* what;
    Duration run;
    Duration expected;
    std::uint64_t seen;
  };
  constexpr Row rows[] = {
      {"the first", 100ms, 100ms, 1},
      {"the second: .7 * 200 + .3 * 100", 200ms, 170ms, 2},
      {"the third: .5 * 400 + .3 * 200 + .2 * 100", 400ms, 280ms, 3},
      {"the fourth forgets the first: .5 * 40 + .3 * 400 + .2 * 200", 40ms, 180ms, 4},
      {"nothing took time: .3 * 40 + .2 * 400", 0ms, 92ms, 5},
  };
  ExecutionEstimates estimates;
  CHECK(estimates.of(TaskClass::medium) == 0s);
  CHECK(estimates.seen(TaskClass::medium) == 0);
  for (const Row& row : rows) {
    CAPTURE(row.what);
    estimates.add(TaskClass::medium, row.run);
    CHECK(estimates.of(TaskClass::medium) == row.expected);
    CHECK(estimates.seen(TaskClass::medium) == row.seen);
  }
}

TEST_CASE("Classes are estimated apart") {
  ExecutionEstimates estimates;
  estimates.add(TaskClass::light, 1ms);
  estimates.add(TaskClass::heavy, 2s);
  CHECK(estimates.of(TaskClass::light) == 1ms);
  CHECK(estimates.of(TaskClass::medium) == 0s);
  CHECK(estimates.of(TaskClass::heavy) == 2s);
  CHECK(estimates.all() == ClassDurations{1ms, 0s, 2s});
}

Task named(std::string name, TaskClass weight = TaskClass::light) {
  Task task;
  task.name = std::move(name);
  task.weight = weight;
  return task;
}

TEST_CASE("A name has its class's estimate until one of it has finished, and then its own") {
  TaskEstimates estimates;
  CHECK(estimates.of(named("echo")) == 0s);
  estimates.add(named("echo"), 100ms);
  CHECK(estimates.of(named("sum")) == 100ms);
  CHECK(estimates.of(named("sum", TaskClass::heavy)) == 0s);
  CHECK(estimates.find("sum") == nullptr);

  estimates.add(named("sum"), 300ms);
  CHECK(estimates.of(named("echo")) == 100ms);
  CHECK(estimates.of(named("sum")) == 300ms);
  CHECK(estimates.classes().of(TaskClass::light) == 240ms);  // .7 * 300 + .3 * 100
  estimates.add(named("sum"), 100ms);
  CHECK(estimates.of(named("sum")) == 160ms);  // .7 * 100 + .3 * 300
  CHECK(estimates.find("sum")->runs() == 2);
}

TEST_CASE("Of too many names the one that finished longest ago is forgotten") {
  TaskEstimates estimates;
  for (std::size_t i = 0; i < TaskEstimates::most_names; ++i) {
    estimates.add(named("task-" + std::to_string(i)), 1s);
  }
  estimates.add(named("task-0"), 1s);
  estimates.add(named("one-more"), 1s);
  CHECK(estimates.find("task-0") != nullptr);
  CHECK(estimates.find("task-1") == nullptr);
  CHECK(estimates.find("task-2") != nullptr);
  CHECK(estimates.find("one-more") != nullptr);
}

}  // namespace
}  // namespace fogctl
