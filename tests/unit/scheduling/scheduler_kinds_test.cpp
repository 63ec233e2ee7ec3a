// Which tasks can run where: what is told of it, what is placed by it, and what can run nowhere.
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

/// A node that can run light alone, with the neighbours 101 (thumbnail) and 102 (ocr).
struct Different : SchedulerBench {
  Different() {
    (void)load(1);
    (void)own_kinds({"light"});
    add(101, "a", "thumbnail");
    add(102, "b", "ocr");
  }
  void add(PeerId link, const char* id, const char* name) {
    (void)peer_up(link, fogctl_node(id));
    (void)kinds(link, {name});
    (void)peer_state(link, 0s);
  }
  /// Where the task is handed to, once the queue holds it as away.
  HandOn hand_on(const Task& task) {
    REQUIRE(only<EnqueueTask>(this->task(task)).away);
    return only<HandOn>(enqueued(task.uid, Kind::away, 5));
  }
};

TaskError error_in(const Actions& actions) {
  const auto answers = all<ReturnResult>(actions);
  REQUIRE(answers.size() == 1);
  REQUIRE(answers[0].result.error);
  return *answers[0].result.error;
}

TEST_CASE("A neighbour hears which tasks this node can run before it hears of its state") {
  SchedulerBench bench;
  (void)bench.own_kinds({"light", "thumbnail"});
  const Actions actions = bench.peer_up(101, fogctl_node("a"));
  REQUIRE(actions.size() == 2);
  REQUIRE(std::holds_alternative<ShareKinds>(actions[0]));
  const auto& shared = std::get<ShareKinds>(actions[0]);
  CHECK(shared.links == std::vector<PeerId>{101});
  REQUIRE(shared.kinds.size() == 2);
  CHECK(shared.kinds[1].name == "thumbnail");
  CHECK(std::holds_alternative<ShareState>(actions[1]));
  CHECK(all<ShareKinds>(bench.peer_up(102, original_node("10.0.0.9"))).empty());
}

TEST_CASE("Neighbours hear of a new table at once, and original ones never") {
  SchedulerBench bench;
  (void)bench.peer_up(101, fogctl_node("a"));
  (void)bench.peer_up(102, original_node("10.0.0.9"));
  const auto shared = all<ShareKinds>(bench.own_kinds({"ocr"}));
  REQUIRE(shared.size() == 1);
  CHECK(shared[0].links == std::vector<PeerId>{101});
  CHECK(shared[0].kinds == TaskKinds{{"ocr", TaskClass::light, {}, 0}});
}

TEST_CASE("Measured times are told where they changed much, and no more often than every 5 s") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.peer_up(101, fogctl_node("a"));
  const auto run = [&](const char* uid, Duration time) {
    (void)bench.task(task_of("light", uid));
    (void)bench.enqueued(uid, Kind::queued);
    TaskResult result = result_of(uid);
    result.execution_time = time;
    (void)bench.result(result);
  };
  const auto told = [&](Duration later) {
    bench.pass(later);
    (void)bench.peer_state(101, 0s);  // it is not silent
    return all<ShareKinds>(bench.tick());
  };
  CHECK(told(6s).empty());
  run("u1", 10ms);
  CHECK(told(2s).empty());  // not yet
  const auto first = told(4s);
  REQUIRE(first.size() == 1);
  CHECK(first[0].kinds[0].time == 10ms);
  CHECK(first[0].kinds[0].runs == 1);
  run("u2", 12ms);
  CHECK(told(6s).empty());  // 11.4 ms are about the same
  run("u3", 100ms);
  CHECK(told(6s).size() == 1);
}

TEST_CASE("A task goes to a neighbour that can run it, however busy, and to no other") {
  Different bench;
  (void)bench.peer_state(102, 500s);
  CHECK(bench.hand_on(task_of("thumbnail", "u1")).link == 101);
  CHECK(bench.hand_on(task_of("ocr", "u2")).link == 102);
  CHECK_FALSE(only<EnqueueTask>(bench.task(task_of("light", "u3"))).away);
}

TEST_CASE("A task that no node in reach can run is answered at once, by its name") {
  Different bench;
  const TaskError error = error_in(bench.task(task_of("video", "u1")));
  CHECK(error.code == TaskErrorCode::unplaceable);
  CHECK(error.message == "field 'task_name': no node in reach can run 'video'");
  CHECK(bench.scheduler.unanswered() == 0);
}

TEST_CASE("Neighbours are not in reach of a node that hands them nothing") {
  SchedulerOptions options = bench_options();
  options.hands_to_neighbours = false;
  SchedulerBench bench(options);
  (void)bench.load(1);
  (void)bench.peer_up(101, fogctl_node("a"));
  (void)bench.kinds(101, {"thumbnail"});
  (void)bench.peer_state(101, 0s);
  CHECK(error_in(bench.task(task_of("thumbnail", "u1"))).code == TaskErrorCode::unplaceable);
}

TEST_CASE("While a neighbour has not said what it can run, a task waits for its word") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.peer_up(101, fogctl_node("a"));
  CHECK(bench.task(task_of("thumbnail", "u1")).empty());
  (void)bench.kinds(101, {"thumbnail"});
  const Actions actions = bench.peer_state(101, 0s);
  CHECK(only<EnqueueTask>(actions).away);
}

