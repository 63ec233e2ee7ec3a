// A node's links to its neighbours: whom it counts on, what it tells them and when, which links it
// closes, and the tasks that meet themselves on their way through the mesh.
#include <doctest/doctest.h>

#include "scheduling/scheduler.hpp"
#include "support/scheduler_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using namespace std::chrono_literals;
using Kind = EnqueueAnswer::Kind;
using Why = CloseLink::Why;

Task hurried(std::string_view uid = "u1") {
  Task task = task_of("light", uid);
  task.time_requirement = 0s;
  return task;
}

/// A node that learned that a light task takes 10 ms: `tasks` of them make a new one wait 10 ms
/// each.
struct Learned : SchedulerBench {
  explicit Learned(const SchedulerOptions& options = bench_options()) : SchedulerBench(options) {
    (void)load(1);
    (void)task(task_of("light", "u0"));
    (void)enqueued("u0", Kind::queued);
    (void)result(result_of("u0"));
  }
  Actions light_tasks(std::size_t tasks) { return load(1, {tasks, 0, 0}); }
  /// Ticks once for each of `intervals`, every neighbour but `silent` telling its state.
  Actions live(int intervals, PeerId silent = 0) {
    Actions all_out;
    for (int i = 0; i < intervals; ++i) {
      pass(1s);
      for (const Neighbour& neighbour : scheduler.neighbours()) {
        if (neighbour.link != silent) (void)peer_state(neighbour.link, 0ms);
      }
      for (Action& action : tick()) all_out.push_back(std::move(action));
    }
    return all_out;
  }
};

/// ... at which a new task waits 100 ms, and `u1` is with the neighbour 101.
struct Away : Learned {
  Away() {
    (void)light_tasks(10);
    (void)peer_up(101, fogctl_node("a"));
    (void)peer_state(101, 0ms);
    (void)task(hurried());
    id = only<HandOn>(enqueued("u1", Kind::away, 5)).id;
  }
  std::int64_t id = 0;
};

TEST_CASE("A neighbour gets no task before it said that it takes some, nor when that is old") {
  struct Row {
    const char* name;
    void (*prepare)(SchedulerBench& bench);
    bool goes;
  };
  constexpr Row rows[] = {
      {"no state", [](SchedulerBench&) {}, false},
      {"a state", [](SchedulerBench& b) { (void)b.peer_state(101, 0ms); }, true},
      {"a state that takes none", [](SchedulerBench& b) { (void)b.peer_state(101, {}); }, false},
      {"a state over a link that is none",
       [](SchedulerBench& b) { CHECK(b.peer_state(102, 0ms).empty()); }, false},
      {"it left",
       [](SchedulerBench& b) {
         (void)b.peer_state(101, 0ms);
         b.scheduler.on_peer_leaves(101, b.now);
       },
       false},
      {"an old state",
       [](SchedulerBench& b) {
         (void)b.peer_state(101, 0ms);
         b.pass(3s + 1ns);
       },
       false},
      {"too far away",
       [](SchedulerBench& b) {
         (void)b.peer_state(101, 50ms);
         b.scheduler.on_peer_delay(101, 50ms);
       },
       false},
      {"near enough",
       [](SchedulerBench& b) {
         (void)b.peer_state(101, 50ms);
         b.scheduler.on_peer_delay(101, 49ms);
       },
       true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Learned bench;
    (void)bench.light_tasks(10);
    (void)bench.peer_up(101, fogctl_node("a"));
    row.prepare(bench);
    CHECK(all<EnqueueTask>(bench.task(hurried())).at(0).away == row.goes);
  }
}

TEST_CASE("Without workers a task waits for a neighbour, and goes when it takes tasks") {
  SchedulerBench bench;
  CHECK(bench.task(task_of("light", "u1")).empty());
  (void)bench.peer_up(101, fogctl_node("a"));
  CHECK(bench.peer_state(101, std::nullopt).empty());
  CHECK(only<EnqueueTask>(bench.peer_state(101, 1h)).away);
}

TEST_CASE("With the fog off no task goes to a neighbour, whether it could run here or not") {
  SchedulerOptions options = bench_options();
  options.hands_to_neighbours = false;
  Learned bench(options);
  (void)bench.light_tasks(10);
  (void)bench.peer_up(101, fogctl_node("a"));
  (void)bench.peer_state(101, 0ms);
  CHECK_FALSE(only<EnqueueTask>(bench.task(hurried())).away);
  (void)bench.load(0);
  CHECK(bench.task(hurried("u2")).empty());
  CHECK(bench.scheduler.unanswered() == 2);
}

TEST_CASE("The way back is taken off the time by which a neighbour's task must start") {
  struct Row {
    const char* name;
    PeerId from;
    Duration requirement;
    Duration left;
  };
  constexpr Row rows[] = {
      {"from a client", 1, 1s, 1s},
      {"from a neighbour", 101, 1s, 950ms},
      {"from a neighbour whose delay is not known", 102, 1s, 1s},
      {"from a neighbour that is too far away", 101, 20ms, 0ms},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Learned bench;
    (void)bench.peer_up(101, fogctl_node("a"));
    (void)bench.peer_up(102, fogctl_node("b"));
    bench.scheduler.on_peer_delay(101, 100ms);
    Task task = task_of("light", "u1");
    task.time_requirement = row.requirement;
    CHECK(only<EnqueueTask>(bench.task(task, row.from)).start_by == bench.now + row.left);
  }
}

TEST_CASE("A copy that comes over a link while the task is away runs here, and answers both") {
  Away bench;
  (void)bench.peer_up(102, fogctl_node("b"));
  const auto back = only<TakeBack>(bench.task(hurried(), 102, "77"));
  CHECK(back.uid == "u1");
  CHECK(back.lease_number == 5);
  CHECK(bench.link_result(101, bench.id, result_of("")).empty());
  CHECK_FALSE(bench.was_expected);
  const auto answers = all<ReturnResult>(bench.result(result_of("u1")));
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].origin.peer == 102);
  CHECK(answers[0].origin.task_id == "77");
  CHECK(answers[0].task->offload_times == 0);
  CHECK(bench.neighbour(102).taken_now == 0);
}

