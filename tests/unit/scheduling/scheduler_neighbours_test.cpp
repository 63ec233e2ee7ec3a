// Tasks that go to neighbours and come from them: what is written on them, and what becomes of
// those that a neighbour does not answer.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "scheduling/scheduler.hpp"
#include "support/scheduler_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using namespace std::chrono_literals;
using Kind = EnqueueAnswer::Kind;
using Strings = std::vector<std::string>;

/// A task that waits for nothing.
Task hurried(std::string_view uid = "u1", std::string_view name = "light") {
  Task task = task_of(name, uid);
  task.time_requirement = 0s;
  return task;
}

/// A node at which a new task waits 100 ms.
struct Busy : SchedulerBench {
  explicit Busy(const SchedulerOptions& options = bench_options()) : SchedulerBench(options) {
    (void)load(1);
    (void)task(task_of("light", "u0"));
    (void)enqueued("u0", Kind::queued);
    (void)result(result_of("u0"));  // a light task takes 10 ms
    (void)load(1, {10, 0, 0});
  }
  void add(PeerId link, const NeighbourIdentity& who, std::optional<Duration> wait) {
    (void)peer_up(link, who);
    (void)peer_state(link, wait);
  }
  /// The task comes from a client, and goes to a neighbour once the queue holds it as lease 5.
  HandOn hand_on(const Task& task, PeerId peer = 1) {
    REQUIRE(only<EnqueueTask>(this->task(task, peer, "42")).away);
    return only<HandOn>(enqueued(task.uid, Kind::away, 5));
  }
};

/// ... and two neighbours, of which 101 starts tasks sooner.
struct Two : Busy {
  explicit Two(const SchedulerOptions& options = bench_options()) : Busy(options) {
    add(101, fogctl_node("a"), 10ms);
    add(102, fogctl_node("b"), 50ms);
  }
};

/// ... and the task `u1` that is with 101.
struct Away : Two {
  Away() { id = hand_on(hurried()).id; }
  std::int64_t id = 0;
};

TEST_CASE("A task for a neighbour is held by the queue as away before it is handed on") {
  Two bench;
  bench.scheduler.on_peer_delay(101, 8ms);
  Task task = hurried();
  task.waited = 1s;
  task.offloading_fog = {"10.0.0.7"};
  task.offloading_nodes = {"77"};
  task.offload_times = 1;
  const auto enqueue = only<EnqueueTask>(bench.task(task));
  CHECK(enqueue.away);
  CHECK(enqueue.task->offload_times == 1);
  CHECK(bench.scheduler.away() == 0);

  bench.pass(50ms);
  const auto sent = only<HandOn>(bench.enqueued("u1", Kind::away, 5));
  CHECK(sent.link == 101);
  CHECK(sent.task->process_by == "fog");
  CHECK(sent.task->offload_times == 2);
  CHECK(sent.task->offloading_fog == Strings{"10.0.0.7", "10.0.0.1"});
  CHECK(sent.task->offloading_nodes == Strings{"77", "00ff"});
  CHECK(sent.task->waited == 1054ms);  // half of the round trip is on the way
  CHECK(sent.task->estimated_queuing_time == doctest::Approx(0.01));
  CHECK(sent.task->estimated_execution_time == doctest::Approx(0.01));
  CHECK(enqueue.task->offload_times == 1);  // what the queue was given does not change
  CHECK(enqueue.task->waited == 1s);
  CHECK(bench.scheduler.away() == 1);
  CHECK(bench.neighbour(101).handed == 1);
  CHECK(bench.neighbour(101).handed_now == 1);
}

TEST_CASE("Where the queue cannot say that it holds the task, it goes all the same, and once") {
  Two bench;
  (void)bench.task(hurried());
  const auto sent = only<HandOn>(bench.enqueued("u1", Kind::unavailable));
  CHECK(sent.link == 101);
  CHECK(only<EnqueueTask>(bench.queue_up()).away);
  CHECK(bench.enqueued("u1", Kind::away, 5).empty());
  CHECK(bench.link_result(101, sent.id, result_of("")).size() == 2);
}

