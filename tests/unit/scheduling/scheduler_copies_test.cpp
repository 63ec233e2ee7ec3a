// Tasks that wait here and, as copies, at neighbours: who runs them, and that each is answered once
// whatever becomes of links, queues and copies.
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

/// Home and the task `u1`, here alone; 998 ms are left until it goes to the cloud.
struct Escaping : Home {
  Escaping() {
    (void)cloud_up();
    scheduler.on_cloud_delay(2ms);
    (void)task(hurried("u1", 1s));
    (void)enqueued("u1", Kind::queued);
  }
};

TEST_CASE("What may be late here waits here and, once the queue has it, at neighbours as well") {
  Home bench;
  const auto enqueue = only<EnqueueTask>(bench.task(hurried()));
  CHECK_FALSE(enqueue.away);
  CHECK(enqueue.task->process_by == "local");
  const auto copies = bench.copies();
  REQUIRE(copies.size() == 2);
  CHECK(copies[0].link != copies[1].link);
  CHECK(copies[0].id != copies[1].id);
  for (const HandOn& copy : copies) {
    CHECK(copy.task->is_copy);
    CHECK(copy.task->uid == "u1");
    CHECK(copy.task->offload_times == 1);
    CHECK(copy.task->offloading_nodes == std::vector<std::string>{"00ff"});
    CHECK(copy.task->process_by == "fog");
  }
  CHECK_FALSE(enqueue.task->is_copy);
  CHECK(bench.scheduler.copies() == 2);
  CHECK(bench.scheduler.away() == 0);
  CHECK(bench.neighbour(101).handed_now == 1);
}

TEST_CASE("A task is not copied where that could do harm, or no good") {
  SUBCASE("it must not run twice") {
    Home bench;
    Task task = hurried();
    task.exclusive = true;
    CHECK(only<EnqueueTask>(bench.task(task)).away);
    CHECK(all<HandOn>(bench.enqueued("u1", Kind::away, 5)).size() == 1);
    CHECK(bench.scheduler.copies() == 0);
  }
  SUBCASE("it starts in time here") {
    Home bench;
    (void)bench.task(hurried("u1", 1s));
    CHECK(bench.enqueued("u1", Kind::queued).empty());
  }
  SUBCASE("it is out of hand-overs") {
    Home bench;
    Task task = hurried();
    task.offload_times = task.max_offload;
    (void)bench.task(task);
    CHECK(all<HandOn>(bench.enqueued("u1", Kind::queued)).empty());
  }
  SUBCASE("the neighbour is of the original system") {
    Home bench;
    (void)bench.peer_lost(101);
    (void)bench.peer_lost(102);
    (void)bench.peer_up(103, original_node("10.0.0.3"));
    (void)bench.peer_state(103, 0ms);
    (void)bench.task(hurried());
    CHECK(all<HandOn>(bench.enqueued("u1", Kind::queued)).empty());
  }
  SUBCASE("the neighbour went before the queue had it") {
    Home bench;
    (void)bench.task(hurried());
    (void)bench.peer_lost(101);
    (void)bench.peer_lost(102);
    CHECK(all<HandOn>(bench.enqueued("u1", Kind::queued)).empty());
  }
}

TEST_CASE("A worker here that begins it cancels the copies") {
  Tied bench;
  const auto cancels = all<CancelCopy>(bench.started("u1"));
  REQUIRE(cancels.size() == 2);
  CHECK(cancels[0].uid == "u1");
  CHECK(bench.scheduler.copies() == 0);
  CHECK(bench.neighbour(101).handed_now == 0);
  CHECK(bench.copy_started(101, bench.a).empty());  // it was on its way
  (void)bench.link_result(101, bench.a, result_of("u1"));
  CHECK_FALSE(bench.was_expected);
  CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "42");
}

