// What was accepted and has no place: it waits for one, where nobody else will find it another.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "scheduling/scheduler.hpp"
#include "support/scheduler_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using namespace std::chrono_literals;
using Kind = EnqueueAnswer::Kind;

constexpr PeerId client = 1;
constexpr PeerId runner = 101;  // a neighbour that alone can run thumbnail
constexpr PeerId other = 102;   // one that cannot
constexpr std::uint32_t lease = 5;

struct Promised : SchedulerBench {
  Promised() {
    (void)load(1);
    (void)own_kinds({"light"});
    add(other, "b", "ocr");
    add(runner, "a", "thumbnail");
  }
  void add(PeerId link, const char* id, const char* name) {
    (void)peer_up(link, fogctl_node(id));
    (void)kinds(link, {name});
    (void)peer_state(link, 0s);
  }
  HandOn hand_on(const Task& task, PeerId from = client) {
    REQUIRE(only<EnqueueTask>(this->task(task, from)).away);
    return only<HandOn>(enqueued(task.uid, Kind::away, lease));
  }
  Actions wait(Duration time) {
    pass(time);
    (void)peer_state(other, 0s);  // it is not silent
    return tick();
  }
};

TEST_CASE("A task that was accepted waits until a node that can run it is there again") {
  Promised bench;
  (void)bench.hand_on(task_of("thumbnail", "u1"));
  SUBCASE("the only one is lost") {
    CHECK(bench.peer_lost(runner).empty());
  }
  SUBCASE("the only one turns it away, and is lost then") {
    const auto code = TaskErrorCode::unavailable;
    bench.add(103, "c", "thumbnail");
    CHECK(all<HandOn>(bench.peer_lost(runner)).size() == 1);
    const auto again = bench.link_result(103, 2, error_of("u1", code));
    CHECK(all<ReturnResult>(again).empty());
    CHECK(bench.peer_lost(103).empty());
  }
  CHECK(all<ReturnResult>(bench.wait(1h)).empty());
  CHECK(bench.scheduler.unanswered() == 1);
  (void)bench.peer_up(runner, fogctl_node("a"));
  (void)bench.kinds(runner, {"thumbnail"});
  const auto handed = all<HandOn>(bench.peer_state(runner, 0s));
  REQUIRE(handed.size() == 1);  // no EnqueueTask: the queue holds it still
  const Actions done = bench.link_result(runner, handed[0].id, result_of("u1"));
  CHECK(all<ReturnResult>(done).size() == 1);
  REQUIRE(all<FinishAway>(done).size() == 1);
  CHECK(all<FinishAway>(done)[0].lease_number == lease);
}

TEST_CASE("A neighbour that turned an accepted task away is asked again when it says its wait") {
  Promised bench;
  const HandOn first = bench.hand_on(task_of("thumbnail", "u1"));
  TaskErrorCode code = TaskErrorCode::unavailable;
  SUBCASE("unavailable") {}
  SUBCASE("overloaded") {
    code = TaskErrorCode::overloaded;
  }
  CHECK(bench.link_result(runner, first.id, error_of("u1", code)).empty());
  CHECK(all<HandOn>(bench.peer_state(other, 0s)).empty());
  CHECK(all<HandOn>(bench.peer_state(runner, std::nullopt)).empty());  // it takes none yet
  CHECK(all<HandOn>(bench.peer_state(runner, 1s)).size() == 1);
}

TEST_CASE("An accepted task that is turned away runs here, where it can") {
  auto bench = SchedulerBench::with_workers(1);
  (void)bench.cloud_up();
  (void)bench.task(cloud_task("heavy", "u1"));
  const auto handed = only<HandOn>(bench.enqueued("u1", Kind::away, lease));
  const auto turned_away = error_of("u1", TaskErrorCode::unavailable);
  SUBCASE("at once") {}
  SUBCASE("where a worker comes") {
    (void)bench.load(0);
    CHECK(bench.cloud_result(handed.id, turned_away).empty());
    CHECK(only<TakeBack>(bench.load(1)).lease_number == lease);
    return;
  }
  CHECK(only<TakeBack>(bench.cloud_result(handed.id, turned_away)).lease_number == lease);
}

TEST_CASE("What nobody in reach knows is answered, whoever accepted it") {
  Promised bench;
  const HandOn first = bench.hand_on(task_of("thumbnail", "u1"));
  const Actions done =
      bench.link_result(runner, first.id, error_of("u1", TaskErrorCode::unknown_task));
  CHECK(all<ReturnResult>(done).size() == 1);
}

