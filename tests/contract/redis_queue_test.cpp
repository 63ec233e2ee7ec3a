// What only the queue in Redis must do: outlive the server and lose no answer's effect.
#include <future>
#include <thread>

#include "contract/queues.hpp"
#include "queue/redis_connection.hpp"

namespace fogctl::contract {
namespace {

RedisReply redis(const RedisServer& server, std::initializer_list<std::string_view> command) {
  const auto connection = RedisConnection::open(server.address(), {});
  REQUIRE(connection.has_value());
  const auto reply = (*connection)->call(command);
  REQUIRE(reply.has_value());
  return *reply;
}

}  // namespace

TEST_CASE("redis queue: what was acknowledged outlives the server") {
  RedisServer server("always");
  const auto queue = open_redis(redis_options(server, "fog", "a"));
  const std::string first_life = queue->incarnation();
  CHECK_FALSE(first_life.empty());
  enqueue(*queue, {{.uid = "done", .start_by = 1s, .chosen = true}});
  finish(*queue, lease(*queue, 1));
  enqueue(*queue, {{.uid = "1", .start_by = 1s},
                   {.uid = "2", .start_by = 2s},
                   {.uid = "3", .start_by = 3s},
                   {.uid = "away", .away = true}});
  const auto held = lease(*queue, 1);
  REQUIRE(held.size() == 1);
  const auto bytes = must(queue->load(start())).bytes;

  SUBCASE("when it is stopped") {
    server.stop();
  }
  SUBCASE("when it is killed") {
    server.kill();
  }
  CHECK(queue->load(start()).error().code == ErrorCode::unavailable);
  server.start();

  CHECK(must(queue->load(start())).bytes == bytes);
  CHECK(queue->incarnation() != first_life);
  CHECK(must(queue->load(start())).away == 1);
  CHECK(finish(*queue, held) == std::vector{FinishStatus::done});
  CHECK(uids(lease(*queue, 9)) == Names{"2", "3"});
  CHECK(must(queue->kept_result("done", start())) == result_of("done"));
  CHECK(statuses(enqueue(*queue, {{.uid = "away", .arrival = 1s}})) == std::vector{duplicate});
}

TEST_CASE("redis queue: how the server loses tasks is found over the queue's own connection") {
  RedisServer server("everysec");
  const auto hand = must(RedisConnection::open(server.address(), {}));
  const auto connections = [&] {
    const std::string stats(must(hand->call({"INFO", "stats"})).text());
    return parse_redis_info(stats).at("total_connections_received");
  };
  const auto queue = must(RedisQueue::open(redis_options(server, "fog", "a"), system_clock()));
  const std::string before = connections();
  CHECK(must(queue->find_losses()).empty());
  CHECK(!must(hand->call({"CONFIG", "SET", "appendonly", "no"})).is_error());
  const auto losses = must(queue->find_losses());
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].check == "append-only file");
  CHECK(connections() == before);
}

TEST_CASE("redis queue: a restart between two calls goes unnoticed but for the incarnation") {
  RedisServer server("always");
  const auto queue = open_redis(redis_options(server, "fog", "a"));
  enqueue(*queue, {{.uid = "1"}, {.uid = "2"}});
  server.kill();
  server.start();
  const auto leases = lease(*queue, 1);  // over a connection that turns out to be dead
  CHECK(leases.size() == 1);
  server.kill();
  server.start();
  CHECK(finish(*queue, leases) == std::vector{FinishStatus::done});
  server.kill();
  server.start();
  CHECK(statuses(enqueue(*queue, {{.uid = "3"}}, up_to(9))) == std::vector{leased});
}

TEST_CASE("redis queue: scripts that the server forgot are sent again") {
  const auto& server = shared_redis_server();
  const auto queue = open_redis(redis_options(server, "flushed", "a"));
  const auto flush = [&] { CHECK(!redis(server, {"SCRIPT", "FLUSH"}).is_error()); };
  flush();
  enqueue(*queue, {{.uid = "1"}, {.uid = "2"}, {.uid = "3"}});
  flush();
  auto leases = lease(*queue, 1);
  flush();
  CHECK(must(queue->extend(1, 10s, start())));
  flush();
  const Finished one = finished(leases.at(0));
  std::vector<Lease> next;
  CHECK(must(queue->finish({&one, 1}, up_to(1), start(), next)) == std::vector{FinishStatus::done});
  REQUIRE(next.size() == 1);
  const LeaseRef given = ref(next[0]);
  flush();
  must(queue->started({&given, 1}, start()));
  flush();
  must(queue->give_back({&given, 1}, start()));
  CHECK(lease(*queue, 1).size() == 1);
  flush();
  must(queue->leave(start()));
  CHECK(lease(*queue, 9).size() == 2);
}

