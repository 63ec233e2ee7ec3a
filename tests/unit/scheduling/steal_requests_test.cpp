#include "scheduling/steal_requests.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <vector>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{100s};

TEST_CASE("While a request waits for its answer, no other is made; one for each is right") {
  StealRequests requests;
  CHECK(requests.may_ask(start));
  const auto first = requests.add(1, start);
  const auto second = requests.add(2, start);
  CHECK(first != second);
  CHECK(requests.size() == 2);
  CHECK_FALSE(requests.may_ask(start));
  CHECK_FALSE(requests.on_task(1, second));  // it was asked of another
  CHECK_FALSE(requests.on_task(3, first));
  CHECK_FALSE(requests.on_refusal(1, first + 7, start));
  CHECK(requests.on_task(1, first));
  CHECK_FALSE(requests.on_task(1, first));
  CHECK_FALSE(requests.may_ask(start));
  CHECK(requests.on_task(2, second));
  CHECK(requests.may_ask(start));
}

TEST_CASE("Where all refuse there is a pause, twice as long each time, up to a second") {
  StealRequests requests;
  Instant now = start;
  for (const Duration pause : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    const auto one = requests.add(1, now);
    const auto other = requests.add(2, now);
    CHECK(requests.on_refusal(1, one, now));
    CHECK_FALSE(requests.may_ask(now));
    CHECK(requests.on_refusal(2, other, now));
    CHECK_FALSE(requests.may_ask(now + pause - 1ns));
    CHECK(requests.next(now) == now + pause);
    CHECK(requests.may_ask(now + pause));
    CHECK_FALSE(requests.next(now + pause).has_value());
    now += pause;
  }
  const auto won = requests.add(1, now);
  CHECK(requests.on_task(1, won));
  CHECK(requests.may_ask(now));
  const auto lost = requests.add(1, now);
  CHECK(requests.on_refusal(1, lost, now));
  CHECK(requests.next(now) == now + 100ms);  // as in the beginning
}

TEST_CASE("Where one of two gives a task, there is no pause") {
  StealRequests requests;
  const auto one = requests.add(1, start);
  const auto other = requests.add(2, start);
  CHECK(requests.on_task(1, one));
  CHECK(requests.on_refusal(2, other, start));
  CHECK(requests.may_ask(start));
}

TEST_CASE("Who does not answer is not waited for") {
  StealRequests requests;
  const auto one = requests.add(1, start);
  const auto other = requests.add(2, start + 10ms);
  CHECK(requests.next(start) == start + 1s);
  CHECK(requests.give_up(start + 1s - 1ns).empty());
  CHECK(requests.give_up(start + 1s) == std::vector<PeerId>{1});
  CHECK_FALSE(requests.on_task(1, one));
  CHECK_FALSE(requests.may_ask(start + 1s));
  CHECK(requests.on_refusal(2, other, start + 1s));
  CHECK(requests.may_ask(start + 1100ms));
}

}  // namespace
}  // namespace fogctl