TEST_CASE("A neighbour's result goes back under the sender's own id, as it came") {
  Two bench;
  (void)bench.peer_up(103, fogctl_node("c"));
  const auto sent = bench.hand_on(hurried(), 103);
  CHECK(bench.neighbour(103).taken == 1);
  CHECK(bench.neighbour(103).taken_now == 1);
  const Actions actions = bench.link_result(101, sent.id, result_of("", "9"));
  CHECK(bench.was_expected);
  const auto answer = all<ReturnResult>(actions).at(0);
  CHECK(answer.origin.peer == 103);
  CHECK(answer.origin.task_id == "42");
  CHECK(answer.is_forwarded);
  CHECK(answer.result.content == "9");
  CHECK(answer.result.uid == "u1");
  CHECK(all<FinishAway>(actions).at(0).lease_number == 5);
  CHECK(bench.neighbour(101).handed_now == 0);
  CHECK(bench.neighbour(103).taken_now == 0);
  CHECK(bench.neighbour(103).taken == 1);
  CHECK(bench.scheduler.unanswered() == 0);
  CHECK(bench.scheduler.away() == 0);
}

TEST_CASE("A result over another link than the task went is none") {
  Away bench;
  CHECK(bench.link_result(102, bench.id, result_of("u1")).empty());
  CHECK_FALSE(bench.was_expected);
  CHECK(bench.scheduler.unanswered() == 1);
}

TEST_CASE("The link is lost: the task goes to another one from where the queue holds it") {
  Away bench;
  bench.pass(10ms);
  const auto sent = only<HandOn>(bench.peer_lost(101));
  CHECK(bench.placed_again == 1);
  CHECK(sent.link == 102);
  CHECK(sent.id != bench.id);
  CHECK(sent.task->offload_times == 1);
  CHECK(sent.task->offloading_fog == Strings{"10.0.0.1"});
  CHECK(sent.task->offloading_nodes == Strings{"00ff"});
  CHECK(sent.task->waited == 10ms);
  const auto finish = all<FinishAway>(bench.link_result(102, sent.id, result_of("")));
  CHECK(finish.at(0).lease_number == 5);
}

TEST_CASE("The link is lost and there is no other: the task runs here, and never travelled") {
  struct Row {
    const char* name;
    int hops;
    const char* process_by;
  };
  for (const Row& row : {Row{"from a client", 0, "local"}, Row{"handed on before", 1, "fog"}}) {
    CAPTURE(row.name);
    Busy bench;
    bench.add(101, fogctl_node("a"), 0ms);
    Task task = hurried();
    task.offload_times = row.hops;
    task.offloading_fog.assign(static_cast<std::size_t>(row.hops), "10.0.0.7");
    task.offloading_nodes.assign(static_cast<std::size_t>(row.hops), "77");
    task.process_by = row.hops > 0 ? "fog" : "f";
    (void)bench.hand_on(task);
    CHECK(only<TakeBack>(bench.peer_lost(101)).lease_number == 5);
    const auto answer = only<ReturnResult>(bench.result(result_of("u1")));
    CHECK_FALSE(answer.is_forwarded);
    CHECK(answer.task->process_by == row.process_by);
    CHECK(answer.task->offload_times == row.hops);
    CHECK(answer.task->offloading_fog == task.offloading_fog);
    CHECK(answer.task->offloading_nodes == task.offloading_nodes);
  }
}

TEST_CASE("The link is lost while the queue is asked: the task goes elsewhere, asked for once") {
  Two bench;
  (void)bench.task(hurried());
  CHECK(bench.peer_lost(101).empty());
  CHECK(bench.placed_again == 0);
  CHECK(only<HandOn>(bench.enqueued("u1", Kind::away, 5)).link == 102);
}

