// A Redis that is there and refuses, at run time: each call says so with an error that may pass,
// nothing accepted is lost, and the calls work again once it is mended, over the same queue.
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "contract/queues.hpp"
#include "queue/redis_health.hpp"
#include "queue/redis_route.hpp"
#include "support/lossy_relay.hpp"
#include "work/reconciler.hpp"

namespace fogctl::contract {
namespace {

/// A server that somebody breaks and mends, over a connection that was there before: some of what
/// breaks it refuses new ones.
struct Patient {
  RedisServer server{"no"};
  std::unique_ptr<RedisConnection> hand = must(RedisConnection::open(server.address(), {}));
  std::jthread busy;

  RedisReply tell(std::initializer_list<std::string_view> command) {
    RedisReply reply = must(hand->call(command));
    REQUIRE_MESSAGE(!reply.is_error(), std::string(reply.text()));
    return reply;
  }
  void set(std::string_view name, std::string_view value) { tell({"CONFIG", "SET", name, value}); }
};

struct Trouble {
  const char* name;
  const char* says;
  ErrorCode code;
  std::function<void(Patient&)> begin;
  std::function<void(Patient&)> end;
};

/// A snapshot cannot take the name of a directory.
void fail_snapshots(Patient& redis) {
  std::filesystem::create_directory(redis.server.directory() + "/dump.rdb");
  redis.set("save", "3600 1");
  redis.tell({"BGSAVE"});
  while (true) {
    const RedisReply info = redis.tell({"INFO", "persistence"});
    if (info.text().find("rdb_last_bgsave_status:err") != std::string_view::npos) return;
  }
}

void mend_snapshots(Patient& redis) {
  std::filesystem::remove(redis.server.directory() + "/dump.rdb");
  redis.tell({"SAVE"});
}

const Trouble troubles[] = {
    {"a replica", "READONLY", ErrorCode::read_only,
     [](Patient& redis) { redis.tell({"REPLICAOF", "127.0.0.1", "1"}); },
     [](Patient& redis) { redis.tell({"REPLICAOF", "NO", "ONE"}); }},
    {"no memory left", "OOM", ErrorCode::no_room,
     [](Patient& redis) { redis.set("maxmemory", "1"); },
     [](Patient& redis) { redis.set("maxmemory", "0"); }},
    {"snapshots that fail", "MISCONF", ErrorCode::unavailable, fail_snapshots, mend_snapshots},
    {"too few replicas", "NOREPLICAS", ErrorCode::unavailable,
     [](Patient& redis) { redis.set("min-replicas-to-write", "1"); },
     [](Patient& redis) { redis.set("min-replicas-to-write", "0"); }},
    {"a command that this user may not give", "NOPERM", ErrorCode::unauthorized,
     [](Patient& redis) { redis.tell({"ACL", "SETUSER", "default", "-evalsha", "-eval", "-set"}); },
     [](Patient& redis) { redis.tell({"ACL", "SETUSER", "default", "+@all"}); }},
};

void check_refused(TaskQueue& queue, const std::vector<NewTask>& tasks, const Trouble& trouble) {
  const auto refused = queue.enqueue(tasks, {}, start());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == trouble.code);
  CHECK(may_recover(refused.error()));
  CHECK_MESSAGE(refused.error().message.find(trouble.says) != std::string::npos,
                refused.error().message);
  CHECK(refused.error().message.starts_with("cannot enqueue 1 task on redis "));
  const auto written = queue.probe();
  REQUIRE_FALSE(written.has_value());
  CHECK(written.error().code == trouble.code);
}

}  // namespace

TEST_CASE("redis trouble: it is said what is wrong, nothing is lost, and work goes on after it") {
  for (const Trouble& trouble : troubles) {
    CAPTURE(trouble.name);
    Patient redis;
    const auto queue = open_redis(redis_options(redis.server, "fog", "a"));
    enqueue(*queue, {{.uid = "1"}, {.uid = "2"}, {.uid = "3"}});
    const auto held = lease(*queue, 1);
    const auto more = make_all({{.uid = "4"}});
    trouble.begin(redis);
    check_refused(*queue, more, trouble);
    check_refused(*queue, more, trouble);
    trouble.end(redis);
    must(queue->probe());
    CHECK(statuses(must(queue->enqueue(more, {}, start()))) == std::vector{accepted});
    CHECK(finish(*queue, held) == std::vector{FinishStatus::done});
    CHECK(sum(must(queue->load(start())).queued) == 3);
    CHECK(lease(*queue, 9).size() == 3);
  }
}

