// Links over which much is to be sent yet: they get no more, and what can go nowhere else waits.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "scheduling/scheduler.hpp"
#include "support/scheduler_bench.hpp"
#include "support/steal_bench.hpp"

namespace fogctl {
namespace {

using namespace support;
using namespace std::chrono_literals;
using Kind = EnqueueAnswer::Kind;

constexpr PeerId client = 1;
constexpr PeerId runner = 101;  // a neighbour that alone can run thumbnail
constexpr PeerId other = 102;   // one that cannot
constexpr std::uint32_t lease = 5;
constexpr std::size_t most = 1000;

SchedulerOptions bounded(SchedulerOptions options = bench_options()) {
  options.most_unsent = most;
  options.kept_decisions = 10;
  return options;
}

Task sized(std::string_view name, std::string_view uid, std::size_t size) {
  Task task = task_of(name, uid);
  task.content = "\"" + std::string(size - 2, 'x') + "\"";
  return task;
}

template <typename Bench>
Actions unsent(Bench& bench, PeerId link, std::size_t bytes) {
  Actions out;
  bench.scheduler.on_unsent(link, bytes, bench.now, out);
  return out;
}

struct Narrow : SchedulerBench {
  Narrow() : SchedulerBench(bounded()) {
    (void)load(1);
    (void)own_kinds({"light"});
    for (const auto& [link, id, name] :
         {std::tuple(other, "b", "ocr"), std::tuple(runner, "a", "thumbnail")}) {
      (void)peer_up(link, fogctl_node(id));
      (void)kinds(link, {name});
      (void)peer_state(link, 0s);
    }
  }
  Actions wait(Duration time) {
    pass(time);
    (void)peer_state(other, 0s);  // neither is silent
    Actions out = peer_state(runner, 0s);
    for (Action& action : tick()) out.push_back(std::move(action));
    return out;
  }
};

TEST_CASE("A task for a link that is full is accepted, waits, and goes once there is room") {
  Narrow bench;
  CHECK(unsent(bench, runner, most + 1).empty());
  CHECK(bench.scheduler.is_full(runner));
  CHECK(only<EnqueueTask>(bench.task(task_of("thumbnail", "u1"))).away);
  CHECK(all<TellAccepted>(bench.enqueued("u1", Kind::away, lease)).size() <= 1);
  const Actions waited = bench.wait(1h);
  CHECK(all<ReturnResult>(waited).empty());
  CHECK(all<HandOn>(waited).empty());
  CHECK(unsent(bench, runner, most / 2 + 1).empty());  // not before it is half empty
  CHECK(all<HandOn>(unsent(bench, runner, most / 2)).size() == 1);
  CHECK_FALSE(bench.scheduler.is_full(runner));
}

TEST_CASE("Of tasks that go at once only as many go as make the link full") {
  Narrow bench;
  constexpr int count = 5;
  for (int i = 0; i < count; ++i) {
    (void)bench.task(sized("thumbnail", "u" + std::to_string(i), most * 2 / 5), client,
                     std::to_string(i));
  }
  std::size_t handed = 0;
  for (int i = 0; i < count; ++i) {
    handed += all<HandOn>(bench.enqueued("u" + std::to_string(i), Kind::away, lease)).size();
  }
  CHECK(handed == 3);
  CHECK(all<HandOn>(unsent(bench, runner, 0)).size() == 2);
  CHECK(bench.scheduler.away() == count);
}

TEST_CASE("A link that has nothing to send takes any task, however long") {
  Narrow bench;
  CHECK(only<EnqueueTask>(bench.task(sized("thumbnail", "u1", 10 * most))).away);
  CHECK(all<HandOn>(bench.enqueued("u1", Kind::away, lease)).size() == 1);
  CHECK(bench.scheduler.is_full(runner));
}

TEST_CASE("What can run here does not wait for a link") {
  SchedulerBench bench(bounded());
  (void)bench.load(1);
  (void)bench.cloud_up();
  (void)unsent(bench, cloud_link, most + 1);
  CHECK_FALSE(only<EnqueueTask>(bench.task(cloud_task("heavy", "u1"))).away);
}

TEST_CASE("The way to the cloud is full likewise, until the cloud is another one") {
  SchedulerBench bench(bounded());
  (void)bench.own_kinds({"light"});
  (void)bench.cloud_up();
  (void)unsent(bench, cloud_link, most + 1);
  CHECK(only<EnqueueTask>(bench.task(task_of("heavy", "u1"))).away);
  CHECK(all<HandOn>(bench.enqueued("u1", Kind::away, lease)).empty());
  SUBCASE("it empties") {
    CHECK(all<HandOn>(unsent(bench, cloud_link, 0)).size() == 1);
  }
  SUBCASE("it breaks") {
    (void)bench.cloud_down();
    CHECK(all<HandOn>(bench.cloud_up()).size() == 1);
  }
}

TEST_CASE("A neighbour's task is not promised for a full link: that node has it still") {
  Narrow bench;
  (void)unsent(bench, runner, most + 1);
  CHECK(all<EnqueueTask>(bench.task(task_of("thumbnail", "u1"), other)).empty());
  CHECK(all<ReturnResult>(bench.wait(3s)).size() == 1);
}

TEST_CASE("A task that may not be handed on is not promised either") {
  Narrow bench;
  (void)unsent(bench, runner, most + 1);
  Task task = task_of("thumbnail", "u1");
  task.max_offload = 0;
  CHECK(all<EnqueueTask>(bench.task(std::move(task))).empty());
  CHECK(all<ReturnResult>(bench.wait(3s)).size() == 1);
}

TEST_CASE("A node that stops keeps what waits for room until it has gone") {
  Narrow bench;
  (void)unsent(bench, runner, most + 1);
  (void)bench.drain();
  const Actions taken = bench.taken(task_of("thumbnail", "u1"), lease, "");
  CHECK(all<TakeBack>(taken).empty());
  CHECK(all<HandOn>(unsent(bench, runner, 0)).size() == 1);
}

TEST_CASE("People hear why nothing goes there") {
  Narrow bench;
  (void)unsent(bench, runner, most + 1);
  const DecisionView view = bench.scheduler.plan(task_of("thumbnail"), bench.now);
  CHECK_FALSE(view.is_refused);
  const auto place = std::ranges::find(view.places, runner, &Considered::link);
  REQUIRE(place != view.places.end());
  CHECK(place->verdict == PlaceVerdict::link_full);
}

/// Its one worker has a task of 10 ms, and two neighbours have free ones.
struct Busy : StealBench {
  Busy() : StealBench(bounded(in_time_options())) {
    (void)load(1);
    for (int i = 0; i < 2; ++i) {
      (void)task(task_of("light", "u0"));
      (void)enqueued("u0", Kind::queued);
      if (i == 0) (void)result(result_of("u0"));
    }
    Actions none;
    scheduler.on_started("u0", now, none);
    meet();
    for (const PeerId link : {101, 102}) (void)told(link, waiting_state(0));
  }
  void fill() {
    for (const PeerId link : {101, 102}) (void)unsent(*this, link, most + 1);
  }
};

TEST_CASE("No copy goes over a link that became full since it was planned") {
  Busy bench;
  CHECK_FALSE(only<EnqueueTask>(bench.task(hurried())).away);
  SUBCASE("room") {
    CHECK(all<HandOn>(bench.enqueued("u1", Kind::queued)).size() == 1);
  }
  SUBCASE("full") {
    bench.fill();
    CHECK(all<HandOn>(bench.enqueued("u1", Kind::queued)).empty());
  }
}

TEST_CASE("Nothing is given to a neighbour that asks while the link to it is full") {
  Busy bench;
  Task task = task_of("light", "u1");
  task.exclusive = true;  // it has no copies
  task.time_requirement = 1h;
  (void)bench.task(std::move(task));
  (void)bench.enqueued("u1", Kind::queued);
  SUBCASE("room") {
    CHECK(all<Withdraw>(bench.steal(101, 1)).size() == 1);
  }
  SUBCASE("full") {
    bench.fill();
    CHECK(only<RefuseSteal>(bench.steal(101, 1)).link == 101);
  }
}

TEST_CASE("A neighbour is not silent while a long message of it comes") {
  Narrow bench;
  const auto closed = [&](Duration time) {
    bench.pass(time);
    (void)bench.peer_state(other, 0s);
    return all<CloseLink>(bench.tick());
  };
  for (int i = 0; i < 10; ++i) {
    bench.scheduler.on_peer_heard(runner, bench.now);
    CHECK(closed(1s).empty());
  }
  CHECK(closed(1s).empty());
  CHECK(closed(1s).empty());
  CHECK(closed(1s).size() == 1);
}

TEST_CASE("A neighbour gets tasks while a long message of it comes, though its state is old") {
  Narrow bench;
  bench.pass(5s);
  (void)bench.peer_state(other, 0s);
  CHECK(all<EnqueueTask>(bench.task(task_of("thumbnail", "u1"))).empty());
  bench.scheduler.on_peer_heard(runner, bench.now);
  CHECK(only<EnqueueTask>(bench.task(task_of("thumbnail", "u2"), client, "2")).away);
}

TEST_CASE("A link that this node closes, as its peer does not read, costs its tasks no attempt") {
  Narrow bench;
  (void)bench.task(task_of("thumbnail", "u1"));
  (void)bench.enqueued("u1", Kind::away, lease);
  int attempts = 1;
  SUBCASE("the peer is gone") {}
  SUBCASE("it does not read") {
    bench.scheduler.on_peer_unread(runner);
    attempts = 0;
  }
  (void)bench.peer_lost(runner);
  (void)bench.peer_up(103, fogctl_node("c"));
  (void)bench.kinds(103, {"thumbnail"});
  const auto again = all<HandOn>(bench.peer_state(103, 0s));
  REQUIRE(again.size() == 1);
  CHECK(again[0].task->attempts == attempts);
}

TEST_CASE("A task whose links break as often as it may run is handed on no more, and is dead") {
  Narrow bench;
  (void)bench.task(task_of("thumbnail", "u1"));
  CHECK(only<HandOn>(bench.enqueued("u1", Kind::away, lease)).link == runner);
  for (const PeerId next : {103U, 104U}) {
    (void)bench.peer_lost(next == 103 ? runner : next - 1);
    (void)bench.peer_up(next, fogctl_node("c"));
    (void)bench.kinds(next, {"thumbnail"});
    CHECK(all<HandOn>(bench.peer_state(next, 0s)).size() == 1);
  }
  const Actions out = bench.peer_lost(104);
  CHECK(all<FinishAway>(out).at(0).dead_after == 3);
  const TaskResult result = all<ReturnResult>(out).at(0).result;
  REQUIRE(result.error);
  CHECK(result.error->code == TaskErrorCode::task_failed);
  CHECK(result.error->message == "3 runs began, and the worker of each was lost before it ended");
}

TEST_CASE("An answer that cannot be read is a run that brought nothing") {
  Narrow bench;
  (void)bench.task(task_of("thumbnail", "u1"));
  Actions out = bench.enqueued("u1", Kind::away, lease);
  for (int attempts = 0; attempts < 3; ++attempts) {
    const auto sent = only<HandOn>(out);
    CHECK(sent.task->attempts == attempts);
    out.clear();
    CHECK(bench.scheduler.on_link_junk(runner, sent.id, bench.now, out));
    CHECK_FALSE(bench.scheduler.on_link_junk(runner, sent.id, bench.now, out));
    if (attempts < 2) out = bench.peer_state(runner, 0s);  // it may have it again, by and by
  }
  CHECK(all<FinishAway>(out).at(0).dead_after == 3);
  CHECK(all<ReturnResult>(out).at(0).result.error->code == TaskErrorCode::task_failed);
}

}  // namespace
}  // namespace fogctl
