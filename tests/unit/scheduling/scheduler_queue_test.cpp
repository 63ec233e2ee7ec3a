// The node's queue goes away and comes back: nothing that was accepted is lost, what is new waits
// for a bounded time, and the cloud is used meanwhile.
#include <doctest/doctest.h>

#include "scheduling/scheduler.hpp"
#include "support/scheduler_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using namespace std::chrono_literals;
using Kind = EnqueueAnswer::Kind;

/// A node with a worker whose queue holds the task `u1`.
struct Queued : SchedulerBench {
  Queued() {
    (void)load(1);
    (void)task(task_of("light", "u1"), 1, "10");
    (void)enqueued("u1", Kind::queued);
  }
};

TaskErrorCode code_of(const ReturnResult& answer) {
  REQUIRE(answer.result.error);
  return answer.result.error->code;
}

TEST_CASE("While the queue is down a new task waits, and is enqueued when it is back in time") {
  Queued bench;
  bench.scheduler.on_queue_down();
  CHECK(bench.task(task_of("light", "u2"), 1, "20").empty());
  bench.pass(1s);
  CHECK(bench.tick().empty());
  CHECK(only<EnqueueTask>(bench.queue_up()).task->uid == "u2");
}

TEST_CASE("While the queue is down a new task is refused after its patience, an accepted one not") {
  Queued bench;
  bench.scheduler.on_queue_down();
  (void)bench.task(task_of("light", "u2"), 1, "20");
  bench.pass(2s);
  const auto refusal = only<ReturnResult>(bench.tick());
  CHECK(refusal.origin.task_id == "20");
  CHECK(code_of(refusal) == TaskErrorCode::unavailable);
  CHECK(refusal.result.error->message.find("queue is away") != std::string::npos);
  bench.pass(1h);
  CHECK(bench.tick().empty());
  CHECK(bench.queue_up().empty());
  CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "10");
}

TEST_CASE("A queue that seems to be back, again and again, gives a new task no new patience") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.task(task_of("light", "u1"));
  for (int tries = 0; tries < 3; ++tries) {
    bench.scheduler.on_queue_down();
    CHECK(bench.enqueued("u1", Kind::unavailable).empty());
    bench.pass(600ms);
    CHECK(bench.tick().empty());
    CHECK(only<EnqueueTask>(bench.queue_up()).task->uid == "u1");
  }
  bench.scheduler.on_queue_down();
  CHECK(bench.enqueued("u1", Kind::unavailable).empty());
  bench.pass(200ms);
  CHECK(code_of(only<ReturnResult>(bench.tick())) == TaskErrorCode::unavailable);
}

TEST_CASE("A task whose enqueue failed waits as a new one does") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.task(task_of("light", "u1"));
  bench.scheduler.on_queue_down();
  CHECK(bench.enqueued("u1", Kind::unavailable).empty());
  CHECK(bench.scheduler.next_tick() == bench.now + 2s);
  SUBCASE("back in time") {
    CHECK(only<EnqueueTask>(bench.queue_up()).task->uid == "u1");
    (void)bench.enqueued("u1", Kind::queued);
    CHECK(all<ReturnResult>(bench.result(result_of("u1"))).size() == 1);
  }
  SUBCASE("too late") {
    bench.pass(2s);
    CHECK(code_of(only<ReturnResult>(bench.tick())) == TaskErrorCode::unavailable);
    CHECK(bench.queue_up().empty());
  }
  SUBCASE("it had taken effect, and a worker was faster than the refusal") {
    CHECK(all<ReturnResult>(bench.result(result_of("u1"))).size() == 1);
    bench.pass(2s);
    CHECK(bench.tick().empty());
  }
}

TEST_CASE("An enqueue that failed says that the queue is away, until it is said to be back") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.task(task_of("light", "u1"));
  (void)bench.task(task_of("light", "u2"));
  CHECK(bench.enqueued("u1", Kind::unavailable).empty());
  CHECK(bench.task(task_of("light", "u3")).empty());
  CHECK(bench.enqueued("u2", Kind::unavailable).empty());
  CHECK(all<EnqueueTask>(bench.queue_up()).size() == 3);
}

