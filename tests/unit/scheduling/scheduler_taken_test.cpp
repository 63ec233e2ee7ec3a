// A node that stops is given queued tasks to hand on: its own, and those of other nodes that share
// its queue.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/scheduler_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using namespace std::chrono_literals;
using Kind = EnqueueAnswer::Kind;
using Withdrawn = WithdrawAnswer::Kind;

constexpr PeerId client = 1;

/// A node that stops, and knows one neighbour.
struct Leaving : SchedulerBench {
  Leaving() : SchedulerBench(options()) {
    (void)load(1);
    (void)peer_up(101, fogctl_node("a"));
    (void)peer_state(101, Duration::zero());
    (void)drain();
  }
  static SchedulerOptions options() {
    SchedulerOptions options = bench_options();
    options.shares_queue = true;
    return options;
  }
  std::vector<ReturnResult> returned(const Actions& actions) {
    std::vector<ReturnResult> found = all<ReturnResult>(actions);
    std::erase_if(found, [](const ReturnResult& one) { return one.origin.peer == nobody; });
    return found;
  }
};

TEST_CASE("What comes of a task that another node queued goes back to that node") {
  Leaving bench;
  const auto sent = only<HandOn>(bench.taken(task_of("light", "u1"), 7, "other"));
  CHECK(sent.link == 101);
  Actions out;
  SUBCASE("its result") {
    out = bench.link_result(101, sent.id, result_of("u1"));
  }
  SUBCASE("that it failed") {
    out = bench.link_result(101, sent.id, error_of("u1", TaskErrorCode::task_failed));
  }
  SUBCASE("that it was given up") {
    CHECK(bench.scheduler.on_cancel("u1", out));
  }
  const auto ends = all<FinishAway>(out);
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].lease_number == 7);
  CHECK(ends[0].reply_to == "other");
  CHECK_FALSE(ends[0].unless_asked);
  CHECK(bench.returned(out).empty());
  CHECK(bench.scheduler.unanswered() == 0);
}

TEST_CASE("A task that is to be handed on and that nobody takes goes back into the queue") {
  Leaving bench;
  Task task = task_of("light", "u1");
  SUBCASE("no neighbour is left") {
    (void)bench.peer_lost(101);
  }
  SUBCASE("none can run it, this node neither") {
    task.name = "other";
  }
  CHECK(only<TakeBack>(bench.taken(task, 7, "other")).lease_number == 7);
}

TEST_CASE("A neighbour's task that nobody else takes goes back to that neighbour at once") {
  SchedulerBench bench;
  (void)bench.load(1);
  (void)bench.peer_up(101, fogctl_node("a"));
  (void)bench.peer_up(102, original_node("10.0.0.2"));
  Task task = task_of("light", "u1");
  task.offloading_nodes = {"a"};
  const auto hand_over = [&] {
    Actions out = bench.drain();
    bench.scheduler.return_to_senders(bench.now, out);
    return out;
  };
  SUBCASE("it waits for it alone") {
    (void)bench.task(task, 101, "77");
    (void)bench.enqueued("u1", Kind::queued);
    CHECK(all<Withdraw>(hand_over()).at(0).uid == "u1");
    const Actions out = bench.withdrawn("u1", Withdrawn::away, 7);
    CHECK(all<FinishAway>(out).at(0).lease_number == 7);
    const auto back = all<ReturnResult>(out).at(0);
    CHECK(back.origin.task_id == "77");
    CHECK(back.result.error->code == TaskErrorCode::unavailable);
    CHECK(bench.scheduler.unanswered() == 0);
  }
  SUBCASE("a client waits for it, too") {
    (void)bench.task(task, 101, "77");
    (void)bench.enqueued("u1", Kind::queued);
    (void)bench.task(task, client, "1");
    CHECK(all<Withdraw>(hand_over()).empty());
    CHECK(only<TakeBack>(bench.taken(task, 7, bench_options().node)).lease_number == 7);
  }
  SUBCASE("it is an original one, which knows no such answer") {
    (void)bench.task(task, 102, "77");
    (void)bench.enqueued("u1", Kind::queued);
    CHECK(all<Withdraw>(hand_over()).empty());
  }
  SUBCASE("a worker has it") {
    (void)bench.task(task, 101, "77");
    (void)bench.enqueued("u1", Kind::queued);
    (void)hand_over();
    CHECK(bench.withdrawn("u1", Withdrawn::leased).empty());
    CHECK(only<ReturnResult>(bench.result(result_of("u1"))).origin.task_id == "77");
  }
  SUBCASE("another neighbour takes it") {
    (void)bench.task(task, 101, "77");
    (void)bench.enqueued("u1", Kind::queued);
    (void)bench.peer_up(103, fogctl_node("c"));
    (void)bench.peer_state(103, Duration::zero());
    (void)hand_over();
    CHECK(only<HandOn>(bench.withdrawn("u1", Withdrawn::away, 7)).link == 103);
  }
}

TEST_CASE("What another node queued and nobody takes is not said to have left the queue") {
  Leaving bench;
  (void)bench.peer_lost(101);
  Actions out;
  const TakenTask taken{std::make_shared<const Task>(task_of("light", "u1")), 7, 1, bench.now,
                        "other"};
  CHECK_FALSE(bench.scheduler.on_taken(taken, bench.now, out));
  CHECK(only<TakeBack>(out).lease_number == 7);
  CHECK(bench.scheduler.unanswered() == 0);
}

TEST_CASE("A copy that is to be handed on ends, unless another node asked for the task itself") {
  Leaving bench;
  Task task = task_of("light", "u1");
  task.is_copy = true;
  const Actions out = bench.taken(task, 7, "other");
  const auto ends = all<FinishAway>(out);
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].reply_to == "other");
  CHECK(ends[0].unless_asked);
  CHECK(bench.returned(out).empty());
}

TEST_CASE("A task whose enqueue is under way while it is taken to be handed on keeps its lease") {
  Leaving bench;
  (void)bench.task(task_of("light", "u1"), client);
  (void)bench.enqueued("u1", Kind::queued);
  REQUIRE(all<EnqueueTask>(bench.queue_up(true)).size() == 1);
  const auto sent = only<HandOn>(bench.taken(task_of("light", "u1"), 7, "other"));
  CHECK(bench.met("u1").empty());
  SUBCASE("it is answered") {
    const Actions out = bench.link_result(101, sent.id, result_of("u1"));
    CHECK(all<FinishAway>(out).at(0).lease_number == 7);
    CHECK(bench.returned(out).size() == 1);
  }
  SUBCASE("the neighbour goes: it is taken back") {
    CHECK(all<TakeBack>(bench.peer_lost(101)).at(0).lease_number == 7);
  }
}

}  // namespace
}  // namespace fogctl