TEST_CASE("The copy that begins first is the task, once the queue holds it as away") {
  Tied bench;
  const Actions actions = bench.copy_started(101, bench.a);
  REQUIRE(actions.size() == 2);
  CHECK(all<CancelCopy>(actions).at(0).link == 102);
  CHECK(all<Withdraw>(actions).at(0).uid == "u1");
  CHECK(bench.copy_started(101, bench.a).empty());  // it says so twice
  CHECK(bench.copy_started(102, bench.b).empty());  // the other one says so too late
  CHECK(bench.withdrawn("u1", Withdrawn::away, 5).empty());
  CHECK(bench.scheduler.away() == 1);
  CHECK(bench.scheduler.copies() == 0);
  const Actions end = bench.link_result(101, bench.a, result_of("u1"));
  REQUIRE(end.size() == 2);
  CHECK(all<FinishAway>(end).at(0).lease_number == 5);
  CHECK(all<ReturnResult>(end).at(0).origin.task_id == "42");
  CHECK(bench.scheduler.unanswered() == 1);  // u0
}

TEST_CASE("A copy that begins tells how well the wait there was predicted") {
  Home bench;
  (void)bench.task(hurried());
  const auto sent = bench.copies();  // the second one 2 ms after the first
  REQUIRE(sent.size() == 2);
  bench.pass(4ms);
  (void)bench.copy_started(sent[0].link, sent[0].id);
  const PredictionError there = bench.scheduler.predictions().of_link(sent[0].link);
  CHECK(there.tasks() == 1);
  CHECK(there.bias() == 5ms);  // over a way of 1 ms to an idle node
  (void)bench.copy_started(sent[1].link, sent[1].id);
  CHECK(bench.scheduler.predictions().of_link(sent[1].link).tasks() == 0);
}

TEST_CASE("Where both have begun the first result counts") {
  Tied bench;
  (void)bench.copy_started(101, bench.a);
  CHECK(bench.withdrawn("u1", Withdrawn::leased).empty());
  SUBCASE("that of here") {
    const Actions end = bench.result(result_of("u1"));
    REQUIRE(end.size() == 2);
    CHECK(all<ReturnResult>(end).size() == 1);
    CHECK(all<CancelCopy>(end).at(0).link == 101);
    (void)bench.link_result(101, bench.a, result_of("u1"));
    CHECK_FALSE(bench.was_expected);
  }
  SUBCASE("that of the copy") {
    CHECK(only<ReturnResult>(bench.link_result(101, bench.a, result_of("u1"))).is_forwarded);
    CHECK(bench.result(result_of("u1")).empty());
    CHECK(bench.scheduler.repeated_results() == 1);
  }
  SUBCASE("that of here, as the link broke") {
    CHECK(bench.peer_lost(101).empty());
    CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "42");
  }
  CHECK(bench.scheduler.copies() == 0);
  CHECK(bench.scheduler.away() == 0);
}

TEST_CASE("A result that is faster than the queue is given once the queue has let go of the task") {
  Tied bench;
  const Actions actions = bench.link_result(101, bench.a, result_of("u1"));
  CHECK(all<Withdraw>(actions).size() == 1);
  CHECK(all<CancelCopy>(actions).size() == 1);
  CHECK(all<ReturnResult>(actions).empty());
  SUBCASE("it holds it") {
    const Actions end = bench.withdrawn("u1", Withdrawn::away, 5);
    CHECK(all<FinishAway>(end).at(0).lease_number == 5);
    CHECK(all<ReturnResult>(end).size() == 1);
  }
  SUBCASE("a worker has it") {
    CHECK(only<ReturnResult>(bench.withdrawn("u1", Withdrawn::leased)).origin.task_id == "42");
    CHECK(bench.result(result_of("u1")).empty());
  }
  SUBCASE("a worker's result is faster") {
    CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "42");
    CHECK(bench.withdrawn("u1", Withdrawn::leased).empty());
  }
  SUBCASE("it cannot be asked, and ends what it may hold when it is back") {
    CHECK(all<ReturnResult>(bench.withdrawn("u1", Withdrawn::unavailable)).size() == 1);
    const auto stray = only<EnqueueTask>(bench.queue_up());
    CHECK(stray.away);
    CHECK(only<FinishAway>(bench.enqueued("u1", Kind::away, 7)).lease_number == 7);
  }
  CHECK(bench.scheduler.unanswered() == 1);  // u0
}