TEST_CASE("redis trouble: a task that is too large for its memory costs the others nothing") {
  Patient redis;
  const auto queue = open_redis(redis_options(redis.server, "fog", "a"));
  enqueue(*queue, {{.uid = "0"}});
  const std::string info(redis.tell({"INFO", "memory"}).text());
  redis.set("maxmemory",
            std::to_string(std::stoull(parse_redis_info(info).at("used_memory")) + (1 << 20)));
  const std::string large(4 << 20, '1');
  const auto done =
      enqueue(*queue, {{.uid = "1"}, {.uid = "large", .content = large}, {.uid = "2"}});
  CHECK(statuses(done) == std::vector{accepted, EnqueueStatus::no_room, accepted});
  CHECK_MESSAGE(done.outcomes[1].why.contains("OOM"), done.outcomes[1].why);
  CHECK_MESSAGE(done.outcomes[1].why.contains("raise maxmemory"), done.outcomes[1].why);
  CHECK(uids(lease(*queue, 9)).size() == 3);
  const auto alone = enqueue(*queue, {{.uid = "alone", .content = large}});
  CHECK(statuses(alone) == std::vector{EnqueueStatus::no_room});
}

TEST_CASE("redis trouble: a script that runs too long refuses every call until it ends") {
  Patient redis;
  redis.set("busy-reply-threshold", "20");
  const auto queue = open_redis(redis_options(redis.server, "fog", "a"));
  enqueue(*queue, {{.uid = "1"}});
  redis.busy = std::jthread([address = redis.server.address()] {
    (void)ask_redis(address, {"EVAL", "while true do end", "0"});
  });
  while (RedisConnection::open(redis.server.address(), {})) {
  }
  for (int i = 0; i < 3; ++i) {
    const auto refused = queue->lease(up_to(1), start());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK(refused.error().message.find("BUSY") != std::string::npos);
  }
  redis.tell({"SCRIPT", "KILL"});
  redis.busy.join();
  CHECK(lease(*queue, 1).size() == 1);
}

TEST_CASE("redis trouble: a server that reads its data is waited for") {
  Patient redis;
  const auto queue = open_redis(redis_options(redis.server, "fog", "a"));
  redis.tell({"EVAL", "for i = 1, 8000 do redis.call('SET', 'other' .. i, i) end", "0"});
  enqueue(*queue, {{.uid = "1"}});
  redis.server.kill();
  redis.server.launch({"--key-load-delay", "200"});  // it hears clients after 1024 keys each
  bool was_loading = false;
  Result<std::vector<Lease>> leased = queue->lease(up_to(1), start());
  while (!leased) {
    CHECK(leased.error().code == ErrorCode::unavailable);
    was_loading |= leased.error().message.find("LOADING") != std::string::npos;
    leased = queue->lease(up_to(1), start());
  }
  CHECK(was_loading);
  CHECK(uids(*leased) == Names{"1"});
}

TEST_CASE("redis trouble: a password that changes is read again from its file") {
  Patient redis;
  const std::string file = redis.server.directory() + "/password";
  std::ofstream(file) << "first\n";
  redis.set("requirepass", "first");
  auto options = redis_options(redis.server, "fog", "a");
  options.address.password = "first";
  options.address.password_file = file;
  const auto queue = open_redis(options);
  enqueue(*queue, {{.uid = "1"}});

  redis.set("requirepass", "second");
  CHECK(lease(*queue, 1).size() == 1);  // who is in stays in
  redis.tell({"CLIENT", "KILL", "TYPE", "normal"});
  const auto refused = queue->load(start());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::unauthorized);
  CHECK(refused.error().message.find("--redis-password-file") != std::string::npos);
  CHECK(refused.error().message.find("first") == std::string::npos);

  std::ofstream(file) << "second\n";
  CHECK(sum(must(queue->load(start())).leased) == 1);
  CHECK(must(queue->wait(0s)).work);
}

