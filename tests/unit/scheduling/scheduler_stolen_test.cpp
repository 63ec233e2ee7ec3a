// Neighbours with a free worker ask this node for a task that waits here: which one goes, and that
// it is answered once whatever becomes of it.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/steal_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using namespace std::chrono_literals;
using Kind = EnqueueAnswer::Kind;
using Withdrawn = WithdrawAnswer::Kind;

/// A node whose one worker has just begun a task of 10 ms, and two neighbours of two free workers.
struct Victim : StealBench {
  Victim() {
    (void)load(1);
    for (int i = 0; i < 2; ++i) {
      (void)task(task_of("light", "u0"));
      (void)enqueued("u0", Kind::queued);
      if (i == 0) (void)result(result_of("u0"));
    }
    scheduler.on_started("u0", now, none_);
    meet();
    for (const PeerId link : {101, 102}) (void)told(link, waiting_state(0));
  }
  /// A task of 10 ms waits here that cannot be copied.
  void waits(const std::string& uid, Duration requirement = 1h) {
    Task task = task_of("light", uid);
    task.exclusive = true;
    task.time_requirement = requirement;
    waits(std::move(task));
  }
  void waits(Task task, PeerId from = 1) {
    const std::string uid = task.uid;
    REQUIRE_FALSE(only<EnqueueTask>(this->task(std::move(task), from, uid)).away);
    (void)enqueued(uid, Kind::queued);
  }
  /// The uid of the task that the queue is asked for; empty: the neighbour is refused.
  std::string gives(PeerId link = 101, std::int64_t request = 7, std::size_t workers = 2) {
    const Actions actions = steal(link, request, workers);
    const auto withdraws = all<Withdraw>(actions);
    if (withdraws.empty()) {
      CHECK(only<RefuseSteal>(actions).request == request);
      return "";
    }
    CHECK(actions.size() == 1);
    return withdraws[0].uid;
  }

 private:
  Actions none_;
};

TEST_CASE("A task that waits goes to who asks, once the queue holds it as away") {
  Victim bench;
  bench.waits("x1");
  CHECK(bench.gives() == "x1");
  const auto handed = only<HandOn>(bench.withdrawn("x1", Withdrawn::away, 4));
  CHECK(handed.link == 101);
  CHECK(handed.steal == 7);
  CHECK(handed.task->exclusive);
  CHECK_FALSE(handed.task->is_copy);
  CHECK(handed.task->offload_times == 1);
  CHECK(handed.task->offloading_nodes == std::vector<std::string>{"00ff"});
  CHECK(handed.task->process_by == "fog");
  CHECK(bench.scheduler.away() == 1);
  const auto decisions = bench.scheduler.decisions_about("x1", bench.now);
  REQUIRE(decisions.size() == 2);
  CHECK(decisions[1].decision.choice.link == 101);
  CHECK(decisions[1].decision.choice.reason == "a worker is free there: it asked for a task");
  const Actions ended = bench.link_result(101, handed.id, result_of("x1"));
  CHECK(all<FinishAway>(ended).size() == 1);
  CHECK(all<ReturnResult>(ended).size() == 1);
  CHECK(bench.scheduler.unanswered() == 1);
}

TEST_CASE("The least urgent goes, where none is late") {
  Victim bench;
  bench.waits("x1", 1h);
  bench.waits("x2", 3h);
  bench.waits("x3", 2h);
  CHECK(bench.gives() == "x2");
}

TEST_CASE("What is late here and in time there goes first, of those the most urgent") {
  Victim bench;
  bench.waits("x1", 100ms);
  bench.waits("x2", 1h);
  bench.pass(5ms);
  bench.waits("x3", 14ms);
  bench.waits("x4", 24ms);
  bench.waits("x5", 13ms);  // before them, so that they are late
  CHECK(bench.gives() == "x3");
  (void)bench.withdrawn("x3", Withdrawn::away, 4);
  CHECK(bench.gives(102) == "x2");
}

TEST_CASE("What would begin here as soon stays") {
  Victim bench;
  bench.waits("x1");
  bench.scheduler.on_peer_delay(101, 10ms);
  CHECK(bench.gives(101).empty());
  CHECK(bench.gives(102) == "x1");
}

TEST_CASE(
    "The last free worker there gets what is not late if it waits four times as long as it runs") {
  Victim bench;
  for (const char* uid : {"x1", "x2", "x3", "x4"}) bench.waits(uid);
  CHECK(bench.gives(101, 1, 1).empty());  // the last of them waits 40 ms, less the way
  bench.waits("x5");
  CHECK(bench.gives(102, 1, 1) == "x5");
  (void)bench.withdrawn("x5", Withdrawn::away, 4);
  bench.pass(10ms);
  CHECK(bench.gives(101, 2, 2) == "x4");
}

TEST_CASE("Nothing goes that waits for nothing, or that was here for others") {
  Victim bench;
  CHECK(bench.gives().empty());
  Victim copies;
  copies.waits(copied("c1"), 102);
  CHECK(copies.gives().empty());
  Victim cloud;
  cloud.waits(cloud_task("light", "x1"));
  CHECK(cloud.gives().empty());
  Victim begun;
  begun.waits("x1");
  Actions none;
  begun.scheduler.on_started("x1", begun.now, none);
  CHECK(begun.gives().empty());
}

