// Copies that neighbours hand to a node: they run here or nowhere, and end with whoever waits for
// them.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/copies_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using namespace std::chrono_literals;
using Kind = EnqueueAnswer::Kind;
using Withdrawn = WithdrawAnswer::Kind;

TEST_CASE("A copy waits here, and who handed it on hears when it begins and how it ends") {
  Home bench;
  const auto enqueue = only<EnqueueTask>(bench.task(copied(), 101, "77"));
  CHECK_FALSE(enqueue.away);
  CHECK(enqueue.start_by == bench.now + 5ms - 500us);  // the way back takes half a round trip
  CHECK_FALSE(enqueue.task->uid_chosen);               // no result of a copy is kept
  CHECK(all<HandOn>(bench.enqueued("u1", Kind::queued)).empty());
  CHECK(only<TellStarted>(bench.started("u1")).origin.task_id == "77");
  CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.peer == 101);
  CHECK(bench.neighbour(101).taken_now == 0);
}

TEST_CASE("A longer copy is served sooner than the task itself, so that not both begin at once") {
  Home bench;
  Task task = task_of("medium", "u1");
  task.time_requirement = 300500us;
  task.is_copy = true;
  CHECK(only<EnqueueTask>(bench.task(task, 101, "77")).start_by == bench.now + 200ms);
}

TEST_CASE("A copy that is cancelled is not begun any more, and nothing is answered") {
  Home bench;
  (void)bench.task(copied(), 101, "77");
  SUBCASE("it waits") {
    (void)bench.enqueued("u1", Kind::queued);
    CHECK(only<Withdraw>(bench.copy_cancelled(101, "u1")).uid == "u1");
    CHECK(only<FinishAway>(bench.withdrawn("u1", Withdrawn::away, 5)).lease_number == 5);
  }
  SUBCASE("the queue has not answered yet") {
    CHECK(bench.copy_cancelled(101, "u1").empty());
    CHECK(only<Withdraw>(bench.enqueued("u1", Kind::queued)).uid == "u1");
    CHECK(only<FinishAway>(bench.withdrawn("u1", Withdrawn::away, 5)).lease_number == 5);
  }
  SUBCASE("it runs") {
    (void)bench.enqueued("u1", Kind::queued);
    (void)bench.started("u1");
    CHECK(bench.copy_cancelled(101, "u1").empty());
    CHECK(bench.scheduler.unanswered() == 1);
    CHECK(bench.result(result_of("u1")).empty());
  }
  SUBCASE("it begins meanwhile") {
    (void)bench.enqueued("u1", Kind::queued);
    (void)bench.copy_cancelled(101, "u1");
    CHECK(bench.started("u1").empty());
    CHECK(bench.withdrawn("u1", Withdrawn::leased).empty());
    CHECK(bench.result(result_of("u1")).empty());
  }
  SUBCASE("the queue comes back without it meanwhile, and is given it again") {
    (void)bench.enqueued("u1", Kind::queued);
    (void)bench.copy_cancelled(101, "u1");
    CHECK(all<EnqueueTask>(bench.queue_up(true)).at(1).away);
    CHECK(bench.withdrawn("u1", Withdrawn::leased).empty());
    CHECK(only<FinishAway>(bench.enqueued("u1", Kind::away, 6)).lease_number == 6);
  }
  SUBCASE("its link breaks") {
    (void)bench.enqueued("u1", Kind::queued);
    CHECK(only<Withdraw>(bench.peer_lost(101)).uid == "u1");
    (void)bench.withdrawn("u1", Withdrawn::away, 5);
  }
  CHECK(bench.copy_cancelled(101, "u1").empty());  // it comes twice
  CHECK(bench.scheduler.unanswered() == 1);        // u0
}