TEST_CASE("A task for the cloud whose enqueue failed goes up without the queue") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  bench.scheduler.on_queue_down();
  const auto sent = only<HandOn>(bench.enqueued("u1", Kind::unavailable));
  CHECK(only<EnqueueTask>(bench.queue_up()).away);
  CHECK(bench.enqueued("u1", Kind::away, 9).empty());
  CHECK(all<FinishAway>(bench.cloud_result(sent.id, result_of("u1"))).at(0).lease_number == 9);
}

TEST_CASE("While the queue is down the cloud takes tasks without it, and the queue is told later") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  bench.scheduler.on_queue_down();
  const auto sent = only<HandOn>(bench.task(task_of("light", "u1")));
  CHECK(sent.task->process_by == "cloud");
  SUBCASE("answered before the queue is back: it need not know") {
    const auto answer = only<ReturnResult>(bench.cloud_result(sent.id, result_of("u1")));
    CHECK(answer.is_forwarded);
    CHECK(bench.queue_up().empty());
  }
  SUBCASE("the queue is back first: it holds the task as away, and it is not sent again") {
    CHECK(only<EnqueueTask>(bench.queue_up()).away);
    CHECK(bench.enqueued("u1", Kind::away, 9).empty());
    const Actions actions = bench.cloud_result(sent.id, result_of("u1"));
    CHECK(all<FinishAway>(actions).at(0).lease_number == 9);
    CHECK(all<ReturnResult>(actions).size() == 1);
  }
  SUBCASE("the cloud answers before the queue does: what the queue holds is ended") {
    (void)bench.queue_up();
    (void)only<ReturnResult>(bench.cloud_result(sent.id, result_of("u1")));
    CHECK(only<FinishAway>(bench.enqueued("u1", Kind::away, 9)).lease_number == 9);
    CHECK(bench.result(result_of("u1")).empty());
  }
  SUBCASE("the queue is full: the cloud has the task all the same") {
    (void)bench.queue_up();
    CHECK(bench.enqueued("u1", Kind::overloaded).empty());
    CHECK(only<ReturnResult>(bench.cloud_result(sent.id, result_of("u1"))).is_forwarded);
  }
  SUBCASE("the cloud goes too: the task waits for either") {
    CHECK(bench.cloud_down().empty());
    CHECK(only<EnqueueTask>(bench.queue_up()).away == false);
  }
  SUBCASE("the cloud goes while the queue is asked to hold the task: it is taken back") {
    (void)bench.queue_up();
    CHECK(only<EnqueueTask>(bench.cloud_down()).task->uid == "u1");
    CHECK(only<TakeBack>(bench.enqueued("u1", Kind::away, 9)).lease_number == 9);
  }
}

TEST_CASE("An enqueue as away that may have taken effect is asked for again, and taken back") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  bench.scheduler.on_queue_down();
  (void)bench.cloud_down();
  CHECK(bench.enqueued("u1", Kind::unavailable).empty());
  // The queue may hold it as away: an enqueue to be run would find it there, and leave it so.
  CHECK(only<EnqueueTask>(bench.queue_up()).away);
  CHECK(only<TakeBack>(bench.enqueued("u1", Kind::away, 9)).lease_number == 9);
  CHECK(only<ReturnResult>(bench.result(result_of("u1"))).task->process_by == "local");
}

TEST_CASE("An accepted task is not enqueued again unless the queue came back with less") {
  Queued bench;
  bench.scheduler.on_queue_down();
  CHECK(bench.queue_up(false).empty());
  bench.scheduler.on_queue_down();
  const auto again = only<EnqueueTask>(bench.queue_up(true));
  CHECK(again.task->uid == "u1");
  CHECK_FALSE(again.away);
  CHECK(again.arrival == bench.now);
}

