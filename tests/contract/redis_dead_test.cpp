// What only the dead set in Redis must do: know its bytes though an older fogctl, which does not
// count them, changed it; and shrink where it was kept under wider bounds.
#include "contract/dead_tasks.hpp"
#include "queue/redis_connection.hpp"

namespace fogctl::contract {
namespace {

struct DeadQueue {
  [[nodiscard]] std::unique_ptr<TaskQueue> open(const std::string& holder,
                                                QueueLimits limits = {}) const {
    RedisQueueOptions options = redis_options(server, "fog", holder);
    options.limits = limits;
    return open_redis(options);
  }
  RedisReply say(std::initializer_list<std::string_view> command) const {
    return ask_redis(server.address(), command);
  }
  /// As it is in truth.
  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = 0;
    const RedisReply values = say({"HVALS", "{fog}:dead"});
    for (std::size_t i = 0; i < values.size(); ++i) sum += values[i].text().size();
    return sum;
  }
  /// As an older fogctl leaves it: its bytes were never counted.
  void forget_bytes() const { say({"HDEL", "{fog}:counts", "dead_bytes", "dead_mark"}); }
  /// As an older fogctl does it: one more of that many bytes, that died at that time.
  void add(std::string_view uid, std::size_t bytes, std::string_view died_at) const {
    say({"HSET", "{fog}:dead", uid, std::string(bytes, 'x')});
    say({"ZADD", "{fog}:dead_age", died_at, uid});
  }
  void remove(std::string_view uid) const {
    say({"HDEL", "{fog}:dead", uid});
    say({"ZREM", "{fog}:dead_age", uid});
  }

  RedisServer server{"always"};
};

constexpr std::string_view later = "9000000000000000";

}  // namespace

TEST_CASE("redis dead: the bytes of the dead outlive the server and whoever counted them") {
  DeadQueue redis;
  {
    const auto queue = redis.open("a");
    die(*queue, "t", 10'000);
    die(*queue, "u", 5'000);
  }
  redis.server.kill();
  redis.server.start();
  const auto queue = redis.open("b");
  CHECK(must(queue->load(start())).dead_bytes == redis.bytes());
  CHECK(redis.bytes() > 15'000);
}

TEST_CASE("redis dead: a dead set that a person deleted holds up none that comes after it") {
  DeadQueue redis;
  const auto queue = redis.open("a", {.max_dead_bytes = 25'000});
  die(*queue, "t", 10'000, start());
  die(*queue, "u", 10'000, start() + 1s);
  redis.say({"DEL", "{fog}:dead"});
  die(*queue, "v", 10'000, start() + 2s);
  CHECK(dead_uids(*queue) == Names{"v"});
}

TEST_CASE("redis dead: what an older fogctl left uncounted is counted by whoever comes to it") {
  DeadQueue redis;
  const auto queue = redis.open("a", {.max_dead_bytes = 45'000});
  for (int i = 0; i < 4; ++i) die(*queue, "t" + std::to_string(i), 10'000, start() + i * 1s);
  redis.forget_bytes();
  std::string_view wanted = "t3 t2 t1 t0 ";
  SUBCASE("one that looks after the leases") {
    must(queue->recover_expired(start()));
  }
  SUBCASE("a task that dies") {
    die(*queue, "t4", 10'000, start() + 4s);
    wanted = "t4 t3 t2 t1 ";
  }
  SUBCASE("a person who throws one away") {
    CHECK(must(queue->bury(Names{"t2"})) == 1);
    wanted = "t3 t1 t0 ";
  }
  SUBCASE("a person who tries one again") {
    CHECK(must(queue->revive(Names{"t3"}, start())) == 1);
    wanted = "t2 t1 t0 ";
  }
  std::string found;
  for (const std::string& uid : dead_uids(*queue)) found += uid + ' ';
  CHECK(found == wanted);
  CHECK(must(queue->load(start())).dead_bytes == redis.bytes());
}

TEST_CASE("redis dead: what an older fogctl does beside this one is counted by the next change") {
  DeadQueue redis;
  const auto queue = redis.open("a");
  die(*queue, "t", 1'000);
  die(*queue, "u", 1'000, start() + 1s);
  SUBCASE("it kept one") {
    redis.add("x", 5'000, later);
  }
  SUBCASE("it kept one and dropped another") {
    redis.add("x", 5'000, later);
    redis.remove("t");
  }
  SUBCASE("it removed one") {
    redis.remove("t");
  }
  SUBCASE("it removed all") {
    redis.remove("t");
    redis.remove("u");
  }
  SUBCASE("by a death") {
    redis.add("x", 5'000, later);
    die(*queue, "v", 1'000, start() + 2s);
  }
  must(queue->recover_expired(start()));
  CHECK(must(queue->load(start())).dead_bytes == redis.bytes());
}

TEST_CASE("redis dead: what wider bounds kept goes some at a time, and meanwhile grows no more") {
  DeadQueue redis;
  {
    const auto wide = redis.open("a");
    for (int i = 0; i < 250; ++i) die(*wide, "t" + std::to_string(i), 1'000, start() + i * 1ms);
  }
  QueueLimits narrow;
  std::size_t left = 0;
  SUBCASE("by bytes") {
    narrow.max_dead_bytes = 10'000;
    left = 8;
  }
  SUBCASE("by number") {
    narrow.max_dead = 20;
    left = 20;
  }
  SUBCASE("and nobody counted it") {
    narrow.max_dead_bytes = 10'000;
    left = 8;
    redis.forget_bytes();
  }
  const auto queue = redis.open("b", narrow);
  die(*queue, "n0", 1'000, start() + 1s);
  CHECK(must(queue->load(start())).dead == 250);
  must(queue->recover_expired(start()));
  CHECK(must(queue->load(start())).dead == 150);
  for (int i = 0; i < 3; ++i) must(queue->recover_expired(start()));
  CHECK(must(queue->load(start())).dead == left);
  CHECK(must(queue->load(start())).dead_bytes == redis.bytes());
  CHECK(dead_uids(*queue, 2) == Names{"n0", "t249"});
}

TEST_CASE("redis dead: a Redis that is full of dead tasks gets room again") {
  DeadQueue redis;
  {
    const auto wide = redis.open("a");
    for (int i = 0; i < 40; ++i) die(*wide, "t" + std::to_string(i), 500'000, start() + i * 1ms);
  }
  redis.forget_bytes();
  redis.say({"CONFIG", "SET", "maxmemory", "4mb"});
  const auto queue = redis.open("b", {.max_dead_bytes = 1'000'000});
  CHECK_FALSE(queue->enqueue(make_all({{.uid = "new"}}), {}, start()).has_value());
  must(queue->recover_expired(start()));
  CHECK(statuses(enqueue(*queue, {{.uid = "new"}})) == std::vector{accepted});
  CHECK(must(queue->load(start())).dead == 1);
}

}  // namespace fogctl::contract
