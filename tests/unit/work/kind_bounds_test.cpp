#include "work/kind_bounds.hpp"

#include <doctest/doctest.h>

#include <memory>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

const Instant start = Instant(1h);

Lease lease(const std::string& uid, Duration time_requirement = 10000s) {
  Task task;
  task.uid = uid;
  task.name = "kind";
  task.time_requirement = time_requirement;
  Lease lease;
  lease.task = std::make_shared<const Task>(task);
  lease.number = 7;
  lease.arrival = start;
  return lease;
}

std::vector<std::string> uids(const std::vector<WaitingLease>& waiting) {
  std::vector<std::string> uids;
  for (const WaitingLease& one : waiting) uids.push_back(one.lease.task->uid);
  return uids;
}

bool keep(KindBounds& bounds, const std::string& uid, int bound) {
  WaitingLease waiting{lease(uid), start};
  return bounds.keep(waiting, bound);
}

TEST_CASE("kind bounds: as many begin as may, and those at hand follow in their order") {
  KindBounds bounds;
  CHECK(bounds.begin("kind", 2));
  CHECK(bounds.begin("kind", 2));
  CHECK(!bounds.begin("kind", 2));
  CHECK(bounds.begin("other", 1));
  for (const char* uid : {"a", "b", "c", "d"}) CHECK(keep(bounds, uid, 2));
  CHECK(!keep(bounds, "e", 2));
  CHECK(bounds.has({"c", 7}));
  CHECK(!bounds.has({"c", 8}));
  CHECK(uids(bounds.end("kind", 2, 1s)) == std::vector<std::string>{"a"});
  CHECK(bounds.begin("kind", 2));
  CHECK(uids(bounds.end("kind", 4, 1s)) == std::vector<std::string>{"b", "c", "d"});
}

TEST_CASE("kind bounds: without a bound nothing is counted, and one that went lets all begin") {
  KindBounds bounds;
  for (int i = 0; i < 10; ++i) CHECK(bounds.begin("kind", 0));
  CHECK(bounds.begin("kind", 1));
  for (const char* uid : {"a", "b"}) CHECK(keep(bounds, uid, 1));
  CHECK(bounds.end("kind", 0, 1s).size() == 2);
}

TEST_CASE("kind bounds: what is taken is no longer at hand") {
  KindBounds bounds;
  for (const char* uid : {"a", "b"}) CHECK(keep(bounds, uid, 1));
  const auto is_a = [](const WaitingLease& one) { return one.lease.task->uid == "a"; };
  CHECK(uids(bounds.take_if(is_a)) == std::vector<std::string>{"a"});
  CHECK(!bounds.has({"a", 7}));
  CHECK(bounds.has({"b", 7}));
}

TEST_CASE("kind bounds: one is put off for about as long as the turns before it take") {
  struct Case {
    Duration run;
    int bound;
    Duration until;
  };
  const Case cases[] = {{0s, 1, 10ms},  // not known yet
                        {1ms, 1, 10ms},
                        {100ms, 2, 200ms},
                        {10s, 1, 1s}};
  for (const Case& test : cases) {
    CAPTURE(test.run.count());
    KindBounds bounds;
    CHECK(bounds.begin("kind", test.bound));
    (void)bounds.end("kind", test.bound, test.run);
    for (int i = 0; i < 2 * test.bound; ++i) CHECK(keep(bounds, std::to_string(i), test.bound));
    CHECK(bounds.put_off(lease("x"), test.bound, start) == start + test.until);
  }
}

TEST_CASE("kind bounds: many that are put off come one after another, the urgent ones sooner") {
  KindBounds bounds;
  CHECK(bounds.begin("kind", 1));
  (void)bounds.end("kind", 1, 10s);
  for (int i = 0; i < 2; ++i) CHECK(keep(bounds, std::to_string(i), 1));
  Instant until;
  for (int i = 0; i < 5001; ++i) until = bounds.put_off(lease("x"), 1, start);
  CHECK(until == start + 6s);  // a millisecond apart
  CHECK(bounds.put_off(lease("urgent", 4s), 1, start) == start + 2s);
  CHECK(bounds.put_off(lease("late", 0s), 1, start) == start + 1s);
}

}  // namespace
}  // namespace fogctl
