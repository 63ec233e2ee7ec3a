// Neighbours that serve one queue: what one hands to the other is there already, and neither waits
// for the other one.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/scheduler_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using Kind = EnqueueAnswer::Kind;

constexpr PeerId client = 1;

struct Sharing : SchedulerBench {
  explicit Sharing(bool shares_queue = true) : SchedulerBench(options(shares_queue)) {
    (void)load(1);
    (void)peer_up(101, fogctl_node("a"));
    (void)peer_up(102, original_node("10.0.0.9"));
  }
  static SchedulerOptions options(bool shares_queue) {
    SchedulerOptions options = bench_options();
    options.shares_queue = shares_queue;
    return options;
  }
};

void check_turned_away(const ReturnResult& answer) {
  CHECK(answer.origin.peer == 101);
  REQUIRE(answer.result.error);
  CHECK(answer.result.error->code == TaskErrorCode::unavailable);
}

TEST_CASE("What a neighbour hands on and the queue has already goes back to the neighbour") {
  Sharing bench;
  (void)bench.task(task_of("light", "u1"), 101, "77");
  check_turned_away(only<ReturnResult>(bench.met("u1")));
  CHECK(bench.scheduler.unanswered() == 0);
  CHECK(bench.neighbour(101).taken_now == 0);
  CHECK(bench.result(result_of("u1")).empty());
}

TEST_CASE("Whoever else waits for what a neighbour handed on goes on waiting") {
  Sharing bench;
  SUBCASE("the neighbour came first") {
    (void)bench.task(task_of("light", "u1"), 101, "77");
    (void)bench.task(task_of("light", "u1"), client, "42");
    check_turned_away(only<ReturnResult>(bench.met("u1")));
  }
  SUBCASE("second") {
    (void)bench.task(task_of("light", "u1"), client, "42");
    (void)bench.task(task_of("light", "u1"), 101, "77");
    check_turned_away(only<ReturnResult>(bench.met("u1")));
  }
  SUBCASE("when the queue had answered") {
    (void)bench.task(task_of("light", "u1"), client, "42");
    CHECK(bench.met("u1").empty());
    check_turned_away(only<ReturnResult>(bench.task(task_of("light", "u1"), 101, "77")));
  }
  CHECK(bench.neighbour(101).taken_now == 0);
  CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "42");
}

TEST_CASE("A neighbour waits for what cannot be its own there") {
  const auto waits = [](Sharing bench, PeerId link, bool was_there) {
    (void)bench.task(task_of("light", "u1"), link, "77");
    CHECK((was_there ? bench.met("u1") : bench.enqueued("u1", Kind::queued)).empty());
    CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "77");
  };
  waits(Sharing(), 101, false);
  waits(Sharing(false), 101, true);
  waits(Sharing(), 102, true);  // the original has a queue of its own
}

TEST_CASE("What another node's call put there is asked for again once the queue is back") {
  Sharing bench;
  (void)bench.task(task_of("light", "u1"), client, "42");
  CHECK(bench.met("u1").empty());
  (void)bench.task(task_of("light", "u2"), client, "43");
  CHECK(bench.enqueued("u2", Kind::queued).empty());  // of its own it hears by itself
  bench.scheduler.on_queue_down();
  CHECK(only<EnqueueTask>(bench.queue_up()).task->uid == "u1");
  SUBCASE("it waits there still") {
    CHECK(bench.met("u1").empty());
    CHECK(bench.scheduler.unanswered() == 2);
    CHECK(only<EnqueueTask>(bench.queue_up()).task->uid == "u1");
  }
  SUBCASE("it ended, and its result was lost on the way") {
    CHECK(only<ReturnResult>(bench.enqueued("u1", Kind::done)).origin.task_id == "42");
  }
  SUBCASE("it ended, and nothing was kept: it runs again, for this node") {
    CHECK(bench.enqueued("u1", Kind::queued).empty());
    CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "42");
  }
}

TEST_CASE("What was away and taken for lost is taken back where the queue has it all the same") {
  auto bench = SchedulerBench::with_workers(1);
  (void)bench.task(task_of("light", "u1"), client);
  (void)bench.enqueued("u1", Kind::queued);
  (void)bench.own_kinds({"other"});
  CHECK(bench.taken(task_of("light", "u1"), 9, "00ff").empty());  // it waits for a place
  CHECK(only<EnqueueTask>(bench.queue_lost()).away);
  CHECK(only<TakeBack>(bench.met("u1")).lease_number == 9);
}

TEST_CASE("What a node hands on for another one is not handed to that one") {
  Sharing bench;
  (void)bench.peer_state(101, Duration::zero());
  (void)bench.drain();
  CHECK(only<HandOn>(bench.taken(task_of("light", "u1"), 7, "b")).link == 101);
  CHECK(only<TakeBack>(bench.taken(task_of("light", "u2"), 8, "a")).lease_number == 8);
}

}  // namespace
}  // namespace fogctl
