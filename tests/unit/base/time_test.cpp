#include "base/time.hpp"

#include <doctest/doctest.h>

#include <string>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TEST_CASE("A length of time is read in the units that people write") {
  struct Row {
    const char* text;
    Duration length;
  };
  constexpr Row rows[] = {
      {"250ms", 250ms},
      {"5s", 5s},
      {"2min", 2min},
      {"2m", 2min},
      {"1h", 1h},
      {"1.5", 1500ms},
      {"0", 0s},
      {"7us", 7us},
      {"0.25ms", 250us},
      {"1e3s", 1000s},
      {"1e300h", Duration::max()},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto length = parse_duration(row.text);
    REQUIRE(length);
    CHECK(*length == row.length);
  }
}

TEST_CASE("What is no length of time is refused by naming it") {
  for (const std::string text : {"", "s", "5 s", " 5s", "-1s", "5sec", "five", "inf", "nan",
                                 "1e999", "5s ", "0x10", "--5"}) {
    CAPTURE(text);
    const auto length = parse_duration(text);
    REQUIRE_FALSE(length);
    CHECK(length.error().code == ErrorCode::invalid);
    CHECK(length.error().message.find("'" + text + "'") != std::string::npos);
  }
}

TEST_CASE("A length of time is printed for people, in the unit that fits") {
  struct Row {
    Duration length;
    const char* text;
  };
  constexpr Row rows[] = {
      {0s, "0us"},          {350us, "350us"},     {999us, "999us"},  {999'600ns, "1ms"},
      {12'345us, "12.3ms"}, {999'400us, "999ms"}, {999'900us, "1s"}, {1250ms, "1.25s"},
      {119s, "119s"},       {180s, "3min"},       {10h, "600min"},   {1000min, "1000min"},
      {100h, "6000min"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(format_duration(row.length) == row.text);
  }
}

TEST_CASE("Seconds become nanoseconds, rounded, and at most what a Duration holds") {
  CHECK(from_seconds(0.2) == 200ms);
  CHECK(from_seconds(-1.5) == -1500ms);
  CHECK(from_seconds(1e-9) == 1ns);
  CHECK(from_seconds(0.6e-9) == 1ns);
  CHECK(from_seconds(1e300) == Duration::max());
  CHECK(from_seconds(-1e300) == Duration::min());
  CHECK(from_seconds(9.3e9) == Duration::max());
  CHECK(to_seconds(from_seconds(1234.5)) == 1234.5);
}

TEST_CASE("A sum of lengths stops at the longest one") {
  CHECK(add_saturating(1s, 2s) == 3s);
  CHECK(add_saturating(Duration::max(), 1ns) == Duration::max());
  CHECK(add_saturating(1ns, Duration::max()) == Duration::max());
  CHECK(add_saturating(Duration::max() - 1ns, 1ns) == Duration::max());
  CHECK(add_saturating(-1s, 500ms) == -500ms);
}

TEST_CASE("A wall-clock stamp is printed as RFC 3339 in UTC with milliseconds") {
  CHECK(format_wall_time(WallTime{}) == "1970-01-01T00:00:00.000Z");
  CHECK(format_wall_time(WallTime(1795412135519364800ns)) == "2026-11-23T05:35:35.519Z");
  CHECK(format_wall_time(WallTime(951'782'400s)) == "2000-02-29T00:00:00.000Z");
}

TEST_CASE("The system clock does not go back") {
  const SystemClock clock;
  const Instant first = clock.now();
  CHECK(clock.now() >= first);
  CHECK(clock.wall_now() > WallTime(1'700'000'000s));
}

}  // namespace
}  // namespace fogctl