TEST_CASE("A link that breaks takes its copies with it, and nothing else") {
  Tied bench;
  SUBCASE("none has begun") {
    CHECK(bench.peer_lost(101).empty());
    CHECK(bench.placed_again == 0);
    CHECK(bench.scheduler.copies() == 1);
    CHECK(only<CancelCopy>(bench.started("u1")).link == 102);
  }
  SUBCASE("it has begun, and the queue has not answered") {
    (void)bench.copy_started(101, bench.a);
    CHECK(bench.peer_lost(101).empty());
    CHECK(only<TakeBack>(bench.withdrawn("u1", Withdrawn::away, 5)).lease_number == 5);
  }
  SUBCASE("it has the task") {
    (void)bench.copy_started(101, bench.a);
    (void)bench.withdrawn("u1", Withdrawn::away, 5);
    CHECK(all<TakeBack>(bench.peer_lost(101)).at(0).lease_number == 5);
    CHECK(bench.placed_again == 1);
  }
}

TEST_CASE("A copy that is turned away is no loss; any other error is the task's result") {
  Tied bench;
  SUBCASE("turned away") {
    const auto error = error_of("u1", TaskErrorCode::unavailable);
    CHECK(bench.link_result(101, bench.a, error).empty());
    CHECK(bench.was_expected);
    CHECK(bench.scheduler.copies() == 1);
  }
  SUBCASE("failed") {
    (void)bench.copy_started(101, bench.a);
    (void)bench.withdrawn("u1", Withdrawn::away, 5);
    const auto error = error_of("u1", TaskErrorCode::task_failed);
    CHECK(all<ReturnResult>(bench.link_result(101, bench.a, error)).at(0).result.error);
  }
}

TEST_CASE("A copy whose answer is overdue is given up") {
  Tied bench;
  bench.pass(24h);
  (void)bench.tick();
  CHECK(bench.scheduler.copies() == 0);
  CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "42");
}

TEST_CASE("A queue that is away while it is asked for the task is told of it again") {
  Tied bench;
  (void)bench.copy_started(101, bench.a);
  CHECK(bench.withdrawn("u1", Withdrawn::unavailable).empty());
  CHECK(bench.scheduler.away() == 1);  // the copy runs
  const auto enqueue = only<EnqueueTask>(bench.queue_up());
  CHECK(enqueue.away);
  SUBCASE("it held the task") {
    CHECK(bench.enqueued("u1", Kind::away, 7).empty());
    const Actions end = bench.link_result(101, bench.a, result_of("u1"));
    CHECK(all<FinishAway>(end).at(0).lease_number == 7);
  }
  SUBCASE("it did not") {
    CHECK(bench.enqueued("u1", Kind::queued).empty());
    CHECK(all<ReturnResult>(bench.link_result(101, bench.a, result_of("u1"))).size() == 1);
    CHECK(bench.result(result_of("u1")).empty());
  }
}

TEST_CASE("A queue that comes back with less while it is asked for a task says if it holds it") {
  Escaping bench;
  bench.pass(998ms);
  REQUIRE(all<Withdraw>(bench.tick()).size() == 1);
  const auto again = all<EnqueueTask>(bench.queue_up(true));
  REQUIRE(again.size() == 2);  // u0 has begun
  CHECK(again[1].task->uid == "u1");
  CHECK(again[1].away);
  SUBCASE("it holds it: what was handed on is taken back when the cloud goes") {
    CHECK(only<HandOn>(bench.withdrawn("u1", Withdrawn::away, 5)).link == cloud_link);
    CHECK(bench.enqueued("u1", Kind::away, 5).empty());
    CHECK(only<TakeBack>(bench.cloud_down()).lease_number == 5);
  }
  SUBCASE("it had lost it") {
    CHECK(bench.withdrawn("u1", Withdrawn::leased).empty());
    (void)bench.cloud_down();
    CHECK(only<TakeBack>(bench.enqueued("u1", Kind::away, 6)).lease_number == 6);
  }
}

TEST_CASE(
    "A task that the queue let go of for nothing is taken back, whoever works on it by then") {
  Home bench;
  (void)bench.task(hurried());
  const auto copy = bench.copies().front();
  (void)bench.copy_started(copy.link, copy.id);
  (void)bench.peer_lost(copy.link);
  (void)bench.load(0);
  CHECK(all<TakeBack>(bench.withdrawn("u1", Withdrawn::away, 5)).size() == 1);
}

