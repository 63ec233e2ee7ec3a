#include "queue/redis_refusal.hpp"

#include <doctest/doctest.h>

#include "queue/redis_route.hpp"

namespace fogctl {
namespace {

TEST_CASE("an error reply has a kind, by its first word or that of the script's") {
  struct Row {
    const char* text;
    ErrorCode code;
  };
  const Row rows[] = {
      {"LOADING Redis is loading the dataset in memory", ErrorCode::unavailable},
      {"OOM command not allowed when used memory > 'maxmemory'.", ErrorCode::no_room},
      {"MISCONF Redis is configured to save RDB snapshots", ErrorCode::unavailable},
      {"BUSY Redis is busy running a script.", ErrorCode::unavailable},
      {"CLUSTERDOWN Hash slot not served", ErrorCode::unavailable},
      {"TRYAGAIN Multiple keys request during rehashing of slot", ErrorCode::unavailable},
      {"MOVED 1 h:1", ErrorCode::unavailable},
      {"READONLY You can't write against a read only replica.", ErrorCode::read_only},
      {"NOAUTH Authentication required.", ErrorCode::unauthorized},
      {"WRONGPASS invalid username-password pair", ErrorCode::unauthorized},
      {"NOPERM this user has no permissions", ErrorCode::unauthorized},
      {"ERR Error running script (call to f_1f): @user_script:3: -OOM command not allowed",
       ErrorCode::no_room},
      {"ERR Error running script (call to f_1f): @user_script:3: -READONLY You can't write",
       ErrorCode::read_only},
      {"ERR unknown command: -OOMPH", ErrorCode::failed},
      {"WRONGTYPE Operation against a key", ErrorCode::failed},
      {"", ErrorCode::failed},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Error error = error_of_refusal(row.text);
    CHECK(error.code == row.code);
    CHECK(error.message.starts_with(row.text));
  }
  CHECK(error_of_refusal("OOM no").message.find("maxmemory") != std::string::npos);
}

TEST_CASE("a redirection names a slot and a node") {
  const auto moved = parse_redirect("MOVED 3999 127.0.0.1:6381");
  REQUIRE(moved);
  CHECK_FALSE(moved->is_ask);
  CHECK(moved->slot == 3999);
  CHECK(moved->to == RedisEndpoint{"127.0.0.1", 6381});
  const auto ask = parse_redirect("ASK 0 fe80::1:7000");
  REQUIRE(ask);
  CHECK(ask->is_ask);
  CHECK(ask->to == RedisEndpoint{"fe80::1", 7000});
  for (const char* nameless : {"MOVED 12 :7001", "MOVED 12 ?:7001"}) {
    const auto same_host = parse_redirect(nameless);
    REQUIRE(same_host);
    CHECK(same_host->to == RedisEndpoint{"", 7001});
  }
  for (const char* text : {"", "MOVED", "MOVED 3999", "MOVED x 1.2.3.4:1", "MOVED 1 host",
                           "MOVED 1 host:", "MOVED 1 host:0", "MOVED 1 host:70000",
                           "MOVED 70000 h:1", "ERR MOVED 1 h:1", "MOVED: 1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_redirect(text));
  }
}

TEST_CASE("of a cluster's nodes those count that are there") {
  const auto nodes = parse_cluster_nodes(
      "a1 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-5460\n"
      "a2 10.0.0.2:7001@17001,node-two.lab master - 0 1 2 connected\n"
      "a3 10.0.0.3:7002@17002 master,fail - 0 1 2 disconnected\n"
      "a4 :0@0 slave,noaddr a1 0 1 2 disconnected\n"
      "a5 :7004@17004 myself,slave a1 0 1 2 connected\n"
      "nonsense\n"
      "a6 fe80::6:7005@17005 slave a1 0 1 2 connected");
  CHECK(nodes ==
        std::vector<RedisEndpoint>{{"127.0.0.1", 7000}, {"10.0.0.2", 7001}, {"fe80::6", 7005}});
  CHECK(parse_cluster_nodes("").empty());
}

}  // namespace
}  // namespace fogctl
