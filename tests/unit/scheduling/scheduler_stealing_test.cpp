// A node with a free worker asks its neighbours for a task that waits there, in moderation, and
// runs what it gets.
#include <doctest/doctest.h>

#include <vector>

#include "support/steal_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using namespace std::chrono_literals;
using Kind = EnqueueAnswer::Kind;

/// A node whose workers are free, and two neighbours that have not said how busy they are.
struct Thief : StealBench {
  explicit Thief(std::size_t workers = 1, const SchedulerOptions& options = in_time_options())
      : StealBench(options) {
    (void)load(workers);
    meet();
  }
  struct Asked {
    PeerId link = 0;
    std::int64_t number = 0;
    std::size_t workers = 0;
  };
  /// The one request that the state makes this node send.
  Asked asks(PeerId link, std::size_t waiting) {
    const auto asked = only<StealTask>(told(link, waiting_state(waiting)));
    return {asked.link, asked.request.number, asked.request.workers};
  }
};

TEST_CASE("A node with a free worker asks a neighbour at which tasks wait") {
  Thief bench;
  CHECK(bench.told(101, waiting_state(0)).empty());
  const auto request = bench.asks(102, 3);
  CHECK(request.link == 102);
  CHECK(request.number > 0);
  CHECK(request.workers == 1);
  CHECK(bench.told(101, waiting_state(3)).empty());  // one is asked at a time
}

TEST_CASE("What runs at a neighbour does not wait there") {
  Thief bench;
  NodeState state = waiting_state(0);
  state.queued = 2;  // its two workers are about to have them
  CHECK(bench.told(101, state).empty());
  state.queued = 3;
  CHECK(bench.told(101, state).size() == 1);
}

TEST_CASE("Nobody is asked while the workers have tasks, nor over a retired link") {
  Thief busy;
  (void)busy.task(task_of("light", "u1"));
  CHECK(busy.told(101, waiting_state(3)).empty());
  Thief bench;
  bench.scheduler.on_peer_leaves(101, bench.now);
  CHECK(bench.told(101, waiting_state(3)).empty());
}

TEST_CASE("Two are asked where two workers are free, and both have tasks that wait") {
  Thief bench(2);
  const auto request = bench.asks(101, 3);
  (void)bench.told(102, waiting_state(3));
  bench.refused(101, request.number);
  bench.pass(100ms);
  const auto requests = all<StealTask>(bench.tick());
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].request.workers == 2);
  CHECK(requests[0].link != requests[1].link);
}

TEST_CASE("Nobody is asked who does not say that it may be, nor by a policy that does not steal") {
  Thief bench;
  NodeState state = waiting_state(9);
  state.steals = false;
  CHECK(bench.told(101, state).empty());
  (void)bench.peer_up(103, original_node("10.0.0.9"));
  CHECK(bench.peer_state(103, 10s).empty());
  for (const Policy& policy : policies()) {
    CAPTURE(policy.name);
    SchedulerOptions options = bench_options();
    options.policy = &policy;
    Thief other(1, options);
    CHECK(other.told(101, waiting_state(9)).empty() == !policy.steals);
    CHECK(other.scheduler.own_state().steals == policy.steals);
  }
  SchedulerOptions alone = in_time_options();
  alone.hands_to_neighbours = false;
  CHECK_FALSE(Thief(1, alone).scheduler.own_state().steals);
}

TEST_CASE("A node that takes no task asks for none") {
  Thief idle(0);
  CHECK(idle.told(101, waiting_state(9)).empty());
  Thief stopping;
  (void)stopping.drain();
  CHECK(stopping.told(101, waiting_state(9)).empty());
  Thief away;
  away.scheduler.on_queue_down();
  CHECK(away.told(101, waiting_state(9)).empty());
}

TEST_CASE("A worker that becomes free asks") {
  Thief bench;
  (void)bench.task(task_of("light", "u1"));
  (void)bench.enqueued("u1", Kind::queued);
  (void)bench.told(101, waiting_state(3));
  CHECK(all<StealTask>(bench.result(result_of("u1"))).size() == 1);
}

TEST_CASE("Who is refused asks again later and later, and not who wants to be left in peace") {
  Thief bench;
  auto request = bench.asks(101, 3);
  bench.refused(101, request.number);
  for (const Duration pause : {100ms, 200ms, 400ms}) {
    CHECK(bench.scheduler.next_tick() == bench.now + pause);
    bench.pass(pause - 1ms);
    (void)bench.tick();
    CHECK(all<StealTask>(bench.told(101, waiting_state(3))).empty());
    bench.pass(1ms);
    const auto again = all<StealTask>(bench.tick());
    REQUIRE(again.size() == 1);
    bench.refused(101, again[0].request.number);
  }
  bench.pass(800ms);
  request = bench.asks(101, 3);
  bench.refused(101, request.number, 30s);
  bench.pass(2s);
  CHECK(all<StealTask>(bench.told(101, waiting_state(3))).empty());
  CHECK(bench.asks(102, 1).link == 102);
}