TEST_CASE("A task with copies waits elsewhere already") {
  Victim bench;
  (void)bench.task(hurried("x1"));
  REQUIRE(all<HandOn>(bench.enqueued("x1", Kind::queued)).size() == 1);
  CHECK(bench.gives(101).empty());
  CHECK(bench.gives(102).empty());
}

TEST_CASE("A task goes to no node that handed it on, sent it, brought no result or cannot run it") {
  Victim bench;
  Task task = task_of("light", "x1");
  task.exclusive = true;
  task.offload_times = 2;
  task.offloading_nodes = {"a", "c"};
  bench.waits(task, 102);
  CHECK(bench.gives(101).empty());
  CHECK(bench.gives(102).empty());

  Victim tired;
  task = task_of("light", "x1");
  task.max_offload = 0;
  tired.waits(task);
  CHECK(tired.gives().empty());

  Victim unable;
  unable.waits("x1");
  (void)unable.kinds(101, {"heavy"});
  CHECK(unable.gives(101).empty());
  CHECK(unable.gives(102) == "x1");

  Victim failed;
  failed.waits("x1");
  CHECK(failed.gives(101) == "x1");
  const auto handed = only<HandOn>(failed.withdrawn("x1", Withdrawn::away, 4));
  (void)failed.link_result(101, handed.id, error_of("x1", TaskErrorCode::unavailable));
  CHECK(failed.scheduler.away() == 0);
  CHECK(failed.gives(101).empty());
}

TEST_CASE("Where a worker had it, who asked is refused") {
  Victim bench;
  bench.waits("x1");
  CHECK(bench.gives() == "x1");
  const auto refusal = only<RefuseSteal>(bench.withdrawn("x1", Withdrawn::leased));
  CHECK(refusal.link == 101);
  CHECK(refusal.request == 7);
  CHECK(all<ReturnResult>(bench.result(result_of("x1"))).size() == 1);
}

TEST_CASE("A task that ends meanwhile is not given") {
  Victim bench;
  bench.waits("x1");
  CHECK(bench.gives() == "x1");
  (void)bench.result(result_of("x1"));
  const Actions late = bench.withdrawn("x1", Withdrawn::leased);
  CHECK(all<RefuseSteal>(late).size() == 1);
  CHECK(all<HandOn>(late).empty());
}

TEST_CASE("Where who asked is gone by then, the task stays here") {
  Victim bench;
  bench.waits("x1");
  CHECK(bench.gives() == "x1");
  (void)bench.peer_lost(101);
  const Actions actions = bench.withdrawn("x1", Withdrawn::away, 4);
  CHECK(all<HandOn>(actions).empty());
  CHECK(all<RefuseSteal>(actions).empty());
  CHECK(all<TakeBack>(actions).size() == 1);
}

TEST_CASE("Where who has it dies, the task is placed again here and answered once") {
  Victim bench;
  bench.waits("x1");
  CHECK(bench.gives() == "x1");
  const auto handed = only<HandOn>(bench.withdrawn("x1", Withdrawn::away, 4));
  (void)bench.told(102, waiting_state(9));
  const Actions again = bench.peer_lost(101);
  CHECK(bench.placed_again == 1);
  CHECK(all<TakeBack>(again).size() == 1);
  (void)bench.link_result(101, handed.id, result_of("x1"));
  CHECK_FALSE(bench.was_expected);
  CHECK(all<ReturnResult>(bench.result(result_of("x1"))).size() == 1);
}

TEST_CASE("Who asks without end hears nothing and gets no more than it has workers for") {
  Victim bench;
  CHECK(bench.gives(101, 1).empty());
  CHECK(bench.steal(101, 2).empty());  // too soon
  bench.pass(10ms);
  for (int i = 0; i < 9; ++i) bench.waits("x" + std::to_string(i));
  CHECK(bench.gives(101, 3) == "x8");
  CHECK(bench.steal(101, 4).empty());  // before the first is on its way
  (void)bench.withdrawn("x8", Withdrawn::away, 4);
  CHECK(bench.gives(101, 5) == "x7");
  (void)bench.withdrawn("x7", Withdrawn::away, 5);
  CHECK(bench.gives(101, 6).empty());  // it has two workers
  CHECK(bench.gives(102, 1) == "x6");
}

TEST_CASE("A stranger, an original node and a node that gives nothing away") {
  Victim bench;
  bench.waits("x1");
  CHECK(bench.steal(999, 1).empty());
  (void)bench.peer_up(103, original_node("10.0.0.9"));
  CHECK(bench.steal(103, 1).empty());
  (void)bench.drain();
  CHECK(bench.gives().empty());

  Victim away;
  away.waits("x1");
  away.scheduler.on_queue_down();
  CHECK(away.gives().empty());

  SchedulerOptions options = in_time_options();
  options.policy = find_policy("deadline");
  StealBench other(options);
  (void)other.load(1);
  other.meet();
  CHECK(all<RefuseSteal>(other.steal(101, 1)).size() == 1);
}

}  // namespace
}  // namespace fogctl
