// The way to a master by its sentinels, each of which a test lets say what it wants.
#include "contract/queues.hpp"
#include "queue/redis_route.hpp"
#include "support/fake_sentinel.hpp"

namespace fogctl::contract {
namespace {

/// A server that is reached over TCP, as a master must be.
struct Member {
  Member() : port(idle_port()), server("no", {"--port", std::to_string(port)}) {}
  [[nodiscard]] std::string at() const { return "127.0.0.1:" + std::to_string(port); }
  void tell(std::initializer_list<std::string_view> command) {
    CHECK_FALSE(ask_redis(server.address(), command).is_error());
  }
  void follow(const Member& master) {
    tell({"REPLICAOF", "127.0.0.1", std::to_string(master.port)});
    while (
        ask_redis(server.address(), {"INFO", "replication"}).text().find("master_link_status:up") ==
        std::string_view::npos) {
    }
  }

  std::uint16_t port;
  RedisServer server;
};

RedisAddress address_of(std::initializer_list<std::uint16_t> sentinels) {
  RedisAddress address;
  for (const std::uint16_t port : sentinels) address.sentinels.push_back({"127.0.0.1", port});
  address.master = "mymaster";
  return address;
}

constexpr RedisTimeouts short_ones{.connect = 300ms, .call = 1s};

}  // namespace

TEST_CASE("sentinels: the first that leads to a master is asked first from then on") {
  Member master;
  FakeSentinel ignorant, knowing;
  knowing.name_master(master.port);
  const std::uint16_t absent = idle_port();
  RedisRoute route(address_of({absent, ignorant.port(), knowing.port()}), short_ones);
  CHECK(must(route.open()).server.display() == master.at());
  CHECK(route.display() == master.at() + " (master mymaster by the word of sentinel 127.0.0.1:" +
                               std::to_string(knowing.port()) + ")");
  CHECK(must(route.open()).server.display() == master.at());
  CHECK(ignorant.times_asked() == 1);
  CHECK(knowing.times_asked() == 2);
}

TEST_CASE("sentinels: where none leads to a master it is said what each of them answered") {
  Member replica;
  replica.tell({"REPLICAOF", "127.0.0.1", "1"});
  FakeSentinel ignorant, behind;
  behind.name_master(replica.port);
  const std::uint16_t absent = idle_port();
  const RedisAddress address = address_of({absent, ignorant.port(), behind.port()});
  RedisRoute route(address, short_ones);
  const auto away = route.open();
  REQUIRE_FALSE(away.has_value());
  CHECK(away.error().code == ErrorCode::unavailable);
  const auto sentinel = [](std::uint16_t port) {
    return "sentinel 127.0.0.1:" + std::to_string(port);
  };
  CHECK(away.error().message == "cannot connect to redis " + address.display() + ": " +
                                    sentinel(absent) + ": connection refused; " +
                                    sentinel(ignorant.port()) + ": knows no master 'mymaster'; " +
                                    sentinel(behind.port()) + " names " + replica.at() +
                                    " as master mymaster: it is none; a failover may be under way");
}

TEST_CASE("sentinels: a master that was demoted is left with the first write that it refuses") {
  Member first, second;
  second.follow(first);
  FakeSentinel sentinel;
  sentinel.name_master(first.port);
  RedisQueueOptions options;
  options.address = address_of({sentinel.port()});
  options.holder = "a";
  options.timeouts = short_ones;
  const auto queue = open_redis(options);
  enqueue(*queue, {{.uid = "1"}});
  CHECK_FALSE(must(queue->wait(0s)).replies.size() > 0);
  const std::string life = queue->incarnation();
  CHECK(ask_redis(first.server.address(), {"WAIT", "1", "5000"}).integer() == 1);

  second.tell({"REPLICAOF", "NO", "ONE"});
  first.follow(second);
  sentinel.name_master(second.port);
  CHECK(statuses(enqueue(*queue, {{.uid = "2"}})) == std::vector{accepted});
  CHECK(queue->incarnation() != life);
  CHECK(uids(lease(*queue, 9)).size() == 2);
  const std::string_view held = "{fog}:held:a";
  CHECK(ask_redis(second.server.address(), {"HLEN", held}).integer() == 2);
  // The wait is over a connection of its own, which follows too.
  const auto worker_options = [&] {
    auto other = options;
    other.holder = "b";
    return other;
  }();
  const auto worker = open_redis(worker_options);
  enqueue(*queue, {{.uid = "3"}});
  finish(*worker, lease(*worker, 9));
  first.server.kill();
  CHECK(must(queue->wait(5s)).replies.size() == 1);
}

}  // namespace fogctl::contract