TEST_CASE("Who does not answer is given up, and others are asked") {
  Thief bench;
  (void)bench.asks(101, 3);
  CHECK(bench.scheduler.next_tick().value() <= bench.now + 1s);
  bench.pass(1s);
  CHECK(all<StealTask>(bench.tick()).empty());
  bench.pass(100ms);
  (void)bench.tick();
  CHECK(all<StealTask>(bench.told(101, waiting_state(3))).empty());
  CHECK(bench.asks(102, 1).link == 102);
  CHECK(bench.scheduler.next_tick().value() > bench.now);
}

TEST_CASE("A task that was asked for runs here, however late it is, and is explained") {
  Thief bench;
  const auto request = bench.asks(101, 3);
  Task task = hurried("s1");
  task.waited = 1s;
  task.offload_times = 1;
  task.offloading_nodes = {"a"};
  const Actions actions = bench.stolen(101, request.number, task);
  REQUIRE(all<EnqueueTask>(actions).size() == 1);
  CHECK_FALSE(all<EnqueueTask>(actions)[0].away);
  CHECK(all<HandOn>(actions).empty());
  CHECK(all<HandOn>(bench.enqueued("s1", Kind::queued)).empty());  // it needs no copies
  const auto decisions = bench.scheduler.decisions_about("s1", bench.now);
  REQUIRE(decisions.size() == 1);
  CHECK(decisions[0].decision.choice.site == Site::here);
  CHECK(decisions[0].decision.choice.reason == "a worker is free here: this node asked for it");
  const auto answer = all<ReturnResult>(bench.result(result_of("s1")));
  REQUIRE(answer.size() == 1);
  CHECK(answer[0].origin.peer == 101);
  CHECK(answer[0].origin.task_id == "77");
}

TEST_CASE("A task that comes when the worker is not free any more is placed as any other") {
  Thief bench;
  const auto request = bench.asks(101, 3);
  (void)bench.task(task_of("heavy", "u1"));
  (void)bench.enqueued("u1", Kind::queued);
  (void)bench.peer_state(102, 0s);
  Task task = hurried("s1");
  task.offload_times = 1;
  task.offloading_nodes = {"a"};
  CHECK(all<EnqueueTask>(bench.stolen(101, request.number, task)).size() == 1);
  CHECK(bench.scheduler.decisions_about("s1", bench.now)[0].decision.choice.reason !=
        "a worker is free here: this node asked for it");
}

TEST_CASE("A task for a request that nobody made is a task like others") {
  Thief bench;
  const auto request = bench.asks(101, 3);
  (void)bench.stolen(102, request.number, hurried("s1"));  // another was asked
  (void)bench.enqueued("s1", Kind::queued);
  (void)bench.result(result_of("s1"));
  CHECK(bench.told(102, waiting_state(3)).empty());  // the request still waits
  (void)bench.stolen(101, request.number, hurried("s2"));
  (void)bench.enqueued("s2", Kind::queued);
  CHECK(all<StealTask>(bench.result(result_of("s2"))).size() == 1);
}

TEST_CASE("A task that the queue has already goes back, and its node is asked no more") {
  SchedulerOptions options = in_time_options();
  options.shares_queue = true;
  Thief bench(2, options);
  const auto request = bench.asks(101, 3);
  Task task = hurried("s1");
  task.offload_times = 1;
  task.offloading_nodes = {"a"};
  (void)bench.stolen(101, request.number, task);
  EnqueueAnswer met;
  met.was_there = true;
  Actions out;
  bench.scheduler.on_enqueued("s1", met, bench.now, out);
  const auto answer = only<ReturnResult>(out);
  CHECK(answer.origin.peer == 101);
  CHECK(answer.result.error->code == TaskErrorCode::unavailable);
  CHECK(bench.scheduler.unanswered() == 0);
  bench.pass(1min);
  CHECK(all<StealTask>(bench.told(101, waiting_state(3))).empty());
  CHECK(bench.asks(102, 3).link == 102);
}

TEST_CASE("A request to a neighbour that is gone is over in time") {
  Thief bench;
  (void)bench.asks(101, 3);
  (void)bench.peer_lost(101);
  bench.pass(1s);
  (void)bench.tick();
  bench.pass(100ms);
  (void)bench.tick();
  CHECK(bench.asks(102, 1).link == 102);
}

}  // namespace
}  // namespace fogctl
