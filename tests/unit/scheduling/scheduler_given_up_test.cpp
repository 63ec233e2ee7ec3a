// A task that its client gave to another node too, and needs here no more: it does not begin,
// unless somebody else waits for it, and may come again. And one that a person gave up: it ends,
// wherever it is.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "support/copies_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using namespace std::chrono_literals;
using Kind = EnqueueAnswer::Kind;
using Withdrawn = WithdrawAnswer::Kind;

constexpr PeerId client = 1;

/// As Home; `cancelled` puts what is to be done behind what was to be done before.
struct Thawed : Home {
  void cancelled(Actions& out, const std::string& uid = "u1") {
    scheduler.on_copy_cancelled(client, uid, now, out);
  }
};

TEST_CASE("A task that was not begun does not begin") {
  Home bench;
  (void)bench.task(hurried(), client);
  SUBCASE("it waits, and so do its copies") {
    CHECK(bench.copies().size() == 2);
    const Actions actions = bench.copy_cancelled(client, "u1");
    CHECK(all<CancelCopy>(actions).size() == 2);
    CHECK(all<Withdraw>(actions).size() == 1);
  }
  SUBCASE("the queue has not answered yet") {
    CHECK(bench.copy_cancelled(client, "u1").empty());
    CHECK(only<Withdraw>(bench.enqueued("u1", Kind::queued)).uid == "u1");
  }
  CHECK(bench.scheduler.unanswered() == 1);  // u0
  const auto end = only<FinishAway>(bench.withdrawn("u1", Withdrawn::away, 5));
  CHECK(end.lease_number == 5);
  CHECK_FALSE(end.task->uid_chosen);  // nothing is kept: it may come again
  CHECK(end.unless_asked);
  CHECK(bench.tick().empty());
}

TEST_CASE("What comes together with the word that it is not needed never reaches the queue") {
  Thawed bench;
  Actions actions = bench.task(hurried("u1"), client);
  for (const Action& action : bench.task(hurried("u2"), client)) actions.push_back(action);
  bench.cancelled(actions, "u1");
  CHECK(only<EnqueueTask>(actions).task->uid == "u2");
  CHECK(bench.scheduler.unanswered() == 2);  // u0, u2
  CHECK(only<EnqueueTask>(bench.task(hurried("u1"), client)).task->uid_chosen);
}

TEST_CASE("A task that runs goes on to its end, and nobody is told") {
  Home bench;
  (void)bench.task(hurried(), client);
  (void)bench.enqueued("u1", Kind::queued);
  (void)bench.started("u1");
  CHECK(bench.copy_cancelled(client, "u1").empty());
  SUBCASE("") {
    CHECK(bench.result(result_of("u1")).empty());
  }
  SUBCASE("unless it comes again") {
    (void)bench.task(hurried(), client, "42");
    CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "42");
  }
}

TEST_CASE("A task that somebody else waits for stays") {
  Home bench;
  (void)bench.task(hurried(), client, "1");
  (void)bench.task(hurried(), 2, "42");
  (void)bench.enqueued("u1", Kind::queued);
  const auto left = [&] {
    const auto answers = all<ReturnResult>(bench.result(result_of("u1")));
    REQUIRE(answers.size() == 1);
    return answers[0].origin;
  };
  SUBCASE("the first one needs it no more") {
    CHECK(bench.copy_cancelled(client, "u1").empty());
    CHECK(left().task_id == "42");
  }
  SUBCASE("the second one") {
    CHECK(bench.copy_cancelled(2, "u1").empty());
    CHECK(left().task_id == "1");
  }
  SUBCASE("a stranger") {
    CHECK(bench.copy_cancelled(3, "u1").empty());
    CHECK(all<ReturnResult>(bench.result(result_of("u1"))).size() == 2);
  }
}

TEST_CASE("A copy of a neighbour's stays its copy when a client needs it no more") {
  Home bench;
  (void)bench.task(copied(), 101, "77");
  (void)bench.task(hurried(), client);
  (void)bench.enqueued("u1", Kind::queued);
  CHECK(bench.copy_cancelled(client, "u1").empty());
  CHECK(only<TellStarted>(bench.started("u1")).origin.task_id == "77");
}

TEST_CASE("A task that is away is given up there, for this node alone") {
  SchedulerBench bench = SchedulerBench::with_workers(0);
  (void)bench.peer_up(101, fogctl_node("a"));
  (void)bench.peer_state(101, Duration::zero());
  (void)bench.task(task_of("light", "u1"), client);
  SUBCASE("it went") {
    (void)bench.enqueued("u1", Kind::away, 7);
    Actions out;
    bench.scheduler.on_copy_cancelled(client, "u1", bench.now, out);
    REQUIRE(all<CancelCopy>(out).size() == 1);
    CHECK(all<CancelCopy>(out)[0].link == 101);
    REQUIRE(all<FinishAway>(out).size() == 1);
    CHECK(all<FinishAway>(out)[0].lease_number == 7);
    CHECK(all<GiveUp>(out).empty());  // others may wait for it there
  }
  SUBCASE("it is about to go") {
    Actions out;
    bench.scheduler.on_copy_cancelled(client, "u1", bench.now, out);
    CHECK(out.empty());
    CHECK(only<FinishAway>(bench.enqueued("u1", Kind::away, 7)).unless_asked);
  }
  SUBCASE("the queue is away too") {
    (void)bench.enqueued("u1", Kind::unavailable);
    Actions out;
    bench.scheduler.on_copy_cancelled(client, "u1", bench.now, out);
    CHECK(all<CancelCopy>(out).size() == 1);
  }
  CHECK(bench.scheduler.unanswered() == 0);
  CHECK(bench.neighbour(101).handed_now == 0);
}