TEST_CASE("redis trouble: reconnecting leaves nothing behind, and ends a wait under way") {
  Patient redis;
  const auto queue = open_redis(redis_options(redis.server, "fog", "a"));
  enqueue(*queue, {{.uid = "1"}});
  CHECK(must(queue->wait(0s)).work);
  const std::string incarnation = queue->incarnation();
  std::jthread waiting([&] { (void)queue->wait(20s); });
  const Instant before = system_clock().now();
  const auto blocks = [&] {
    return redis.tell({"INFO", "clients"}).text().find("blocked_clients:1") != std::string::npos;
  };
  while (!blocks()) {
  }
  queue->reconnect();
  waiting.join();
  CHECK(system_clock().now() - before < 5s);
  CHECK(lease(*queue, 1).size() == 1);
  CHECK(queue->incarnation() == incarnation);
}

TEST_CASE("redis trouble: all who wait hear of an end whose answer the worker did not get") {
  RedisServer server("no");
  const auto first = open_redis(redis_options(server, "fog", "first"));
  const auto second = open_redis(redis_options(server, "fog", "second"));
  auto options = redis_options(server, "fog", "worker");
  options.timeouts.call = 500ms;
  const auto worker = open_redis(options);
  enqueue(*first, {{.uid = "t"}});
  enqueue(*second, {{.uid = "t", .arrival = 1s}});
  const std::vector<Finished> ended = {finished(lease(*worker, 1).at(0))};
  server.pause();
  std::vector<Lease> none;
  CHECK_FALSE(worker->finish(ended, {}, start(), none));
  server.resume();
  CHECK(finish(*worker, ended) == std::vector{FinishStatus::gone});
  CHECK(must(first->wait(0s)).replies.size() == 1);
  CHECK(must(second->wait(0s)).replies.size() == 1);
}

TEST_CASE("redis trouble: what a server forgot that was finished does not stay held for ever") {
  namespace fs = std::filesystem;
  RedisServer server("always");
  const std::string data = server.directory() + "/appendonlydir";
  const std::string copy = server.directory() + "/copy";
  const auto queue = open_redis(redis_options(server, "fog", "a"));
  const Handlers handlers{HandlerTable()};
  PoolOptions pool_options;
  pool_options.holder = "a";
  WorkerPool pool(*queue, handlers, system_clock(), pool_options, {});
  Reconciler reconciler(*queue, pool);
  CHECK(must(reconciler.tend(start())).empty());
  enqueue(*queue, {{.uid = "1"}, {.uid = "2"}, {.uid = "3"}, {.uid = "away", .away = true}});
  const auto leases = lease(*queue, 2);
  CHECK(must(queue->held(false)).size() == 2);
  CHECK(must(queue->held(true)).at(0).uid == "away");
  fs::copy(data, copy, fs::copy_options::recursive);
  finish(*queue, leases);
  CHECK(must(queue->held(false)).empty());
  CHECK(must(reconciler.tend(start() + 10s)).empty());

  server.kill();
  fs::remove_all(data);
  fs::rename(copy, data);
  server.start();
  CHECK(sum(must(queue->load(start())).leased) == 2);
  pool.offer({leases.at(1)});  // this one it does have
  CHECK(must(reconciler.tend(start() + 20s)).empty());
  CHECK(must(reconciler.tend(start() + 21s)).empty());
  const auto wrong = must(reconciler.tend(start() + 22s));
  CHECK(wrong == std::vector{ref(leases.at(0))});
  must(queue->give_back(wrong, start()));
  CHECK(must(reconciler.tend(start() + 60s)).empty());
  CHECK(uids(lease(*queue, 9)).size() == 2);
}

TEST_CASE(
    "redis trouble: the key of the leases is lost, who lives goes on, and no task stays held") {
  RedisServer server("no");
  const auto alive = open_redis(redis_options(server, "fog", "alive"));
  const auto dead = open_redis(redis_options(server, "fog", "dead"));
  enqueue(*alive, {{.uid = "1"}, {.uid = "2"}, {.uid = "3"}});
  const auto held = lease(*alive, 1);
  CHECK(lease(*dead, 1).size() == 1);
  must(must(RedisConnection::open(server.address(), {}))->call({"DEL", "{fog}:holders"}));

  CHECK(recover(*alive, start(), start() + 1s) == 0);
  CHECK(statuses(enqueue(*alive, {{.uid = "4"}})) == std::vector{accepted});
  CHECK(finish(*alive, held) == std::vector{FinishStatus::done});
  CHECK(lease(*alive, 1).size() == 1);
  CHECK(must(alive->extend(1, 60s, start() + 2s)));
  CHECK(recover(*alive, start() + 2s, start() + 2s + first_lease) == 1);
  CHECK(must(alive->load(start())).queued[0] == 2);
}