TEST_CASE("redis queue: without a server calls say so, and work once it is there") {
  RedisServer server;
  const auto options = redis_options(server, "fog", "a");
  const auto queue = open_redis(options);
  server.stop();
  const auto error = queue->enqueue(make_all({{.uid = "1"}, {.uid = "2"}}), {}, start()).error();
  CHECK(error.code == ErrorCode::unavailable);
  CHECK(
      error.message.starts_with("cannot enqueue 2 tasks on redis " + server.socket_path() + ": "));
  CHECK(queue->wait(0s).error().code == ErrorCode::unavailable);
  const auto opened = RedisQueue::open(options, system_clock());
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == ErrorCode::unavailable);
  server.start();
  CHECK(statuses(enqueue(*queue, {{.uid = "1"}})) == std::vector{accepted});
  CHECK(must(queue->wait(10s)).work);
  CHECK(RedisQueue::open(options, system_clock()).has_value());
}

TEST_CASE("redis queue: a silent server is given up in time, and what it did late is not lost") {
  RedisServer server;
  auto options = redis_options(server, "fog", "a");
  options.timeouts = {.connect = 500ms, .call = 500ms};
  const auto queue = open_redis(options);
  enqueue(*queue, {{.uid = "1"}, {.uid = "2"}});

  const auto fails_in_time = [&](auto call) {
    server.pause();
    const Instant before = system_clock().now();
    const auto outcome = call();
    CHECK_FALSE(outcome.has_value());
    if (!outcome) CHECK(is_transient(outcome.error()));
    CHECK(system_clock().now() - before < 5s);
    server.resume();
  };
  SUBCASE("a lease whose answer was lost is given back") {
    fails_in_time([&] { return queue->lease(up_to(1), start()); });
    const auto leases = lease(*queue, 9);
    CHECK(uids(leases) == Names{"1", "2"});
    CHECK(sum(must(queue->load(start())).leased) == 2);
    CHECK(finish(*queue, leases) == std::vector(2, FinishStatus::done));
  }
  SUBCASE("an enqueue whose answer was lost is repeated") {
    const auto tasks = make_all({{.uid = "3"}, {.uid = "4", .away = true}});
    fails_in_time([&] { return queue->enqueue(tasks, up_to(3), start()); });
    const auto done = must(queue->enqueue(tasks, up_to(3), start()));
    CHECK(statuses(done) == std::vector{leased, leased});
    CHECK(uids(done.leased) == Names{"1", "2"});
    CHECK(lease(*queue, 9).empty());
  }
  SUBCASE("so is a wait") {
    must(queue->wait(0s));
    fails_in_time([&] { return queue->wait(10s); });
    CHECK_FALSE(must(queue->wait(0s)).work);
  }
}

TEST_CASE("redis queue: an answer that is lost although the server acted leaves no lease behind") {
  RedisServer server;
  auto options = redis_options(server, "fog", "a");
  options.timeouts.call = 150ms;
  const auto queue = open_redis(options);
  enqueue(*queue, {{.uid = "1"}, {.uid = "2"}});
  // While a script keeps the server busy, the lease waits in the server's buffer; it is executed
  // or dropped with its connection, which of the two is not known.
  std::jthread busy([&] {
    const auto connection = RedisConnection::open(server.address(), {});
    REQUIRE(connection.has_value());
    const auto done =
        (*connection)
            ->call({"EVAL", "local n = 0 for i = 1, 60000000 do n = n + i % 7 end return n", "0"});
    CHECK(done.has_value());
  });
  Result<std::vector<Lease>> first = std::vector<Lease>{};
  while (first && first->empty()) {
    first = queue->lease(up_to(1), start());
    if (first && !first->empty()) {
      const LeaseRef given = ref(first->at(0));
      const auto back = queue->give_back({&given, 1}, start());
      if (!back) break;
      first->clear();
    }
  }
  busy.join();
  for (int i = 0; i < 200 && !queue->load(start()); ++i) {
  }
  const auto leases = lease(*queue, 9);
  const auto load = must(queue->load(start()));
  CHECK(sum(load.queued) == 0);
  CHECK(sum(load.leased) == 2);
}

