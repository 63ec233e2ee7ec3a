#include "client/load.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

const Instant start{1000s};

TEST_CASE("A load is names and rates with commas between") {
  struct Case {
    const char* text;
    std::vector<LoadEntry> entries;
  };
  const Case cases[] = {
      {"light=200/min", {{"light", {200, 1min}}}},
      {"light=200/min,medium=40/min,heavy=20/min",
       {{"light", {200, 1min}}, {"medium", {40, 1min}}, {"heavy", {20, 1min}}}},
      {"echo=1000/s", {{"echo", {1000, 1s}}}},
      {"my-task_2.0=0.5/h", {{"my-task_2.0", {0.5, 1h}}}},
      {"a=1e3/s", {{"a", {1000, 1s}}}},
  };
  for (const Case& row : cases) {
    CAPTURE(row.text);
    const auto entries = parse_load(row.text);
    REQUIRE(entries);
    CHECK(*entries == row.entries);
  }
}

TEST_CASE("A wrong load is refused with the part that is wrong") {
  struct Case {
    const char* text;
    const char* quoted;
  };
  const Case cases[] = {
      {"", "''"},
      {"light", "'light'"},
      {"light=", "'light='"},
      {"light=5", "'light=5'"},
      {"light=x/min", "'light=x/min'"},
      {"light=5/day", "'light=5/day'"},
      {"light=5 /s", "'light=5 /s'"},
      {"light=0/s", "'light=0/s'"},
      {"light=-1/s", "'light=-1/s'"},
      {"light=inf/s", "'light=inf/s'"},
      {"light=nan/s", "'light=nan/s'"},
      {"light=1e8/s", "'light=1e8/s'"},
      {"=5/s", "'=5/s'"},
      {"a b=5/s", "'a b=5/s'"},
      {"light=1/s,medium=x", "'medium=x'"},
      {"light=1/s,", "''"},
      {"light=1/s,light=2/s", "'light' is there twice"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.text);
    const auto entries = parse_load(row.text);
    REQUIRE_FALSE(entries);
    CHECK(entries.error().code == ErrorCode::invalid);
    CHECK(entries.error().message.find(row.quoted) != std::string::npos);
  }
}

TEST_CASE("A requirement is looked up by name, then by class, then for all, then the original's") {
  struct Case {
    const char* text;
    const char* name;
    TaskClass weight;
    Duration length;
  };
  const Case cases[] = {
      {"light=0.1,heavy=3", "light", TaskClass::light, 100ms},
      {"light=0.1,heavy=3", "heavy", TaskClass::heavy, 3s},
      {"light=0.1,heavy=3", "medium", TaskClass::medium, 2s},
      {"light=0.1,heavy=3", "echo", TaskClass::light, 100ms},
      {"light=0.1,echo=7", "echo", TaskClass::light, 7s},
      {"0.5", "heavy", TaskClass::heavy, 500ms},
      {"250ms", "light", TaskClass::light, 250ms},
      {"0", "light", TaskClass::light, 0s},
  };
  for (const Case& row : cases) {
    CAPTURE(row.text);
    CAPTURE(row.name);
    const auto requirements = parse_requirements(row.text);
    REQUIRE(requirements);
    CHECK(requirements->of(row.name, row.weight) == row.length);
  }
  CHECK(Requirements{}.of("x", TaskClass::light) == 200ms);
  CHECK(Requirements{}.of("x", TaskClass::medium) == 2s);
  CHECK(Requirements{}.of("x", TaskClass::heavy) == 5s);
}

TEST_CASE("A wrong requirement is refused with the part that is wrong") {
  for (const char* text : {"", "x", "-1", "light=", "light=x", "light=1,=2", "light=1,3", "1,2"}) {
    CAPTURE(text);
    const auto requirements = parse_requirements(text);
    REQUIRE_FALSE(requirements);
    CHECK(requirements.error().code == ErrorCode::invalid);
  }
}

struct Sent {
  std::size_t rate;
  Instant at;
  bool operator==(const Sent&) const = default;
};

/// Everything, each at the instant at which it is due.
std::vector<Sent> play(Schedule& schedule) {
  std::vector<Sent> sent;
  while (const auto due = schedule.next_due()) {
    const auto rate = schedule.take(*due);
    REQUIRE(rate);
    sent.push_back({*rate, *due});
  }
  return sent;
}

TEST_CASE("Each rate sends its first task at once and the others evenly, the end excluded") {
  const Rate rates[] = {{2, 1s}, {60, 1min}};
  Schedule schedule(rates, start, 2s);
  CHECK(schedule.remaining() == 6);
  const std::vector<Sent> wanted = {{0, start},      {1, start},      {0, start + 500ms},
                                    {0, start + 1s}, {1, start + 1s}, {0, start + 1500ms}};
  CHECK(play(schedule) == wanted);
  CHECK(schedule.remaining() == 0);
  CHECK_FALSE(schedule.take(start + 1h));
}

TEST_CASE("Nothing is sent before it is due") {
  const Rate rates[] = {{10, 1s}};
  Schedule schedule(rates, start, 10s);
  CHECK(schedule.take(start) == 0);
  CHECK_FALSE(schedule.take(start + 99ms));
  CHECK(schedule.take(start + 100ms) == 0);
  CHECK_FALSE(schedule.take(start + 199ms));
}

TEST_CASE("Who wakes up late finds all that is due by then, in order") {
  const Rate rates[] = {{1000, 1s}, {500, 1s}};
  Schedule schedule(rates, start, 10s);
  std::vector<std::size_t> taken(2);
  while (const auto rate = schedule.take(start + 3s - 1ns)) ++taken[*rate];
  CHECK(taken[0] == 3000);
  CHECK(taken[1] == 1500);
  CHECK(schedule.next_due() == start + 3s);
  CHECK(schedule.remaining() == 7000 + 3500);
}

TEST_CASE("A load of any length sends exactly rate times length, without drift") {
  struct Case {
    const char* name;
    Rate rate;
    Duration length;
    std::size_t count;
  };
  const Case cases[] = {
      {"the original's light tasks", {200, 1min}, 60s, 200},
      {"the original's medium tasks", {40, 1min}, 60s, 40},
      {"seven in a second", {7, 1s}, 10min, 4200},
      {"a third of a nanosecond does not add up", {3, 1s}, 100000s, 300000},
      {"many", {30000, 1s}, 10s, 300000},
      {"a half of one", {0.5, 1s}, 10s, 5},
      {"longer apart than the load", {1, 1h}, 10s, 1},
      {"longer apart than time can be", {1e-300, 1h}, 10s, 1},
      {"no time at all", {10, 1s}, 0s, 0},
  };
  for (const Case& row : cases) {
    CAPTURE(row.name);
    const Rate rates[] = {row.rate};
    Schedule schedule(rates, start, row.length);
    CHECK(schedule.remaining() == row.count);
    std::size_t sent = 0;
    while (const auto due = schedule.next_due()) {
      REQUIRE(schedule.take(*due));
      ++sent;
    }
    CHECK(sent == row.count);
  }
}

TEST_CASE("A load without an end goes on") {
  const Rate rates[] = {{1, 1s}};
  Schedule schedule(rates, start, Duration::max());
  for (int i = 0; i < 1000; ++i) REQUIRE(schedule.take(start + 1000s));
  CHECK(schedule.next_due() == start + 1000s);
}

}  // namespace
}  // namespace fogctl