TEST_CASE("What another call put into the queue is not taken out of it: others may wait for it") {
  Home bench;
  (void)bench.cloud_up();
  bench.scheduler.on_cloud_delay(2ms);
  (void)bench.task(hurried());
  SUBCASE("at its last moment") {
    CHECK(bench.met("u1").empty());  // no copy is sent
    bench.pass(5ms);
    const Actions actions = bench.tick();
    CHECK(all<Withdraw>(actions).empty());
    CHECK(all<HandOn>(actions).empty());
    CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.peer == 1);
  }
  SUBCASE("when its client gives it up") {
    CHECK(bench.met("u1").empty());
    CHECK(bench.copy_cancelled(1, "u1").empty());
    CHECK(bench.result(result_of("u1")).empty());
  }
  SUBCASE("when its client has given it up") {
    CHECK(bench.copy_cancelled(1, "u1").empty());
    CHECK(bench.met("u1").empty());
    CHECK(bench.result(result_of("u1")).empty());
  }
  CHECK(bench.scheduler.unanswered() == 1);  // u0
}

TEST_CASE("Only who handed it on cancels a copy") {
  Home bench;
  (void)bench.task(copied(), 101, "77");
  (void)bench.enqueued("u1", Kind::queued);
  CHECK(bench.copy_cancelled(102, "u1").empty());
  CHECK(bench.copy_cancelled(101, "u0").empty());  // it is no copy
  CHECK(bench.copy_cancelled(101, "u9").empty());  // it is not here
}

TEST_CASE("A copy that somebody else sent as a task is one, once it is cancelled") {
  Home bench;
  (void)bench.task(copied(), 101, "77");
  (void)bench.enqueued("u1", Kind::queued);
  SUBCASE("before") {
    (void)bench.task(hurried(), 1, "42");
    CHECK(bench.copy_cancelled(101, "u1").empty());
  }
  SUBCASE("after") {
    (void)bench.copy_cancelled(101, "u1");
    (void)bench.task(hurried(), 1, "42");
    CHECK(only<TakeBack>(bench.withdrawn("u1", Withdrawn::away, 5)).lease_number == 5);
  }
  CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "42");
}

TEST_CASE("A copy that cannot wait here is refused at once, so that others run it") {
  Home bench;
  const auto is_refused = [](const Actions& actions) {
    const auto answer = only<ReturnResult>(actions);
    return answer.origin.task_id == "77" && answer.result.error &&
           answer.result.error->code == TaskErrorCode::unavailable;
  };
  SUBCASE("this node has the task") {
    CHECK(is_refused(bench.task(copied("u0"), 101, "77")));
    CHECK(bench.neighbour(101).taken_now == 0);
  }
  SUBCASE("there is no worker") {
    (void)bench.load(0);
    CHECK(is_refused(bench.task(copied(), 101, "77")));
  }
  SUBCASE("this node stops") {
    (void)bench.drain();
    CHECK(is_refused(bench.task(copied(), 101, "77")));
  }
  SUBCASE("the queue is full") {
    (void)bench.task(copied(), 101, "77");
    CHECK(is_refused(bench.enqueued("u1", Kind::overloaded)));
  }
  SUBCASE("the queue goes") {
    (void)bench.task(copied(), 101, "77");
    CHECK(is_refused(bench.enqueued("u1", Kind::unavailable)));
  }
}

TEST_CASE("A node whose policy knows no copies takes none") {
  SchedulerBench bench = SchedulerBench::with_workers();
  (void)bench.peer_up(101, fogctl_node("a"));
  CHECK(only<ReturnResult>(bench.task(copied(), 101, "77")).result.error);
}

TEST_CASE("A client cannot make a copy") {
  Home bench;
  (void)bench.task(copied(), 1, "42");
  CHECK(all<TellStarted>(bench.started("u1")).empty());
  CHECK(bench.copy_cancelled(1, "u1").empty());
}

TEST_CASE("A neighbour gives up what came from it, and no other task of that uid") {
  Home bench;
  (void)bench.task(copied(), 101, "77");
  (void)bench.enqueued("u1", Kind::queued);
  SUBCASE("it waits") {}
  SUBCASE("it runs, and is not needed any more") {
    (void)bench.started("u1");
    (void)bench.copy_cancelled(101, "u1");
  }
  CHECK(bench.scheduler.may_cancel(101, "u1"));
  CHECK_FALSE(bench.scheduler.may_cancel(102, "u1"));
  CHECK(bench.scheduler.may_cancel(1, "u1"));    // a person, by a connection of no node
  CHECK(bench.scheduler.may_cancel(102, "u9"));  // the queue may know it
}

}  // namespace
}  // namespace fogctl