TEST_CASE("redis queue: replies that were not taken yet outlive the server") {
  RedisServer server;
  const auto node = open_redis(redis_options(server, "fog", "node"));
  const auto worker = open_redis(redis_options(server, "fog", "worker"));
  enqueue(*node, {{.uid = "1"}});
  finish(*worker, lease(*worker, 1));
  server.kill();
  server.start();
  Result<QueueNews> news = node->wait(10s);
  if (!news) news = node->wait(10s);
  REQUIRE(must(news).replies.size() == 1);
  CHECK(must(node->wait(0s)).replies.empty());
}

TEST_CASE("redis queue: two queues on one server do not see each other") {
  const auto& server = shared_redis_server();
  const auto fog = open_redis(redis_options(server, "one", "a"));
  const auto cloud = open_redis(redis_options(server, "two", "a"));
  enqueue(*fog, {{.uid = "t"}});
  CHECK(lease(*cloud, 9).empty());
  CHECK(must(cloud->load(start())).bytes == 0);
  CHECK(statuses(enqueue(*cloud, {{.uid = "t", .content = "2"}})) == std::vector{accepted});
  CHECK(lease(*fog, 9).at(0).task->content == "1");
}

TEST_CASE("redis queue: a replica takes no lease, and says that it is one") {
  RedisServer server;
  const auto queue = open_redis(redis_options(server, "fog", "a"));
  CHECK(!redis(server, {"REPLICAOF", "127.0.0.1", "1"}).is_error());
  const auto refused = queue->extend(1, 5s, start());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::read_only);
  CHECK(is_transient(refused.error()));
  CHECK(!redis(server, {"REPLICAOF", "NO", "ONE"}).is_error());
  CHECK(queue->extend(1, 5s, start()).has_value());
}

TEST_CASE("redis queue: a wrong password fails, and is not in the message") {
  RedisServer server;
  CHECK(!redis(server, {"CONFIG", "SET", "requirepass", "right"}).is_error());
  auto options = redis_options(server, "fog", "a");
  options.address.password = "hunter2";
  const auto wrong = RedisQueue::open(options, system_clock());
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().code == ErrorCode::unauthorized);
  CHECK(wrong.error().message.find("hunter2") == std::string::npos);
  options.address.password = "right";
  CHECK(RedisQueue::open(options, system_clock()).has_value());
}

TEST_CASE("redis queue: while the server was away nobody's lease ran") {
  RedisServer server("no");
  const auto open = [&](const char* holder) {
    return open_redis(redis_options(server, "fog", holder));
  };
  const auto worker = open("worker");
  const auto node = open("node");
  CHECK(must(worker->extend(1, first_lease, start())));
  enqueue(*worker, {{.uid = "t"}}, up_to(1));
  CHECK(recover(*node, start(), start() + 7s) == 0);  // then the server is away
  const Instant back = start() + 30s;
  SUBCASE("whoever was there looks after it first") {
    CHECK(must(node->recover_expired(back)) == 0);
  }
  SUBCASE("or who came meanwhile") {
    const auto late = open("late");
    CHECK(must(late->extend(1, first_lease, back)));
    CHECK(must(late->recover_expired(back)) == 0);
  }
  SUBCASE("and the clock of another server may be behind") {
    CHECK(recover(*node, start() - 1h, start() - 1h + 7s) == 0);
    CHECK(must(node->recover_expired(back)) == 0);
  }
  CHECK(recover(*node, back, back + 9s) == 0);
  CHECK(must(worker->extend(1, first_lease, back + 9s)));
  CHECK(recover(*node, back + 9s, back + 18s) == 0);
  CHECK(recover(*node, back + 18s, back + 20s) == 1);  // the server was there: the worker is dead
  CHECK_FALSE(must(worker->extend(1, first_lease, back + 20s)));
}