TEST_CASE("A neighbour leaves while the queue is asked: it gets no new task") {
  Two bench;
  (void)bench.task(hurried());
  bench.scheduler.on_peer_leaves(101, bench.now);
  CHECK(only<HandOn>(bench.enqueued("u1", Kind::away, 5)).link == 102);
}

TEST_CASE("An answer that is overdue: placed again, not over that link, and the late one dropped") {
  struct Row {
    const char* name;
    NeighbourIdentity who;
    bool is_exclusive;
    Duration patience;
  };
  const Row rows[] = {
      {"original", original_node("10.0.0.9"), false, 60s},
      {"fogctl, which may be frozen", fogctl_node("c"), false, 5min},
      {"original, which may lose what must not run twice", original_node("10.0.0.9"), true, 60s},
      {"fogctl, which may run what must not run twice", fogctl_node("c"), true, 24h}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Two bench;
    bench.add(100, row.who, 0ms);
    Task given = hurried();
    given.exclusive = row.is_exclusive;
    const auto sent = bench.hand_on(given);
    REQUIRE(sent.link == 100);
    bench.pass(row.patience - 1ns);
    (void)bench.peer_state(100, 0ms);  // it is there, and still the best
    (void)bench.peer_state(102, 0ms);
    CHECK(all<HandOn>(bench.tick()).empty());
    bench.pass(1ns);
    const auto again = all<HandOn>(bench.tick());
    REQUIRE(again.size() == 1);
    CHECK(again[0].link == 102);
    CHECK(bench.neighbour(100).handed_now == 0);

    CHECK(bench.link_result(100, sent.id, result_of("u1")).empty());
    CHECK_FALSE(bench.was_expected);
    CHECK(bench.scheduler.repeated_results() == 1);
    CHECK(all<ReturnResult>(bench.link_result(102, again[0].id, result_of(""))).size() == 1);
  }
}

TEST_CASE("What is expected to take long has its time, in multiples of that") {
  SchedulerOptions options = bench_options();
  options.overdue_factor = 10;
  options.overdue_min = 1s;
  Busy bench(options);
  bench.add(100, original_node("10.0.0.9"), 85ms);
  bench.scheduler.on_peer_delay(100, 5ms);
  (void)bench.hand_on(hurried());  // 85 ms there, 10 ms to run, 5 ms for the link
  (void)bench.tick();
  CHECK(bench.scheduler.next_tick() == bench.now + 1s);
  (void)bench.load(1, {1000, 0, 0});
  (void)bench.peer_state(100, 5s);
  Task task = hurried("u2");
  (void)bench.hand_on(task);
  (void)bench.peer_lost(100);
  CHECK(bench.placed_again == 2);

  bench.add(100, original_node("10.0.0.9"), 5s);
  bench.scheduler.on_peer_delay(100, 5ms);
  (void)bench.hand_on(hurried("u3"));
  (void)bench.peer_up(101, fogctl_node("a"));
  bench.pass(50s);
  (void)bench.peer_state(101, 0ms);
  CHECK(all<HandOn>(bench.tick()).empty());
  bench.pass(150ms - 1ns);  // 10 times 5.015 s
  CHECK(all<HandOn>(bench.tick()).empty());
  bench.pass(1ns);
  CHECK(all<HandOn>(bench.tick()).size() == 1);
}

TEST_CASE("A neighbour that turns the task away is no answer while there is another place") {
  for (const auto code :
       {TaskErrorCode::unavailable, TaskErrorCode::overloaded, TaskErrorCode::unknown_task}) {
    Away bench;
    const auto sent = only<HandOn>(bench.link_result(101, bench.id, error_of("u1", code)));
    CHECK(bench.was_expected);
    CHECK(sent.link == 102);
    CHECK(sent.task->offload_times == 1);
    CHECK(only<TakeBack>(bench.link_result(102, sent.id, error_of("u1", code))).uid == "u1");
    CHECK(only<ReturnResult>(bench.result(result_of("u1"))).task->process_by == "local");
  }
}

