// A Redis that does not answer while the process ends: no call lasts longer than is left for it.
#include <atomic>
#include <future>
#include <thread>

#include "contract/queues.hpp"
#include "queue/redis_route.hpp"

namespace fogctl::contract {
namespace {

constexpr RedisTimeouts long_ones{.connect = 60s, .call = 60s};
/// Far less than those, and more than a busy machine needs.
constexpr Duration soon = 30s;

struct Frozen {
  RedisServer server{"no"};
  std::unique_ptr<TaskQueue> queue;

  Frozen() {
    auto options = redis_options(server, "fog", "a");
    options.timeouts = long_ones;
    queue = open_redis(options);
    must(queue->load(start()));  // over connections that are there when it freezes
    must(queue->wait(1ms));
    server.pause();
  }
  ~Frozen() { server.resume(); }
};

TEST_CASE("redis end: calls that wait end then, and later ones at once") {
  Frozen redis;
  const Instant begin = system_clock().now();
  std::atomic<int> under_way = 0;
  const auto call = [&](auto what) {
    return std::async(std::launch::async, [&under_way, what] {
      ++under_way;
      return what();
    });
  };
  auto load = call([&] { return redis.queue->load(start()); });
  auto news = call([&] { return redis.queue->wait(60s); });
  while (under_way < 2) std::this_thread::yield();
  std::this_thread::sleep_for(50ms);  // most likely both wait by then; else they end as well
  redis.queue->end_by(system_clock().now() + 100ms);
  const auto loaded = load.get();
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().code == ErrorCode::timed_out);
  CHECK_FALSE(news.get().has_value());
  for (int i = 0; i < 3; ++i) {
    const auto left = redis.queue->leave(start());
    REQUIRE_FALSE(left.has_value());
    CHECK(may_recover(left.error()));
    CHECK(left.error().message.find("no time is left") != std::string::npos);
  }
  CHECK(system_clock().now() - begin < soon);
}

TEST_CASE("redis end: until then calls go on, and it may be put off") {
  const RedisServer server("no");
  const auto queue = open_redis(redis_options(server, "fog", "a"));
  queue->end_by(system_clock().now() + 60s);
  CHECK(statuses(enqueue(*queue, {{.uid = "1"}})) == std::vector{EnqueueStatus::accepted});
  CHECK(lease(*queue, 1).size() == 1);
  queue->end_by(system_clock().now());
  CHECK_FALSE(queue->leave(start()).has_value());
  queue->end_by(system_clock().now() + 60s);
  must(queue->leave(start()));
  CHECK(must(queue->load(start())).queued[0] == 1);
}

TEST_CASE("redis end: nobody waits longer for sentinels that say nothing, one after the other") {
  const std::uint16_t port = idle_port();
  RedisServer silent("no", {"--port", std::to_string(port), "--bind", "127.0.0.1"});
  silent.pause();
  RedisAddress address;
  address.sentinels = {{"127.0.0.1", port}, {"127.0.0.1", port}};
  address.master = "mymaster";
  const Instant begin = system_clock().now();
  const std::atomic<Instant> end = begin + 200ms;
  RedisRoute route(address, {.connect = 60s, .call = 60s, .end = &end});
  CHECK_FALSE(route.open().has_value());
  CHECK(system_clock().now() - begin < soon);
  silent.resume();
}

}  // namespace
}  // namespace fogctl::contract