TEST_CASE("What is away goes on where other nodes serve the queue: they may wait for it") {
  SchedulerOptions options = bench_options();
  options.shares_queue = true;
  SchedulerBench bench(options);
  (void)bench.load(0);
  (void)bench.peer_up(101, fogctl_node("a"));
  (void)bench.peer_state(101, Duration::zero());
  (void)bench.task(task_of("light", "u1"), client);
  const auto sent = only<HandOn>(bench.enqueued("u1", Kind::away, 7));
  Actions out;
  bench.scheduler.on_copy_cancelled(client, "u1", bench.now, out);
  CHECK(out.empty());
  CHECK(bench.scheduler.unanswered() == 0);
  const auto end = only<FinishAway>(bench.link_result(101, sent.id, result_of("u1")));
  CHECK(end.lease_number == 7);
  CHECK(end.result.content == "3");
  CHECK_FALSE(end.unless_asked);
}

TEST_CASE("A task that must not run twice is no second one of another node's") {
  Home bench;
  Task task = hurried();
  task.is_copy = task.exclusive = true;
  const auto answer = only<ReturnResult>(bench.task(task, client, "42"));
  REQUIRE(answer.result.error);
  CHECK(answer.result.error->code == TaskErrorCode::unavailable);
  CHECK(bench.scheduler.unanswered() == 1);  // u0
}

TEST_CASE("A copy that is turned away at once does not hide what its neighbour waits for") {
  Home bench;
  (void)bench.task(copied("u1"), 101, "1");
  Task task = copied("u2");
  task.exclusive = true;
  CHECK(only<ReturnResult>(bench.task(task, 101, "2")).result.error);
  CHECK(bench.neighbour(101).taken_now == 1);
}

std::set<PeerId> given_up_at(const Actions& actions) {
  std::set<PeerId> links;
  for (const GiveUp& action : all<GiveUp>(actions)) links.insert(action.link);
  return links;
}

TEST_CASE("A task that is given up is given up wherever a copy of it may have begun") {
  Tied bench;
  SUBCASE("it waits here") {}
  SUBCASE("a worker here has begun it, and perhaps one there") {
    (void)bench.started("u1");
  }
  SUBCASE("one copy has begun, and perhaps the other") {
    (void)bench.copy_started(101, bench.a);
    (void)bench.withdrawn("u1", Withdrawn::leased);
  }
  const Actions end = bench.result(error_of("u1", TaskErrorCode::cancelled));
  CHECK(given_up_at(end) == std::set<PeerId>{101, 102});
  CHECK(all<CancelCopy>(end).empty());
  CHECK(bench.scheduler.copies() == 0);
  CHECK(bench.neighbour(101).handed_now == 0);
}

TEST_CASE("What the queue may hold of it is asked for once who took its uid since was answered") {
  auto bench = SchedulerBench::with_workers(1);
  (void)bench.cloud_up();
  CHECK(only<EnqueueTask>(bench.task(cloud_task("heavy", "u1"))).away);
  Actions out;
  CHECK(bench.scheduler.on_cancel("u1", out));
  CHECK_FALSE(only<EnqueueTask>(bench.task(task_of("light", "u1"))).away);
  CHECK(bench.enqueued("u1", Kind::unavailable).empty());
  CHECK_FALSE(only<EnqueueTask>(bench.queue_up()).away);
  CHECK(only<ReturnResult>(bench.enqueued("u1", Kind::conflict)).result.error);
  CHECK(bench.enqueued("u1", Kind::conflict).empty());
  CHECK(only<EnqueueTask>(bench.load(1)).away);
  CHECK(only<TakeBack>(bench.enqueued("u1", Kind::away, 4)).lease_number == 4);
  CHECK(bench.load(1).empty());
}

TEST_CASE("A task that is given up while the queue is asked for it ends as cancelled") {
  Tied bench;
  (void)bench.copy_started(101, bench.a);
  Actions out;
  CHECK_FALSE(bench.scheduler.on_cancel("u1", out));  // the queue says what comes of it
  const Actions end = bench.withdrawn("u1", Withdrawn::away, 5);
  CHECK(all<FinishAway>(end).at(0).lease_number == 5);
  CHECK(all<ReturnResult>(end).at(0).result.error->code == TaskErrorCode::cancelled);
  CHECK(given_up_at(end) == std::set<PeerId>{101, 102});
}

}  // namespace
}  // namespace fogctl