TEST_CASE("redis trouble: an answer that comes a byte at a time does not keep a call for ever") {
  const RedisServer server("no");
  const std::string text(4000, 'x');  // would take 80 s
  CHECK(ask_redis(server.address(), {"SET", "text", text}).text() == "OK");
  LossyRelay relay(server.socket_path());
  RedisAddress address;
  address.port = relay.port();
  const auto connection = must(RedisConnection::open(address, {.connect = 20s, .call = 500ms}));
  relay.drip();
  const auto answer = connection->call({"GET", "text"});
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == ErrorCode::timed_out);
  CHECK(answer.error().message == "no answer within 500ms");
}

TEST_CASE("redis trouble: a server that says at once that there is no news is not asked for ever") {
  const RedisServer server("no");
  LossyRelay relay(server.socket_path());
  auto options = redis_options(server, "fog", "a");
  options.address.socket_path.clear();
  options.address.port = relay.port();
  const auto queue = open_redis(options);
  CHECK(must(queue->wait(1ms)).replies.empty());  // over the connection that is asked below
  for (const char* nothing : {"$-1\r\n", "*0\r\n"}) {
    CAPTURE(nothing);
    relay.answer_with(nothing);
    const int before = relay.own_answers();
    const Instant begin = system_clock().now();
    CHECK_FALSE(must(queue->wait(500ms)).work);
    CHECK(system_clock().now() - begin >= 500ms);
    CHECK(relay.own_answers() - before >= 1);
    CHECK(relay.own_answers() - before <= 12);
    relay.answer_with(nullptr);
  }
}

TEST_CASE("redis trouble: an answer of many parts comes whole") {
  const RedisServer server("no");
  const std::string text(std::size_t{8} << 20, 'x');
  const auto connection = must(RedisConnection::open(server.address(), {}));
  CHECK(must(connection->call({"SET", "text", text})).text() == "OK");
  for (int i = 0; i < 2; ++i) connection->append(std::vector<std::string_view>{"GET", "text"});
  for (int i = 0; i < 2; ++i) CHECK(must(connection->read()).text() == text);
}

TEST_CASE("redis route: it goes where a node of a cluster says, and back where that is away") {
  const std::string port_a = std::to_string(idle_port());
  RedisServer a("no", {"--port", port_a, "--bind", "127.0.0.1"});
  const std::string port_b = std::to_string(idle_port());
  RedisServer b("no", {"--port", port_b, "--bind", "127.0.0.1"});
  RedisAddress address;
  address.port = static_cast<std::uint16_t>(std::stoi(port_a));
  const std::string life_b(ask_redis(b.address(), {"INFO", "server"}).text());

  RedisRoute route(address, {});
  const RedisSession first = must(route.open());
  CHECK(first.server.port == address.port);
  CHECK(route.display() == address.display());
  // The host being empty, it is the one that said so.
  const auto moved = parse_redirect("MOVED 7 :" + port_b).value();
  route.follow(moved, first);
  const RedisSession second = must(route.open());
  CHECK(second.server.display() == "127.0.0.1:" + port_b);
  CHECK(second.generation > first.generation);
  CHECK(life_b.find(second.run_id) != std::string::npos);
  CHECK(route.display() == "127.0.0.1:" + port_b + " (cluster of " + address.display() + ")");
  // What an old session learned is out of date.
  route.follow(parse_redirect("MOVED 7 127.0.0.1:1").value(), first);
  CHECK(route.generation() == second.generation);

  b.kill();
  const RedisSession third = must(route.open());
  CHECK(third.server.port == address.port);
  CHECK(third.generation > second.generation);
  a.kill();
  const auto away = route.open();
  REQUIRE_FALSE(away.has_value());
  CHECK(away.error().code == ErrorCode::unavailable);
  CHECK(away.error().message ==
        "cannot connect to redis " + address.display() + ": connection refused");
}

}  // namespace fogctl::contract