TEST_CASE("A copy from a client, or where nothing can run here, waits for the answer") {
  Away from_client;
  CHECK(from_client.task(hurried(), 2, "77").empty());
  CHECK(all<ReturnResult>(from_client.link_result(101, from_client.id, result_of(""))).size() == 2);

  Away no_workers;
  (void)no_workers.peer_up(102, fogctl_node("b"));
  (void)no_workers.load(0);
  CHECK(no_workers.task(hurried(), 102, "77").empty());
  CHECK(all<ReturnResult>(no_workers.link_result(101, no_workers.id, result_of(""))).size() == 2);
}

TEST_CASE("A neighbour that sent a copy does not get the task either: each would wait for ever") {
  SchedulerBench bench;
  (void)bench.task(task_of("light", "u1"));
  (void)bench.peer_up(101, fogctl_node("a"));
  CHECK(bench.task(task_of("light", "u1"), 101, "77").empty());
  CHECK(bench.peer_state(101, 0ms).empty());
  bench.pass(2s);
  CHECK(all<ReturnResult>(bench.tick()).size() == 2);
}

TEST_CASE("A neighbour is told at once how busy this node is, and the others again") {
  Learned bench;
  (void)bench.light_tasks(3);
  const auto first = all<ShareState>(bench.peer_up(101, fogctl_node("a"))).at(0);
  CHECK(first.links == std::vector<PeerId>{101});
  CHECK(first.state.expected_wait == 30ms);
  CHECK(first.state.workers == 1);
  CHECK(first.state.queued == 3);
  CHECK(first.state.sharing_interval == 1s);
  const auto second = all<ShareState>(bench.peer_up(102, fogctl_node("b"))).at(0);
  CHECK(second.links == std::vector<PeerId>{101, 102});
  CHECK(second.state.sequence == first.state.sequence + 1);
}

TEST_CASE("Neighbours are told once an interval") {
  Learned bench;
  CHECK_FALSE(bench.scheduler.next_tick());
  bench.pass(1h);
  CHECK(bench.tick().empty());
  (void)bench.peer_up(101, fogctl_node("a"));
  for (int i = 0; i < 3; ++i) {
    CHECK(bench.scheduler.next_tick() == bench.now + 1s);
    bench.pass(1s - 1ns);
    CHECK(bench.tick().empty());
    bench.pass(1ns);
    CHECK(all<ShareState>(bench.tick()).size() == 1);
  }
}