TEST_CASE(
    "A queue that has forgotten this node is given again what it had accepted, once it is up") {
  Queued bench;
  CHECK(only<EnqueueTask>(bench.queue_lost()).task->uid == "u1");
  CHECK(bench.enqueued("u1", Kind::queued).empty());
  bench.scheduler.on_queue_down();
  CHECK(bench.queue_lost().empty());
  CHECK(bench.task(task_of("light", "u2")).empty());  // it is still away
  CHECK(all<EnqueueTask>(bench.queue_up(false)).size() == 2);
  bench.scheduler.on_queue_down();
  (void)bench.enqueued("u1", Kind::queued);
  (void)bench.enqueued("u2", Kind::queued);
  CHECK(bench.queue_up(false).empty());
}

TEST_CASE("What a call that failed may have left as away ends once the queue is up") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  bench.scheduler.on_queue_down();
  const auto sent = only<HandOn>(bench.enqueued("u1", Kind::unavailable));
  (void)only<ReturnResult>(bench.cloud_result(sent.id, result_of("u1")));
  CHECK(bench.scheduler.unanswered() == 0);
  CHECK(only<EnqueueTask>(bench.queue_up()).away);
  const auto end = only<FinishAway>(bench.enqueued("u1", Kind::away, 9));
  CHECK(end.lease_number == 9);
  CHECK(end.result.content == "3");
  CHECK(bench.result(result_of("u1")).empty());
}

TEST_CASE("What may be left as away is asked for until the queue has answered") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  bench.scheduler.on_queue_down();
  const auto sent = only<HandOn>(bench.enqueued("u1", Kind::unavailable));
  (void)bench.cloud_result(sent.id, result_of("u1"));
  for (int failures = 0; failures < 3; ++failures) {
    CHECK(only<EnqueueTask>(bench.queue_up()).away);
    bench.scheduler.on_queue_down();
    CHECK(bench.enqueued("u1", Kind::unavailable).empty());
  }
  CHECK(only<EnqueueTask>(bench.queue_up()).away);
  CHECK(only<FinishAway>(bench.enqueued("u1", Kind::away, 9)).lease_number == 9);
  CHECK(bench.queue_up().empty());
}

TEST_CASE("A task that was answered before its enqueue as away failed is asked for again") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  const auto sent = only<HandOn>(bench.enqueued("u1", Kind::unavailable));
  (void)bench.queue_up();
  (void)bench.cloud_result(sent.id, result_of("u1"));
  CHECK(bench.enqueued("u1", Kind::unavailable).empty());
  CHECK(only<EnqueueTask>(bench.queue_up()).away);
  CHECK(only<FinishAway>(bench.enqueued("u1", Kind::away, 9)).lease_number == 9);
}

TEST_CASE("A queue that came back with less holds again as away what is with the cloud") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  const auto sent = only<HandOn>(bench.enqueued("u1", Kind::away, 5));
  bench.scheduler.on_queue_down();
  CHECK(only<EnqueueTask>(bench.queue_up(true)).away);
  CHECK(bench.enqueued("u1", Kind::away, 6).empty());
  CHECK(all<FinishAway>(bench.cloud_result(sent.id, result_of("u1"))).at(0).lease_number == 6);
}

TEST_CASE("A queue that came back with less and went again is told when it is back once more") {
  Queued bench;
  bench.scheduler.on_queue_down();
  (void)bench.queue_up(true);
  bench.scheduler.on_queue_down();
  CHECK(bench.enqueued("u1", Kind::unavailable).empty());
  bench.pass(1h);
  CHECK(bench.tick().empty());  // it was accepted: it is not refused
  CHECK(only<EnqueueTask>(bench.queue_up(false)).task->uid == "u1");
  (void)bench.enqueued("u1", Kind::queued);
  CHECK(all<ReturnResult>(bench.result(result_of("u1"))).size() == 1);
}

