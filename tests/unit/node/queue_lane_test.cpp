// The way to a queue that blocks: what is submitted meanwhile goes in one, and yet in the order
// that counts.
#include <doctest/doctest.h>

#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "node/queue_lane.hpp"
#include "programs/command_handlers.hpp"
#include "queue/memory_queue.hpp"
#include "support/failing_queue.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

/// Says that it blocks, as one on the network does.
struct BlockingQueue : FailingQueue {
  using FailingQueue::FailingQueue;
  [[nodiscard]] bool blocks() const override { return true; }
};

struct Scene {
  Scene()
      : queue(std::make_unique<MemoryQueue>(std::make_shared<MemoryStore>(QueueLimits{}), "me")),
        pool(queue, handlers, clock, PoolOptions{}, {}),
        lane(queue, pool, clock, events(), [](const std::function<void()>& event) { event(); }) {
    set_log_level(LogLevel::off);
  }
  ~Scene() { set_log_level(LogLevel::info); }

  LaneEvents events() {
    LaneEvents all;
    all.on_enqueued = [this](const auto& answers) {
      for (const LaneAnswer& one : answers) {
        say((one.outcome ? "enqueued " : "refused ") + one.uid);
      }
    };
    all.on_withdrawn = [this](const auto& answers) {
      for (const LaneWithdrawal& one : answers) {
        const bool is_away = one.number.has_value() && *one.number != 0;
        say((is_away ? "withdrawn " : one.number ? "not withdrawn " : "unavailable ") + one.uid);
      }
    };
    all.on_load = [](const QueueLoad&) {};
    all.on_down = [this](const Error&) { say("down"); };
    all.on_up = [this](bool) { say("up"); };
    return all;
  }
  void say(std::string what) {
    const std::lock_guard lock(mutex);
    said.push_back(std::move(what));
  }
  NewTask task(const std::string& uid) {
    Task made;
    made.uid = uid;
    made.name = "echo";
    return {std::make_shared<const Task>(made), clock.now(), clock.now() + 60s};
  }
  NewTask away_task(const std::string& uid) {
    NewTask made = task(uid);
    made.away = true;
    return made;
  }
  /// The number of its lease.
  std::uint32_t hold(const NewTask& away) {
    const auto held = queue.enqueue({&away, 1}, {}, clock.now());
    REQUIRE(held.has_value());
    return held->outcomes[0].number;
  }
  /// Its first call fails: what it has to end or to give back.
  void do_while_settling_fails(LaneWork work) {
    queue.fail_next(FailingQueue::When::before);
    lane.submit(std::move(work));  // before the lane asks for the load
    lane.start();
    CHECK(lane.stop(clock.now() + 60s));
  }
  LaneWork enqueue(const std::string& uid) {
    LaneWork work;
    work.enqueue.push_back(task(uid));
    return work;
  }
  static LaneWork withdraw(const std::string& uid) {
    LaneWork work;
    work.withdraw.push_back(uid);
    return work;
  }
  /// The lane's thread is busy until the gate opens: what is submitted meanwhile piles up.
  void occupy(std::shared_future<void> gate) {
    std::promise<void> begun;
    LaneWork work;
    work.calls.push_back([&begun, gate = std::move(gate)](TaskQueue&) {
      begun.set_value();
      gate.wait();
      return std::function<void()>([] {});
    });
    lane.submit(std::move(work));
    begun.get_future().wait();
  }

  SystemClock clock;
  Handlers handlers{built_in_handlers()};
  BlockingQueue queue;
  std::mutex mutex;
  std::vector<std::string> said;
  WorkerPool pool;  // not started: nobody takes what is queued
  QueueLane lane;
};

using Said = std::vector<std::string>;

TEST_CASE("queue lane: what is withdrawn is not overtaken by what comes behind it") {
  Scene scene;
  scene.lane.start();
  std::promise<void> gate;
  scene.occupy(gate.get_future().share());
  scene.lane.submit(scene.enqueue("a"));
  scene.lane.submit(Scene::withdraw("a"));
  scene.lane.submit(scene.enqueue("b"));
  scene.lane.submit(Scene::withdraw("b"));
  scene.lane.submit(Scene::withdraw("c"));
  gate.set_value();
  CHECK(scene.lane.stop(scene.clock.now() + 60s));
  CHECK(scene.said ==
        Said{"enqueued a", "withdrawn a", "enqueued b", "withdrawn b", "not withdrawn c"});
}

