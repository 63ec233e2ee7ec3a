#include "client/hedging.hpp"

#include <doctest/doctest.h>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

Instant at(Duration since) {
  return Instant(since);
}

TEST_CASE("A task is due after its share of the requirement, each stream by its own, and once") {
  Hedging hedging(.25, {1s, 100ms});
  CHECK_FALSE(hedging.next_due());
  hedging.on_sent(1, 0, at(0ms));
  hedging.on_sent(2, 1, at(10ms));
  hedging.on_sent(3, 1, at(20ms));
  CHECK(hedging.next_due() == at(35ms));
  CHECK_FALSE(hedging.take_due(at(34ms)));
  CHECK(hedging.take_due(at(35ms)) == 2);
  CHECK_FALSE(hedging.take_due(at(35ms)));
  CHECK(hedging.take_due(at(300ms)) == 1);
  CHECK(hedging.take_due(at(300ms)) == 3);
  CHECK_FALSE(hedging.next_due());
}

TEST_CASE("Where tasks take long to be accepted, none is due before twice that") {
  Hedging hedging(.25, {100ms});
  for (int i = 0; i < 100; ++i) hedging.on_accepted(40ms);
  hedging.on_sent(1, 0, at(0ms));
  CHECK(hedging.next_due() == at(80ms));
}

TEST_CASE("A node that is slower than the other one is learnt to be slow") {
  Hedging hedging(.25, {100ms});
  hedging.on_hedged({1, 0, at(0ms)}, 5);
  hedging.on_accepted_late(1, 5, at(30ms));  // that one got it later
  hedging.on_accepted_late(2, 4, at(30ms));  // not hedged
  hedging.on_sent(3, 0, at(0ms));
  CHECK(hedging.next_due() == at(25ms));
  hedging.on_accepted_late(1, 4, at(120ms));
  CHECK(hedging.next_due() == at(240ms));
}

TEST_CASE("What a freeze held up, or the first tasks, do not make all others wait as long") {
  Hedging hedging(.25, {100ms});
  hedging.on_sent(1, 0, at(0ms));
  CHECK(hedging.next_due() == at(25ms));
  for (int i = 0; i < 64; ++i) hedging.on_accepted(1ms);
  for (int i = 0; i < 30; ++i) hedging.on_accepted(300ms);
  CHECK(hedging.next_due() == at(25ms));
  for (int i = 0; i < 64; ++i) hedging.on_accepted(300ms);  // it is slow now
  CHECK(hedging.next_due() == at(600ms));
}

TEST_CASE("What is answered or accepted by now is not kept until it would be due") {
  Hedging hedging(.25, {100ms});
  Outstanding outstanding;
  for (std::uint64_t id = 1; id <= 4; ++id) {
    CHECK(outstanding.add(0, at(0ms)) == id);
    outstanding.give_to(id, 0);
    hedging.on_sent(id, 0, at(id * 1ms));
  }
  (void)outstanding.take(1);
  outstanding.note_accepted(2, 0);
  (void)outstanding.take(4);
  hedging.drop_settled(0, outstanding);
  CHECK(hedging.next_due() == at(28ms));
  CHECK(hedging.take_due(at(100ms)) == 3);
  CHECK(hedging.take_due(at(100ms)) == 4);  // behind one that is open
  CHECK_FALSE(hedging.next_due());
}

TEST_CASE("Tasks that do not bear to wait are due after a millisecond") {
  Hedging hedging(.25, {0s});
  hedging.on_sent(1, 0, at(0ms));
  CHECK(hedging.next_due() == at(1ms));
}

TEST_CASE("The last tasks that went to a second node are known") {
  Hedging hedging(.25, {1s});
  CHECK(hedging.is_on());
  CHECK_FALSE(Hedging(0, {1s}).is_on());
  for (std::uint64_t id = 1; id <= 10'001; ++id) hedging.on_hedged({id, 0, at(0s)}, 1);
  CHECK(hedging.hedged() == 10'001);
  CHECK_FALSE(hedging.is_known(1));
  CHECK(hedging.is_known(2));
  CHECK(hedging.is_known(10'001));
}

}  // namespace
}  // namespace fogctl
