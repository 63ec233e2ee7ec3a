#include "task/estimates.hpp"

#include <doctest/doctest.h>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TEST_CASE("An estimate is 0, the newest, .7/.3 of two, then .5/.3/.2 of the newest three") {
  struct Row {
    const char* what;
    Duration run;
    Duration expected;
    int seen;
  };
  constexpr Row rows[] = {
      {"the first", 100ms, 100ms, 1},
      {"the second: .7 * 200 + .3 * 100", 200ms, 170ms, 2},
      {"the third: .5 * 400 + .3 * 200 + .2 * 100", 400ms, 280ms, 3},
      {"the fourth forgets the first: .5 * 40 + .3 * 400 + .2 * 200", 40ms, 180ms, 3},
      {"nothing took time: .3 * 40 + .2 * 400", 0ms, 92ms, 3},
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

}  // namespace
}  // namespace fogctl