TEST_CASE("redis queue: a clock that is set back holds up no lease that runs out, and no retry") {
  RedisServer server;
  const auto dead = open_redis(redis_options(server, "fog", "dead"));
  const auto queue = open_redis(redis_options(server, "fog", "a"));
  enqueue(*queue, {{.uid = "1", .start_by = 1s}, {.uid = "2", .start_by = 2s}});
  const auto put_off = lease(*queue, 1);
  must(queue->retry(std::vector{Retry{ref(put_off[0]), start() + 2s, true}}, start()));
  CHECK(uids(lease(*dead, 1)) == Names{"2"});
  CHECK(must(queue->recover_expired(start())) == 0);
  // As if all that had been said by a clock that was an hour ahead.
  constexpr std::string_view hour = "3600000000";
  for (const auto& [key, member] : {std::pair("{fog}:holders", "dead"), {"{fog}:holders", "a"}}) {
    (void)redis(server, {"ZINCRBY", key, hour, member});
  }
  const RedisReply delayed = redis(server, {"ZRANGE", "{fog}:delayed", "0", "0"});
  (void)redis(server, {"ZINCRBY", "{fog}:delayed", hour, delayed[0].text()});
  const std::string clock(redis(server, {"HGET", "{fog}:counts", "clock"}).text());
  const std::string ahead = std::to_string(std::stoll(clock) + std::stoll(std::string(hour)));
  (void)redis(server, {"HSET", "{fog}:counts", "clock", ahead});

  CHECK(must(queue->recover_expired(start() + 1h)) == 0);  // by a now that is as old as they are
  CHECK(must(queue->extend(1, first_lease, start() + 9s)));
  CHECK(recover(*queue, start() + 2s, start() + first_lease + 1s) == 1);
  CHECK(uids(lease(*queue, 9, start() + first_lease + 1s)).size() == 1);
  CHECK(uids(lease(*queue, 9, start() + first_lease + 1s)).size() == 1);
}

TEST_CASE("redis queue: a queue that was worked off leaves next to nothing in Redis") {
  RedisServer server;
  const auto queue = open_redis(redis_options(server, "fog", "a"));
  enqueue(*queue, {{.uid = "1"}, {.uid = "2"}});
  must(queue->recover_expired(start()));
  finish(*queue, lease(*queue, 9));
  enqueue(*queue, {{.uid = "3"}, {.uid = "4"}}, up_to(2));
  CHECK(recover(*queue, start(), start() + first_lease + 1s) == 2);
  finish(*queue, lease(*queue, 1));
  finish(*queue, lease(*queue, 1));
  must(queue->leave(start()));
  const auto keys = redis(server, {"KEYS", "*"});
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string key(keys[i].text());
    CHECK_MESSAGE((key == "{fog}:counts" || key == "{fog}:wake"), key);
  }
}

TEST_CASE(
    "redis queue: a task that waits nowhere is queued again, and a place without one dropped") {
  RedisServer server("no");
  const auto queue = open_redis(redis_options(server, "fog", "a"));
  enqueue(*queue, {{.uid = "stray", .start_by = 1s, .weight = TaskClass::heavy},
                   {.uid = "ghost", .start_by = 2s},
                   {.uid = "well", .start_by = 3s},
                   {.uid = "held", .away = true}});
  const RedisReply members = redis(server, {"ZRANGE", "{fog}:ready", "0", "0"});
  CHECK(redis(server, {"ZREM", "{fog}:ready", members[0].text()}).integer() == 1);
  CHECK(redis(server, {"HINCRBY", "{fog}:counts", "q2", "-1"}).integer() == 0);
  CHECK(must(queue->recover_expired(start())) == 1);
  CHECK(must(queue->recover_expired(start())) == 0);
  CHECK(sum(must(queue->load(start())).queued) == 3);
  CHECK(redis(server, {"HDEL", "{fog}:tasks", "ghost"}).integer() == 1);
  CHECK(uids(lease(*queue, 9)) == Names{"stray", "well"});
  const QueueLoad load = must(queue->load(start()));
  CHECK(sum(load.queued) == 0);
  CHECK(sum(load.leased) == 2);
}

}  // namespace fogctl::contract