TEST_CASE("A neighbour's task is refused after a while: that node has it still") {
  Promised bench;
  (void)bench.hand_on(task_of("thumbnail", "u1"), other);
  CHECK(bench.peer_lost(runner).empty());
  CHECK(bench.wait(1s).size() <= 1);  // the state is shared
  SUBCASE("") {
    const auto answers = all<ReturnResult>(bench.wait(2s));
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].result.error->code == TaskErrorCode::unplaceable);
  }
  SUBCASE("unless a client waits for it, too") {
    (void)bench.task(task_of("thumbnail", "u1"), client, "2");
    CHECK(all<ReturnResult>(bench.wait(2s)).empty());
    CHECK(all<ReturnResult>(bench.wait(1h)).empty());
  }
}

TEST_CASE("What waits for a place is not kept past its expiry") {
  Promised bench;
  Task task = task_of("thumbnail", "u1");
  task.expires = 10s;
  (void)bench.hand_on(task);
  (void)bench.peer_lost(runner);
  CHECK(all<ReturnResult>(bench.wait(9s)).empty());
  const auto answers = all<ReturnResult>(bench.wait(1s));
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].result.error->code == TaskErrorCode::expired);
}

TEST_CASE("A task that was found in the queue and cannot run here waits for a node that can") {
  Promised bench;
  (void)bench.peer_lost(runner);
  CHECK(bench.taken(task_of("thumbnail", "u1"), lease, "an-earlier-life").empty());
  SUBCASE("its client asks again") {
    (void)bench.task(task_of("thumbnail", "u1"));
  }
  SUBCASE("nobody asks"){}(void)bench.wait(1h);
  CHECK(bench.scheduler.unanswered() == 1);
  SUBCASE("it comes") {
    (void)bench.peer_up(runner, fogctl_node("a"));
    (void)bench.kinds(runner, {"thumbnail"});
    const auto handed = all<HandOn>(bench.peer_state(runner, 0s));
    REQUIRE(handed.size() == 1);
    const Actions done = bench.link_result(runner, handed[0].id, result_of("u1"));
    REQUIRE(all<FinishAway>(done).size() == 1);
    CHECK(all<FinishAway>(done)[0].reply_to == "an-earlier-life");
  }
}

TEST_CASE("A neighbour's task that waits for a place is promised once it is found in the queue") {
  Promised bench;
  (void)bench.peer_state(runner, std::nullopt);
  CHECK(bench.task(task_of("thumbnail", "u1"), other).empty());
  CHECK(bench.taken(task_of("thumbnail", "u1"), lease, "another-node").empty());
  CHECK(all<ReturnResult>(bench.wait(1h)).empty());
  CHECK(all<HandOn>(bench.peer_state(runner, 0s)).size() == 1);
}

TEST_CASE("Of what a queue that restarted holds as away, what is not away comes back") {
  Promised bench;
  Actions out;
  SUBCASE("what nobody knows") {
    CHECK(bench.held_away({{"u1", lease}}, out));
    CHECK(all<TakeBack>(out).size() == 1);
  }
  SUBCASE("what waits here for a worker") {
    (void)bench.task(task_of("light", "u1"));
    (void)bench.enqueued("u1", Kind::queued);
    CHECK(bench.held_away({{"u1", lease}}, out));
    CHECK(all<TakeBack>(out).size() == 1);
  }
  SUBCASE("not what the queue has not answered for") {
    (void)bench.task(task_of("light", "u1"));
    CHECK_FALSE(bench.held_away({{"u1", lease}}, out));
    CHECK(out.empty());
    (void)bench.enqueued("u1", Kind::unavailable);
    CHECK_FALSE(bench.held_away({{"u1", lease}}, out));
    CHECK(out.empty());
  }
  SUBCASE("not what a neighbour has, though it was found there") {
    const auto handed = only<HandOn>(bench.taken(task_of("thumbnail", "u1"), lease, "another"));
    CHECK(only<EnqueueTask>(bench.queue_up(true)).away);
    (void)bench.met("u1");
    CHECK(bench.held_away({{"u1", lease + 1}}, out));
    CHECK(out.empty());
    const Actions done = bench.link_result(runner, handed.id, result_of("u1"));
    CHECK(all<FinishAway>(done).at(0).lease_number == lease + 1);
  }
}