TEST_CASE("A task that waited for nothing is answered when its patience is over") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.peer_up(101, fogctl_node("a"));
  CHECK(bench.task(task_of("thumbnail", "u1")).empty());
  bench.pass(2s);
  CHECK(error_in(bench.tick()).code == TaskErrorCode::unplaceable);
}

TEST_CASE("A neighbour that never says counts as one of the first, and an original one as such") {
  SchedulerBench bench;
  (void)bench.own_kinds({"ocr"});
  (void)bench.load(1);
  (void)bench.peer_up(101, fogctl_node("a"));
  (void)bench.peer_state(101, 0s);
  CHECK(only<EnqueueTask>(bench.task(task_of("echo", "u1"))).away);
  CHECK(error_in(bench.task(task_of("thumbnail", "u2"))).code == TaskErrorCode::unplaceable);

  SchedulerBench other;
  (void)other.own_kinds({"ocr"});
  (void)other.load(1);
  (void)other.peer_up(101, original_node("10.0.0.9"));
  (void)other.peer_state(101, 0s);
  CHECK(only<EnqueueTask>(other.task(task_of("heavy", "u1"))).away);
  CHECK(error_in(other.task(task_of("echo", "u2"))).code == TaskErrorCode::unplaceable);
}

TEST_CASE("The cloud is given what it says that it can run") {
  auto bench = SchedulerBench::with_workers();
  (void)bench.cloud_up();
  (void)bench.kinds(cloud_link, {"thumbnail"});
  CHECK(only<EnqueueTask>(bench.task(task_of("thumbnail", "u1"))).away);
  CHECK_FALSE(only<EnqueueTask>(bench.task(cloud_task("heavy", "u2"))).away);
  (void)bench.cloud_down();
  CHECK(error_in(bench.task(task_of("thumbnail", "u3"))).code == TaskErrorCode::unplaceable);
}

TEST_CASE("A task whose only node is gone waits for one") {
  Different bench;
  (void)bench.hand_on(task_of("thumbnail", "u1"));
  CHECK(bench.peer_lost(101).empty());
  CHECK(bench.placed_again == 1);

  SUBCASE("it comes back") {
    (void)bench.peer_up(103, fogctl_node("c"));
    (void)bench.kinds(103, {"thumbnail"});
    CHECK(only<HandOn>(bench.peer_state(103, 0s)).link == 103);
  }
  SUBCASE("it is given up") {
    Actions actions;
    CHECK(bench.scheduler.on_cancel("u1", actions));
    CHECK(all<FinishAway>(actions).size() == 1);
    CHECK(error_in(actions).code == TaskErrorCode::cancelled);
  }
  SUBCASE("this node learns to run it") {
    CHECK(all<TakeBack>(bench.own_kinds({"thumbnail"})).size() == 1);
  }
}

TEST_CASE("A neighbour that turned a task away as unplaceable is not the last word") {
  Different bench;
  (void)bench.kinds(102, {"ocr", "thumbnail"});
  const HandOn sent = bench.hand_on(task_of("thumbnail", "u1"));
  const PeerId other = sent.link == 101 ? 102 : 101;
  const Actions actions =
      bench.link_result(sent.link, sent.id, error_of("", TaskErrorCode::unplaceable));
  CHECK(only<HandOn>(actions).link == other);
}

TEST_CASE("A task without a class has this node's for its name, else a neighbour's") {
  Different bench;
  CHECK(bench.scheduler.class_of("light") == TaskClass::light);
  CHECK(bench.scheduler.class_of("ocr") == TaskClass::medium);
  CHECK(bench.scheduler.class_of("video") == TaskClass::light);
}

TEST_CASE("What a task takes at a neighbour is by that neighbour's word") {
  Different bench;
  Actions ignored;
  bench.scheduler.on_kinds(101, {{"thumbnail", TaskClass::medium, 3s, 9}}, bench.now, ignored);
  const HandOn sent = bench.hand_on(task_of("thumbnail", "u1"));
  CHECK(sent.task->estimated_execution_time == 3);
}

TEST_CASE("How far a task is reaches everyone who waits for it, where that was asked for") {
  Different bench;
  Task wanted = task_of("thumbnail", "u1");
  wanted.other_fields = {{"want_progress", "true"}};
  const HandOn sent = bench.hand_on(wanted);
  CHECK(sent.task->other_fields == wanted.other_fields);
  (void)bench.task(task_of("thumbnail", "u1"), 9, "77");
  Actions actions;
  bench.scheduler.on_link_progress(101, sent.id, 0.5, bench.now, actions);
  const auto told = all<TellProgress>(actions);
  REQUIRE(told.size() == 2);
  CHECK(told[0].share == 0.5);
  CHECK(told[0].uid == "u1");
  CHECK(told[0].origin.task_id == "1");
  CHECK(told[1].origin.peer == 9);
  CHECK(told[1].origin.task_id == "77");

  Actions wrong;
  bench.scheduler.on_link_progress(102, sent.id, 0.5, bench.now, wrong);  // not its task
  bench.scheduler.on_progress("nobody", 0.5, wrong);
  CHECK(wrong.empty());
  (void)bench.task(task_of("light"), 3);
  CHECK(bench.scheduler.unanswered() == 2);
}

TEST_CASE("A client that did not ask hears no progress") {
  auto bench = SchedulerBench::with_workers();
  const auto queued = only<EnqueueTask>(bench.task(task_of("light")));
  CHECK(bench.progress(queued.task->uid, 0.5).empty());
}

}  // namespace
}  // namespace fogctl