TEST_CASE("Where no place is left a task waits for one; a failure is the answer at once") {
  Away nowhere;
  (void)nowhere.load(0);
  (void)nowhere.peer_state(102, std::nullopt);
  const auto refused = error_of("u1", TaskErrorCode::overloaded);
  CHECK(nowhere.link_result(101, nowhere.id, refused).empty());
  CHECK(only<HandOn>(nowhere.peer_state(102, 0s)).link == 102);

  Away failed;
  const auto failure = error_of("u1", TaskErrorCode::task_failed);
  CHECK(all<ReturnResult>(failed.link_result(101, failed.id, failure)).size() == 1);
}

TEST_CASE("An original neighbour gets light, medium and heavy tasks of bounded size alone") {
  struct Row {
    const char* name;
    Task task;
    bool goes;
  };
  Task large = hurried();
  large.content = '"' + std::string(1000, 'x') + '"';
  Task braces = hurried();
  braces.content = '"' + std::string(200, '{') + '"';
  const Row rows[] = {
      {"light", hurried("u1", "light"), true},
      {"medium", hurried("u1", "medium"), true},
      {"heavy", hurried("u1", "heavy"), true},
      {"a task that it does not know", hurried("u1", "echo"), false},
      {"too large an object", large, false},
      {"too large once its braces are escaped", braces, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    for (const bool is_original : {true, false}) {
      Busy bench;
      bench.add(101, is_original ? original_node("10.0.0.9") : fogctl_node("a"), 0ms);
      CHECK(only<EnqueueTask>(bench.task(row.task)).away == (row.goes || !is_original));
    }
  }
}

TEST_CASE("A fogctl neighbour gets no task that is longer than what it reads") {
  SchedulerOptions options = bench_options();
  NeighbourIdentity who = fogctl_node("a");
  SUBCASE("by the node's own measure") {
    options.max_message = 10'000;
  }
  SUBCASE("by what it says") {
    who.max_message = 10'000;
  }
  Busy bench(options);
  bench.add(101, who, 0ms);
  for (const std::size_t braces : {1000U, 2000U}) {
    Task task = hurried("u" + std::to_string(braces), "echo");
    task.content = '"' + std::string(braces, '{') + '"';
    CHECK(only<EnqueueTask>(bench.task(task)).away == (braces == 1000));
  }
}

TEST_CASE("A neighbour never gets a task back that it sent, or that it handed on before") {
  struct Row {
    const char* name;
    PeerId from;
    Strings fogs;
    Strings nodes;
    PeerId to;  // 0: it stays here
  };
  const Row rows[] = {
      {"from a client", 1, {}, {}, 101},
      {"from the best one", 101, {}, {}, 102},
      {"handed on by the best one's node", 1, {}, {"a"}, 102},
      {"from a node with the best one's address", 1, {"10.0.0.a"}, {}, 101},
      {"by two", 1, {}, {"a", "b"}, 103},
      {"by an original one's address", 1, {"10.0.0.9"}, {"a", "b"}, 0},
      {"from the third, handed on by the others", 103, {}, {"b", "a"}, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Two bench;
    bench.add(103, original_node("10.0.0.9"), 60ms);
    Task task = hurried();
    task.offloading_fog = row.fogs;
    task.offloading_nodes = row.nodes;
    const bool goes = only<EnqueueTask>(bench.task(task, row.from)).away;
    CHECK(goes == (row.to != 0));
    if (goes) CHECK(only<HandOn>(bench.enqueued("u1", Kind::away, 5)).link == row.to);
  }
}

TEST_CASE("A task that was handed on as often as it may be stays here") {
  Two bench;
  Task task = hurried();
  task.max_offload = 2;
  task.offload_times = 2;
  CHECK_FALSE(only<EnqueueTask>(bench.task(task)).away);
}

}  // namespace
}  // namespace fogctl