TEST_CASE("A wait that changed by half and by 20 ms is told at once") {
  struct Row {
    const char* name;
    std::size_t told;  // tasks of 10 ms
    std::size_t now;
    bool is_told;
  };
  constexpr Row rows[] = {
      {"none", 10, 10, false},
      {"more by less than half", 10, 14, false},
      {"more by half", 10, 15, true},
      {"less by half", 10, 5, true},
      {"from nothing by 10 ms", 0, 1, false},
      {"from nothing by 20 ms", 0, 2, true},
      {"to nothing from 10 ms", 1, 0, false},
      {"to nothing", 2, 0, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Learned bench;
    (void)bench.light_tasks(row.told);
    (void)bench.peer_up(101, fogctl_node("a"));
    bench.pass(100ms - 1ns);
    CHECK(bench.light_tasks(row.now).empty());  // ten times an interval at most
    bench.pass(1ns);
    CHECK(bench.light_tasks(row.now).size() == (row.is_told ? 1 : 0));
    CHECK(bench.light_tasks(row.now).empty());
  }
}

TEST_CASE("That this node takes no task any more, or takes tasks again, is told at once") {
  Learned bench;
  (void)bench.peer_up(101, fogctl_node("a"));
  bench.pass(100ms);
  CHECK_FALSE(only<ShareState>(bench.load(0)).state.expected_wait);
  bench.pass(100ms);
  CHECK(bench.load(0).empty());
  CHECK(only<ShareState>(bench.load(1)).state.expected_wait == 0ms);
}

TEST_CASE("A node that stops tells its neighbours that it takes no task, from then on") {
  Learned bench;
  CHECK(bench.scheduler.own_state().expected_wait == 0ms);
  (void)bench.peer_up(101, fogctl_node("a"));
  CHECK_FALSE(only<ShareState>(bench.drain()).state.expected_wait);
  CHECK_FALSE(all<ShareState>(bench.live(1)).at(0).state.expected_wait);
  CHECK_FALSE(bench.scheduler.own_state().expected_wait);
  CHECK(Learned().drain().empty());
}

TEST_CASE("Over a link that is retired a neighbour is told that this node takes nothing there") {
  Learned bench;
  (void)bench.peer_up(101, fogctl_node("a", false));
  const auto told = all<ShareState>(bench.peer_up(102, fogctl_node("a", false)));
  REQUIRE(told.size() == 2);
  CHECK(told[0].links == std::vector<PeerId>{102});
  CHECK(told[0].state.expected_wait == 0ms);
  CHECK(told[1].links == std::vector<PeerId>{101});
  CHECK_FALSE(told[1].state.expected_wait);
}

TEST_CASE("A second link to the same node is closed as such, after its last words") {
  Learned bench;
  (void)bench.peer_up(101, fogctl_node("a"));
  bench.pass(500ms);
  (void)bench.peer_up(102, fogctl_node("a"));
  bench.pass(999ms);
  CHECK(all<CloseLink>(bench.tick()).empty());
  const auto closed = all<CloseLink>(bench.live(1)).at(0);
  CHECK(closed.link == 101);
  CHECK(closed.why == Why::duplicate);
}

TEST_CASE("A link that is retired is closed only once nothing is under way on it") {
  Away bench;
  (void)bench.task(task_of("light", "u2"), 101, "77");
  bench.scheduler.on_peer_leaves(101, bench.now);
  CHECK(all<CloseLink>(bench.live(3)).empty());
  (void)bench.link_result(101, bench.id, result_of("u1"));
  CHECK(all<CloseLink>(bench.live(2)).empty());
  (void)bench.result(result_of("u2"));
  const auto closed = all<CloseLink>(bench.live(1)).at(0);
  CHECK(closed.link == 101);
  CHECK(closed.why == Why::surplus);
}

TEST_CASE("More neighbours than are allowed: one link is retired, and closed as surplus") {
  SchedulerOptions options = bench_options();
  options.max_neighbours = 2;
  Learned bench(options);
  for (PeerId link = 101; link <= 104; ++link) {
    (void)bench.peer_up(link, fogctl_node(std::to_string(link)));
    bench.scheduler.on_peer_delay(link, 1ms);
  }
  const auto closed = all<CloseLink>(bench.live(2));
  REQUIRE(closed.size() >= 2);
  CHECK(closed[0].why == Why::surplus);
  CHECK(closed[1].why == Why::surplus);
  CHECK(closed[0].link != closed[1].link);
}

TEST_CASE("A silent neighbour's link is closed, and any answer of it counts as a word") {
  Away bench;
  (void)bench.peer_up(102, fogctl_node("b"));
  CHECK(all<CloseLink>(bench.live(2, 101)).empty());
  (void)bench.link_result(101, bench.id, result_of("u1"));
  CHECK(all<CloseLink>(bench.live(3, 101)).empty());
  const auto closed = all<CloseLink>(bench.live(1, 101));
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].link == 101);
  CHECK(closed[0].why == Why::silent);
}

TEST_CASE("A silent neighbour's link is closed also while this node has news all the time") {
  Learned bench;
  (void)bench.peer_up(101, fogctl_node("a"));
  std::vector<CloseLink> closed;
  for (std::size_t i = 0; i < 10; ++i) {
    bench.pass(500ms);
    CHECK(bench.light_tasks(i % 2 * 10).size() == (i > 0 ? 1 : 0));
    for (const CloseLink& close : all<CloseLink>(bench.tick())) closed.push_back(close);
  }
  REQUIRE(!closed.empty());
  CHECK(closed[0].why == Why::silent);
}

TEST_CASE("After this node stood still no neighbour is taken for silent") {
  Learned bench;
  (void)bench.peer_up(101, fogctl_node("a"));
  bench.pass(1h);
  CHECK(all<CloseLink>(bench.tick()).empty());
  CHECK(all<CloseLink>(bench.live(3, 101)).empty());
  CHECK(all<CloseLink>(bench.live(1, 101)).size() == 1);
}

}  // namespace
}  // namespace fogctl