TEST_CASE("A task that was accepted is never refused, whatever goes away after it") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  (void)bench.enqueued("u1", Kind::away, 5);
  bench.scheduler.on_queue_down();
  (void)bench.queue_up(true);
  bench.scheduler.on_queue_down();
  CHECK(bench.cloud_down().empty());
  CHECK(bench.enqueued("u1", Kind::unavailable).empty());
  bench.pass(1h);
  CHECK(bench.tick().empty());
  CHECK(only<EnqueueTask>(bench.queue_up(false)).task->uid == "u1");
  CHECK(bench.load(0).empty());
  CHECK(bench.enqueued("u1", Kind::away, 6).empty());
  bench.pass(1h);
  CHECK(bench.tick().empty());
  CHECK(only<TakeBack>(bench.load(1)).lease_number == 6);
  CHECK(only<ReturnResult>(bench.result(result_of("u1"))).task->process_by == "local");
}

TEST_CASE("The cloud's answer ends the task also in a queue that may have lost it") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  const auto sent = only<HandOn>(bench.enqueued("u1", Kind::away, 5));
  bench.scheduler.on_queue_down();
  (void)bench.queue_up(true);
  const Actions actions = bench.cloud_result(sent.id, result_of("u1"));
  CHECK(all<FinishAway>(actions).at(0).lease_number == 5);
  CHECK(all<ReturnResult>(actions).size() == 1);
}

TEST_CASE("A task that waits for a place is in the queue also where that had lost it") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.own_kinds({"light"});
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  (void)only<HandOn>(bench.enqueued("u1", Kind::away, 5));
  CHECK(bench.cloud_down().empty());
  bench.scheduler.on_queue_down();
  CHECK(only<EnqueueTask>(bench.queue_up(true)).away);
  CHECK(bench.enqueued("u1", Kind::away, 7).empty());
  const auto sent = only<HandOn>(bench.cloud_up());
  const Actions actions = bench.cloud_result(sent.id, result_of("u1"));
  CHECK(all<FinishAway>(actions).at(0).lease_number == 7);
}

TEST_CASE("A uid that another task took while the queue had lost it is no longer waited for") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  (void)bench.enqueued("u1", Kind::away, 5);
  bench.scheduler.on_queue_down();
  (void)bench.queue_up(true);
  CHECK(code_of(only<ReturnResult>(bench.enqueued("u1", Kind::conflict))) ==
        TaskErrorCode::invalid_task);
  CHECK(bench.scheduler.away() == 0);
}

TEST_CASE("What was refused is given to its workers by a queue that may hold it as away") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  (void)bench.stop(true);
  CHECK(only<TakeBack>(bench.enqueued("u1", Kind::away, 9)).lease_number == 9);
}

TEST_CASE("A late answer to an earlier enqueue says nothing of the uid that came again since") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  bench.scheduler.on_queue_down();
  const auto sent = only<HandOn>(bench.task(cloud_task("heavy", "u1"), 1, "10"));
  (void)bench.queue_up();
  (void)bench.cloud_result(sent.id, result_of("u1"));
  CHECK(only<EnqueueTask>(bench.task(cloud_task("heavy", "u1"), 2, "20")).away);
  CHECK(only<TakeBack>(bench.enqueued("u1", Kind::away, 8)).lease_number == 8);  // the first one's
  CHECK(bench.scheduler.away() == 0);
  CHECK(bench.enqueued("u1", Kind::queued).empty());
  CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "20");
}

TEST_CASE("The cloud and the queue go, both come back: the task runs once for its client") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  const auto sent = only<HandOn>(bench.enqueued("u1", Kind::away, 5));
  bench.scheduler.on_queue_down();
  CHECK(only<TakeBack>(bench.cloud_down()).lease_number == 5);
  CHECK(bench.queue_up(false).empty());
  (void)bench.cloud_up();
  CHECK(bench.cloud_result(sent.id, result_of("u1")).empty());
  CHECK(all<ReturnResult>(bench.result(result_of("u1"))).size() == 1);
  CHECK(bench.scheduler.unanswered() == 0);
}

}  // namespace
}  // namespace fogctl
