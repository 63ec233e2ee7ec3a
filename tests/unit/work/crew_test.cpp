#include "work/crew.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include "base/log.hpp"
#include "queue/memory_queue.hpp"
#include "support/failing_queue.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

/// Says that it has tasks and hands none out, before it was reconnected so often and let go.
class StuckQueue final : public FailingQueue {
 public:
  StuckQueue(std::unique_ptr<TaskQueue> inner, int heals_after)
      : FailingQueue(std::move(inner)), left_(heals_after) {}

  [[nodiscard]] Result<std::vector<Lease>> lease(const LeaseWant& want, Instant now) override {
    if (left_ > 0) return std::vector<Lease>();
    return FailingQueue::lease(want, now);
  }
  void reconnect() override {
    --left_;
    is_reconnected_ = true;
    is_reconnected_.notify_all();
  }
  void let_go() { left_ = 0; }
  void wait_for_reconnect() { is_reconnected_.wait(false); }

 private:
  std::atomic<int> left_;
  std::atomic<bool> is_reconnected_ = false;
};

struct Scene {
  explicit Scene(int heals_after)
      : queue(std::make_unique<MemoryQueue>(std::make_shared<MemoryStore>(QueueLimits{}), "me"),
              heals_after),
        crew(queue, handlers, clock, options(),
             {.on_results = [this](const auto&) { answered.set_value(); },
              .on_cancelled = {},
              .on_progress = {},
              .on_lost = {}}) {
    set_log_level(LogLevel::off);
    Task task;
    task.uid = "1";
    task.name = "echo";
    task.content = "1";
    const NewTask added{std::make_shared<const Task>(task), clock.now(), clock.now() + 60s};
    CHECK(queue.enqueue({&added, 1}, {}, clock.now()).has_value());
    CHECK(crew.start().has_value());
  }
  ~Scene() {
    crew.stop_leasing(clock.now() + 10s);
    CHECK(crew.drain(clock.now() + 10s));
    crew.leave();
    set_log_level(LogLevel::info);
  }
  static CrewOptions options() {
    CrewOptions options;
    options.pool.holder = "me";
    options.watchdog = 100ms;
    return options;
  }
  void wait_for_answer() { answered.get_future().wait(); }

  SystemClock clock;
  Handlers handlers{built_in_handlers()};
  std::promise<void> answered;
  StuckQueue queue;
  Crew crew;
};

TEST_CASE("crew: work that stands still gets new connections, and goes on") {
  Scene scene(1);
  scene.queue.wait_for_reconnect();
  scene.wait_for_answer();
  while (!scene.crew.is_ready()) std::this_thread::yield();
}

TEST_CASE("crew: where these do not help it is not ready until work goes on") {
  Scene scene(1000);
  while (scene.crew.is_ready()) std::this_thread::yield();
  scene.queue.let_go();
  scene.wait_for_answer();
  while (!scene.crew.is_ready()) std::this_thread::yield();
}

/// From some moment on it answers nothing, and each call lasts until the end that it was told.
class SilentQueue final : public FailingQueue {
 public:
  using FailingQueue::FailingQueue;

  [[nodiscard]] Result<bool> extend(std::size_t workers, Duration lease, Instant now) override {
    if (is_silent) return wait_for_end();
    return FailingQueue::extend(workers, lease, now);
  }
  [[nodiscard]] Result<void> leave(Instant) override {
    return std::unexpected(wait_for_end().error());
  }
  void end_by(Instant end) override { end_ = end; }
  [[nodiscard]] Instant end() const { return end_; }
  std::atomic<bool> is_silent = false;

 private:
  [[nodiscard]] Result<bool> wait_for_end() const {
    while (clock_.now() < end_.load()) std::this_thread::sleep_for(1ms);
    return failure(ErrorCode::timed_out, "no answer");
  }
  const SystemClock clock_;
  std::atomic<Instant> end_ = Instant::max();
};

TEST_CASE("crew: it leaves a queue that says nothing long before a drain would have to end") {
  const SystemClock clock;
  const Handlers handlers(built_in_handlers());
  SilentQueue queue(
      std::make_unique<MemoryQueue>(std::make_shared<MemoryStore>(QueueLimits{}), "me"));
  CrewOptions options = Scene::options();
  options.lease = 100ms;  // so that it is about to be renewed at all times
  set_log_level(LogLevel::off);
  Crew crew(queue, handlers, clock, options,
            {.on_results = {}, .on_cancelled = {}, .on_progress = {}, .on_lost = {}});
  CHECK(crew.start().has_value());
  queue.is_silent = true;
  const Instant deadline = clock.now() + 60s;
  crew.stop_leasing(deadline);
  CHECK(queue.end() == deadline + leaving_time);
  CHECK(crew.drain(deadline));
  crew.leave();
  CHECK(clock.now() < deadline - 30s);
  set_log_level(LogLevel::info);
}

}  // namespace
}  // namespace fogctl
