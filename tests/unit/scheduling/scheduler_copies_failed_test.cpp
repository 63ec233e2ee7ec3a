// Tasks with copies whose runs fail and are tried again: what a worker had begun waits once more.
#include <doctest/doctest.h>

#include "support/copies_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using Withdrawn = WithdrawAnswer::Kind;

TEST_CASE("Where both have begun and failed, the copy that begins again first is the task") {
  Tied bench;
  (void)bench.copy_started(101, bench.a);
  SUBCASE("the queue had said that a worker here has it") {
    CHECK(bench.withdrawn("u1", Withdrawn::leased).empty());
    CHECK(only<Withdraw>(bench.copy_started(101, bench.a)).uid == "u1");
  }
  SUBCASE("the queue has not answered") {
    CHECK(bench.copy_started(101, bench.a).empty());
  }
  CHECK(bench.withdrawn("u1", Withdrawn::away, 5).empty());
  CHECK(bench.scheduler.away() == 1);
  SUBCASE("its result ends the task in the queue, too") {
    const Actions end = bench.link_result(101, bench.a, result_of("u1"));
    CHECK(all<FinishAway>(end).at(0).lease_number == 5);
    CHECK(all<ReturnResult>(end).size() == 1);
  }
  SUBCASE("where its link breaks, the queue has the task back") {
    CHECK(only<TakeBack>(bench.peer_lost(101)).lease_number == 5);
    CHECK(bench.placed_again == 1);
  }
}

TEST_CASE("A run here that fails while the queue is asked for the task leaves it to be run") {
  Tied bench;
  (void)bench.copy_started(101, bench.a);
  CHECK(only<CancelCopy>(bench.started("u1")).link == 101);
  CHECK(only<TakeBack>(bench.withdrawn("u1", Withdrawn::away, 5)).lease_number == 5);
  CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "42");
}

}  // namespace
}  // namespace fogctl