TEST_CASE("What the queue ends ends its copies as well") {
  Tied bench;
  CHECK(all<CancelCopy>(bench.result(error_of("u1", TaskErrorCode::timed_out))).size() == 2);
  CHECK(bench.scheduler.copies() == 0);
}

TEST_CASE("A task is looked at again only while it waits, and may have room here by then") {
  Home bench;
  (void)bench.task(hurried());
  REQUIRE(all<HandOn>(bench.enqueued("u1", Kind::queued)).size() == 1);
  SUBCASE("it has begun") {
    (void)bench.started("u1");
    bench.pass(2ms);
    CHECK(all<HandOn>(bench.tick()).empty());
  }
  SUBCASE("its copy is lost with the link") {
    const PeerId link = bench.neighbour(101).handed_now > 0 ? 101 : 102;
    (void)bench.peer_lost(link);
    bench.pass(2ms);
    CHECK(only<HandOn>(bench.tick()).link == (link == 101 ? 102 : 101));
  }
  SUBCASE("a worker is free") {
    (void)bench.load(3);
    bench.pass(2ms);
    CHECK(all<HandOn>(bench.tick()).empty());
  }
}

TEST_CASE("A task that is not begun goes to the cloud at the last moment") {
  Escaping bench;
  bench.pass(998ms - 1ns);
  CHECK(all<Withdraw>(bench.tick()).empty());
  bench.pass(1ns);
  SUBCASE("it waits") {
    CHECK(bench.scheduler.next_tick() <= bench.now);
    CHECK(all<Withdraw>(bench.tick()).at(0).uid == "u1");
    CHECK(only<HandOn>(bench.withdrawn("u1", Withdrawn::away, 5)).link == cloud_link);
  }
  SUBCASE("it is likely to begin here in time") {
    (void)bench.load(3);
    CHECK(all<Withdraw>(bench.tick()).empty());
  }
  SUBCASE("a worker takes it meanwhile") {
    (void)bench.tick();
    CHECK(bench.withdrawn("u1", Withdrawn::leased).empty());
    CHECK(bench.scheduler.away() == 0);
  }
  SUBCASE("a worker has it") {
    (void)bench.started("u1");
    CHECK(all<Withdraw>(bench.tick()).empty());
  }
  SUBCASE("the cloud is not there") {
    (void)bench.cloud_down();
    CHECK(all<Withdraw>(bench.tick()).empty());
  }
  SUBCASE("the cloud goes meanwhile") {
    (void)bench.tick();
    (void)bench.cloud_down();
    CHECK(only<TakeBack>(bench.withdrawn("u1", Withdrawn::away, 5)).lease_number == 5);
  }
}

TEST_CASE("The last moment is there, too, when the way to the cloud changes meanwhile") {
  Escaping bench;
  SUBCASE("longer: at the moment that was set") {
    bench.scheduler.on_cloud_delay(3ms);
    bench.pass(998ms);
    CHECK(all<Withdraw>(bench.tick()).at(0).uid == "u1");
  }
  SUBCASE("shorter: later") {
    bench.scheduler.on_cloud_delay(1ms);
    bench.pass(998ms);
    CHECK(all<Withdraw>(bench.tick()).empty());
    bench.pass(1ms);
    CHECK(bench.scheduler.next_tick() <= bench.now);
    CHECK(all<Withdraw>(bench.tick()).at(0).uid == "u1");
  }
}

TEST_CASE("Its copies are cancelled when it goes to the cloud") {
  Home bench;
  (void)bench.cloud_up();
  bench.scheduler.on_cloud_delay(2ms);
  (void)bench.task(hurried());
  CHECK(bench.copies().size() == 2);
  bench.pass(1ms);
  CHECK(all<Withdraw>(bench.tick()).size() == 1);
  const Actions actions = bench.withdrawn("u1", Withdrawn::away, 5);
  CHECK(all<CancelCopy>(actions).size() == 2);
  CHECK(all<HandOn>(actions).at(0).link == cloud_link);
  CHECK(bench.scheduler.copies() == 0);
}

}  // namespace
}  // namespace fogctl