TEST_CASE("queue lane: a queue that cannot be asked is down, and is told to be up again") {
  Scene scene;
  scene.queue.fail_next(FailingQueue::When::before);
  scene.lane.submit(Scene::withdraw("a"));  // before the lane asks for the load: this is to fail
  scene.lane.start();
  const Instant end = scene.clock.now() + 10s;
  const auto has_said = [&](std::size_t count) {
    const std::lock_guard lock(scene.mutex);
    return scene.said.size() >= count;
  };
  while (!has_said(3) && scene.clock.now() < end) std::this_thread::sleep_for(1ms);
  CHECK(scene.lane.stop(scene.clock.now() + 60s));
  CHECK(scene.said == Said{"down", "unavailable a", "up"});
}

TEST_CASE("queue lane: a uid that comes again waits until the queue knows of the last one's end") {
  Scene scene;
  const NewTask away = scene.away_task("a");
  const std::uint32_t number = scene.hold(away);
  LaneWork work = scene.enqueue("a");
  work.enqueue.push_back(scene.task("b"));
  work.finish.push_back({{"a", number}, away.task, {}, {}});
  scene.do_while_settling_fails(std::move(work));
  CHECK(scene.said == Said{"down", "refused a", "up", "enqueued b"});
}

TEST_CASE("queue lane: what is about to come back is neither withdrawn nor away again") {
  Scene scene;
  const NewTask away = scene.away_task("a");
  const std::uint32_t number = scene.hold(away);
  LaneWork work = scene.enqueue("b");
  work.give_back.push_back({"a", number});
  SUBCASE("") {
    work.withdraw.push_back("a");
  }
  SUBCASE("") {
    work.enqueue.push_back(away);
  }
  const bool is_withdrawal = !work.withdraw.empty();
  scene.do_while_settling_fails(std::move(work));
  const char* refused = is_withdrawal ? "unavailable a" : "refused a";
  CHECK(scene.said == Said{"down", refused, "up", "enqueued b"});
}

TEST_CASE("queue lane: it owes what ended and what goes back until the queue has heard of it") {
  Scene scene;
  LaneWork work;
  for (const std::string uid : {"a", "b"}) {
    const NewTask away = scene.away_task(uid);
    const LeaseRef lease{uid, scene.hold(away)};
    if (uid == "a") work.finish.push_back({lease, away.task, cancelled_result(uid), {}});
    if (uid == "b") work.give_back.push_back(lease);
  }
  CHECK_FALSE(scene.lane.owes());
  scene.queue.fail_next(FailingQueue::When::before);
  scene.lane.submit(std::move(work));
  CHECK(scene.lane.owes());
  scene.lane.start();  // the first call fails
  const Instant end = scene.clock.now() + 10s;
  while (scene.lane.owes() && scene.clock.now() < end) std::this_thread::sleep_for(1ms);
  CHECK_FALSE(scene.lane.owes());
  CHECK(scene.queue.held(true)->empty());
  CHECK(scene.lane.stop(scene.clock.now() + 60s));
}

TEST_CASE("queue lane: a call that hangs does not keep who stops the lane") {
  Scene scene;
  scene.lane.start();
  std::promise<void> gate;
  std::promise<void> stopped;
  std::jthread opener([&] {
    stopped.get_future().wait_for(10s);
    gate.set_value();
  });
  scene.occupy(gate.get_future().share());
  scene.lane.submit(scene.enqueue("a"));
  CHECK_FALSE(scene.lane.stop(scene.clock.now() + 10ms));
  stopped.set_value();
  CHECK(scene.lane.stop(scene.clock.now() + 60s));
  CHECK(scene.said == Said{"enqueued a"});
}

}  // namespace
}  // namespace fogctl
