#include "scheduling/handed_on.hpp"

#include <doctest/doctest.h>

#include <set>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1000s};

struct Bench {
  Random random{1};
  HandedOn handed_on{random};
};

TEST_CASE("A task is found under its id on the link over which it went, until it is removed") {
  Bench bench;
  const auto first = bench.handed_on.add("u1", 7, start);
  const auto second = bench.handed_on.add("u2", 8, start);
  CHECK(bench.handed_on.size() == 2);
  CHECK(bench.handed_on.find(first, 7) == "u1");
  CHECK(bench.handed_on.find(second, 8) == "u2");
  CHECK_FALSE(bench.handed_on.find(first, 8));
  CHECK_FALSE(bench.handed_on.find(second, 7));
  CHECK_FALSE(bench.handed_on.find(second + 1, 8));
  bench.handed_on.remove(first);
  CHECK_FALSE(bench.handed_on.find(first, 7));
  CHECK(bench.handed_on.size() == 1);
}

TEST_CASE("Ids are counted on from a random start between 2^32 and 2^52, over all links") {
  std::set<std::int64_t> starts;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    HandedOn handed_on(random);
    const auto first = handed_on.add("u1", 1, start);
    CHECK(first >= std::int64_t{1} << 32);
    CHECK(first < std::int64_t{1} << 52);
    handed_on.remove(first);
    CHECK(handed_on.add("u1", 2, start) == first + 1);  // never given out again
    CHECK(handed_on.add("u2", 1, start) == first + 2);
    starts.insert(first);
  }
  CHECK(starts.size() == 300);
}

TEST_CASE("What went over one link is told sorted, in whatever order it went") {
  Bench bench;
  for (const char* uid : {"u3", "u1", "u2"}) (void)bench.handed_on.add(uid, 7, start);
  (void)bench.handed_on.add("u0", 8, start);
  CHECK(bench.handed_on.over(7) == std::vector<std::string>{"u1", "u2", "u3"});
  CHECK(bench.handed_on.over(8) == std::vector<std::string>{"u0"});
  CHECK(bench.handed_on.over(9).empty());
}

TEST_CASE("The answer that is due first is overdue first, from its instant on") {
  Bench bench;
  CHECK_FALSE(bench.handed_on.next_overdue());
  CHECK_FALSE(bench.handed_on.overdue(start + 1h));
  (void)bench.handed_on.add("late", 7, start + 5s);
  const auto id = bench.handed_on.add("early", 8, start + 3s);
  CHECK(bench.handed_on.next_overdue() == start + 3s);
  CHECK_FALSE(bench.handed_on.overdue(start + 3s - 1ns));
  CHECK(bench.handed_on.overdue(start + 3s)->uid == "early");
  bench.handed_on.remove(id);
  CHECK(bench.handed_on.next_overdue() == start + 5s);
  CHECK_FALSE(bench.handed_on.overdue(start + 3s));
  CHECK(bench.handed_on.overdue(start + 1h)->uid == "late");
}

TEST_CASE("Answers that are due at the same instant are overdue one after another") {
  Bench bench;
  const auto first = bench.handed_on.add("u1", 7, start);
  const auto second = bench.handed_on.add("u2", 7, start);
  CHECK(bench.handed_on.overdue(start)->uid == "u1");
  bench.handed_on.remove(first);
  CHECK(bench.handed_on.overdue(start)->uid == "u2");
  bench.handed_on.remove(second);
  CHECK_FALSE(bench.handed_on.next_overdue());
}

TEST_CASE("A link whose answers may take longer has all of them later, and no other link") {
  Bench bench;
  const auto first = bench.handed_on.add("u1", 7, start + 1s);
  const auto second = bench.handed_on.add("u2", 7, start + 2s);
  const auto third = bench.handed_on.add("u3", 8, start + 3s);
  bench.handed_on.postpone(7, 10s);
  CHECK(bench.handed_on.overdue(start + 3s)->uid == "u3");
  CHECK_FALSE(bench.handed_on.overdue(start + 3s - 1ns));
  bench.handed_on.remove(third);
  CHECK(bench.handed_on.next_overdue() == start + 11s);
  bench.handed_on.remove(first);
  CHECK(bench.handed_on.next_overdue() == start + 12s);
  bench.handed_on.remove(second);
  CHECK_FALSE(bench.handed_on.next_overdue());
}

}  // namespace
}  // namespace fogctl