TEST_CASE("What another life had queued goes back to its workers, and who waits here asks for it") {
  Promised bench;
  (void)bench.peer_lost(runner);
  (void)bench.taken(task_of("thumbnail", "u1"), lease, "an-earlier-life");
  const auto learns = [&] { return bench.own_kinds({"light", "thumbnail"}); };
  SUBCASE("its client has come again") {
    (void)bench.task(task_of("thumbnail", "u1"));
    const Actions actions = learns();
    CHECK(all<TakeBack>(actions).at(0).lease_number == lease);
    CHECK_FALSE(all<EnqueueTask>(actions).at(0).away);
    (void)bench.met("u1");
    const auto answers = all<ReturnResult>(bench.result(result_of("u1")));
    CHECK(std::ranges::count(answers, client, [](const auto& one) { return one.origin.peer; }) ==
          1);
  }
  SUBCASE("nobody waits here") {
    const Actions actions = learns();
    CHECK(all<TakeBack>(actions).size() == 1);
    CHECK(all<EnqueueTask>(actions).empty());
  }
  CHECK(bench.scheduler.unanswered() == 0);
}

TEST_CASE("What a queue lost is offered to it again until it takes it, however full it is") {
  auto bench = SchedulerBench::with_workers(1);
  (void)bench.task(task_of("light", "u1"));
  (void)bench.enqueued("u1", Kind::queued);
  bench.scheduler.on_queue_down();
  (void)only<EnqueueTask>(bench.queue_up(true));
  for (const Kind refusal : {Kind::overloaded, Kind::failed}) {
    CHECK(bench.enqueued("u1", refusal).empty());
    bench.pass(2s);
    CHECK(only<EnqueueTask>(bench.load(1)).task->uid == "u1");
    CHECK(bench.load(1).empty());  // not all the time
  }
  (void)bench.enqueued("u1", Kind::queued);
  bench.pass(2s);
  CHECK(bench.load(1).empty());
  CHECK(all<ReturnResult>(bench.result(result_of("u1"))).size() == 1);
}

TEST_CASE("What a queue lost and has no room for ends here when it is given up") {
  auto bench = SchedulerBench::with_workers(1);
  (void)bench.task(task_of("light", "u1"));
  (void)bench.enqueued("u1", Kind::queued);
  Actions out;
  CHECK_FALSE(bench.scheduler.on_cancel("u1", out));
  bench.scheduler.on_queue_down();
  CHECK_FALSE(bench.scheduler.on_cancel("u1", out));
  (void)only<EnqueueTask>(bench.queue_up(true));
  CHECK_FALSE(bench.scheduler.on_cancel("u1", out));
  CHECK(out.empty());
  CHECK(bench.enqueued("u1", Kind::overloaded).empty());
  CHECK(bench.scheduler.on_cancel("u1", out));
  CHECK(only<ReturnResult>(out).result.error->code == TaskErrorCode::cancelled);
  CHECK(bench.scheduler.unanswered() == 0);
}

TEST_CASE(
    "Where its workers are gone for a while, and there is somewhere else, tasks are stranded") {
  auto bench = SchedulerBench::with_workers(1);
  (void)bench.task(task_of("light", "u1"));
  (void)bench.enqueued("u1", Kind::queued);
  const auto is_stranded = [&] { return bench.scheduler.has_stranded_tasks(bench.now); };
  (void)bench.load(0);
  bench.pass(6s);
  (void)bench.load(0);
  CHECK_FALSE(is_stranded());  // there is nowhere else
  (void)bench.cloud_up();
  CHECK(is_stranded());
  (void)bench.load(1);
  CHECK_FALSE(is_stranded());
  bench.pass(1h);
  (void)bench.load(0);
  CHECK_FALSE(is_stranded());  // they may be back at once
  bench.pass(5s);
  CHECK(is_stranded());
  bench.scheduler.on_queue_down();
  CHECK_FALSE(is_stranded());
}

TEST_CASE("What is given up while it waits for a place ends") {
  Promised bench;
  (void)bench.hand_on(task_of("thumbnail", "u1"));
  (void)bench.peer_lost(runner);
  Actions out;
  CHECK(bench.scheduler.on_cancel("u1", out));
  CHECK(all<FinishAway>(out).size() == 1);
  CHECK(all<ReturnResult>(out).size() == 1);
  CHECK(bench.scheduler.unanswered() == 0);
  CHECK(all<ReturnResult>(bench.wait(1h)).empty());
}

}  // namespace
}  // namespace fogctl
