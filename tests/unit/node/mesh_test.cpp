#include "node/mesh.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "support/mesh_bench.hpp"

namespace fogctl {
namespace {

using namespace support;

TEST_CASE("Two nodes, of which one dials, greet once each, and tell their state only then") {
  MeshBench bench;
  Fog b(bench.loop, "b");
  b.start();
  Fog a(bench.loop, "a", {b.address()});
  a.start();
  const auto has_state = [](const Fog& fog) { return std::ranges::count(fog.heard, "state") > 0; };
  REQUIRE(bench.loop.run_until([&] { return has_state(a) && has_state(b); }));
  for (const Fog* fog : {&a, &b}) {
    CHECK(std::ranges::count(fog->heard, "fog_ready") == 1);
    CHECK(std::ranges::count(fog->heard, "fog_ready_ack") == 1);
    const auto ack = std::ranges::find(fog->heard, "fog_ready_ack");
    CHECK(ack < std::ranges::find(fog->heard, "state"));
    REQUIRE(fog->neighbours() == 1);
    CHECK(fog->neighbour().state.expected_wait == 0s);
    CHECK(fog->neighbour().state.workers == 1);
    CHECK(fog->neighbour().who.address == "127.0.0.1");
  }
  CHECK(a.neighbour().who.node == "b");
  CHECK(a.neighbour().who.name == "fog-b");
  CHECK(a.neighbour().who.is_opened_here);
  CHECK(b.neighbour().who.node == "a");
  CHECK_FALSE(b.neighbour().who.is_opened_here);

  a.tick(200ms);
  b.tick(200ms);
  bench.loop.run_ready();
  CHECK(b.accepted == 1);  // linked nodes are not dialled, though they told where they are
  CHECK(a.accepted == 0);
}

TEST_CASE("A greeting is answered with the time that it had, each one, and a node joins once") {
  MeshBench bench;
  Fog fog(bench.loop, "a");
  fog.start();
  Peer& peer = bench.connect(fog);
  const std::string ready = "{\"message_type\":\"fog_ready\",\"send_time\":1795412131.22779901}";
  peer.write(ready);
  REQUIRE(bench.receives(peer, is_state));
  CHECK(peer.received.find("fog_ready_ack\",\"send_time\":1795412131.22779901,") !=
        std::string::npos);
  CHECK(peer.received.find(is_ack) < peer.received.find(is_state));
  CHECK(peer.received.find("{\"message_type\":\"state\",\"task_time\":0}\n") != std::string::npos);
  peer.write(ready);
  REQUIRE(bench.receives(peer, is_ack, 2));
  CHECK(MeshBench::count(peer, is_ready) == 1);
  REQUIRE(fog.neighbours() == 1);
  CHECK(fog.neighbour().who.is_original());
  CHECK(fog.neighbour().who.id() == "127.0.0.1");
}

TEST_CASE("A client, which says nothing of itself, is greeted, and hears no more") {
  MeshBench bench;
  Fog fog(bench.loop, "a");
  fog.start();
  Peer& client = bench.connect(fog);
  REQUIRE(bench.receives(client, is_ready));
  for (int i = 0; i < 5; ++i) fog.tick(1s);
  client.write("{\"message_type\":\"fog_ready_ack\",\"send_time\":1}");
  REQUIRE(bench.loop.run_until([&] { return fog.heard.size() == 1; }));
  fog.tick(1s);
  bench.loop.run_ready();
  CHECK(std::ranges::count(client.received, '\n') == 1);
  CHECK_FALSE(client.is_closed);
  CHECK(fog.neighbours() == 0);
}

TEST_CASE("A node that dials itself finds out, and does not do it again") {
  MeshBench bench;
  Fog fog(bench.loop, "a");
  fog.start();
  Peer& peer = bench.connect(fog);
  peer.write(ready_of("b") + known_node("c", to_string(fog.address())));
  REQUIRE(bench.loop.run_until([&] { return fog.accepted == 2; }));
  REQUIRE(bench.loop.run_until([&] { return std::ranges::count(fog.heard, "fog_ready") >= 2; }));
  bench.loop.run_ready();
  CHECK(fog.neighbours() == 1);
  for (int i = 0; i < 20; ++i) {
    fog.tick(1s);
    peer.write("{\"message_type\":\"state\",\"task_time\":0}");
    bench.loop.run_ready();
  }
  CHECK(fog.accepted == 2);
  CHECK(fog.neighbours() == 1);
}

TEST_CASE("A neighbour that suddenly claims to be this node itself is lost, not forgotten") {
  MeshBench bench;
  Fog fog(bench.loop, "a");
  fog.start();
  Peer& peer = bench.connect(fog);
  peer.write(ready_of("b"));
  REQUIRE(bench.loop.run_until([&] { return fog.neighbours() == 1; }));
  peer.write(ready_of("a"));
  REQUIRE(bench.loop.run_until([&] { return peer.is_closed && fog.neighbours() == 0; }));
}

TEST_CASE("A neighbour that has enough is left alone for a minute once it left") {
  MeshBench bench;
  Listening other(bench.loop.io);
  Fog fog(bench.loop, "a");
  fog.start();
  Peer& teller = bench.connect(fog);
  const std::string tell = known_node("c", to_string(other.address()));
  teller.write(ready_of("b") + tell);
  REQUIRE(bench.loop.run_until([&] { return other.links.size() == 1; }));
  other.links.front().write(ready_of("c") + "{\"message_type\":\"state\",\"task_time\":0}");
  REQUIRE(bench.receives(other.links.front(), is_state));
  REQUIRE(bench.loop.run_until([&] { return std::ranges::count(fog.heard, "state") == 1; }));
  CHECK(fog.scheduler.neighbours()[1].who.node == "c");
  CHECK(fog.scheduler.neighbours()[1].who.is_opened_here);

  other.links.front().write("{\"message_type\":\"leave\",\"reason\":\"enough\"}");
  REQUIRE(bench.loop.run_until([&] { return fog.scheduler.neighbours()[1].is_retired; }));
  other.links.front().close();
  REQUIRE(bench.loop.run_until([&] { return fog.neighbours() == 1; }));
  const auto live_for = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) {
      teller.write(tell + "{\"message_type\":\"state\",\"task_time\":0}");
      const auto told = std::ranges::count(fog.heard, "state");
      REQUIRE(bench.loop.run_until([&] { return std::ranges::count(fog.heard, "state") > told; }));
      fog.tick(1s);
    }
  };
  live_for(59);
  const Listening later(bench.loop.io);  // dials are made one after another
  teller.write(known_node("d", to_string(later.address())));
  REQUIRE(bench.loop.run_until([&] { return !later.links.empty(); }));
  CHECK(other.links.size() == 1);
  live_for(2);
  CHECK(bench.loop.run_until([&] { return other.links.size() == 2; }));
}

TEST_CASE("What does not say that it is a fog node is left, and dialled again where it was named") {
  struct Row {
    const char* name;
    const char* says;
  };
  constexpr Row rows[] = {{"silent", ""},
                          {"a cloud", "{\"message_type\":\"cloud_ready\",\"node\":\"ab\"}"}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    MeshBench bench;
    Listening other(bench.loop.io);
    Fog fog(bench.loop, "a", {other.address()});
    fog.start();
    REQUIRE(bench.loop.run_until([&] { return other.links.size() == 1; }));
    Peer& first = other.links.front();
    REQUIRE(bench.receives(first, is_ready));
    fog.tick(2900ms);
    bench.loop.run_ready();
    CHECK_FALSE(first.is_closed);
    first.write(row.says);
    if (*row.says == '\0') fog.tick(200ms);
    REQUIRE(bench.loop.run_until([&] { return first.is_closed; }));
    CHECK(fog.neighbours() == 0);
    CHECK(other.links.size() == 1);
    fog.tick(1s);
    CHECK(bench.loop.run_until([&] { return other.links.size() == 2; }));
  }
}

TEST_CASE("A neighbour of which a long message comes bit by bit is not silent, and else it is") {
  MeshBench bench;
  Fog fog(bench.loop, "a");
  fog.start();
  Peer& peer = bench.connect(fog);
  peer.write(ready_of("b"));
  REQUIRE(bench.loop.run_until([&] { return fog.neighbours() == 1; }));
  peer.write("{\"message_type\":\"task_result\",\"content\":\"");
  for (int i = 0; i < 10; ++i) {
    fog.tick(1s);
    peer.write("x");
    REQUIRE(bench.loop.run_until([&] {
      fog.tick();
      return fog.neighbours() == 0 || fog.neighbour().heard_at == fog.clock.now();
    }));
    REQUIRE(fog.neighbours() == 1);
  }
  for (int i = 0; i < 4; ++i) fog.tick(1s);
  CHECK(bench.loop.run_until([&] { return fog.neighbours() == 0; }));
}

TEST_CASE("The link to a node that was named breaks: it is dialled again, and joins again") {
  MeshBench bench;
  Listening other(bench.loop.io);
  Fog fog(bench.loop, "a", {other.address()});
  fog.start();
  for (std::size_t times = 1; times <= 3; ++times) {
    REQUIRE(bench.loop.run_until([&] { return other.links.size() == times; }));
    other.links.back().write(ready_of("b"));
    REQUIRE(bench.loop.run_until([&] { return fog.neighbours() == 1; }));
    other.links.back().close();
    REQUIRE(bench.loop.run_until([&] { return fog.neighbours() == 0; }));
    fog.tick(1s);
  }
}

TEST_CASE("The delay to a neighbour is what its answer to the greeting took, then the kernel's") {
  struct Row {
    const char* name;
    const char* send_time;
    std::optional<Duration> delay;
  };
  const Row rows[] = {
      {"an answer after a quarter of a second", "1795412130.75", 250ms},
      {"a clock that was set back", "1795412131.25", std::nullopt},
      {"a clock that was set on", "1795412000", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    MeshBench bench;
    Fog fog(bench.loop, "a");
    fog.start();
    Peer& peer = bench.connect(fog);
    peer.write(ready_of("b") +
               "{\"message_type\":\"fog_ready_ack\",\"send_time\":" + row.send_time + '}');
    REQUIRE(bench.loop.run_until([&] { return fog.heard.size() == 2; }));
    CHECK(fog.neighbour().delay == row.delay);
    fog.tick();
    REQUIRE(fog.neighbour().delay);
    CHECK(*fog.neighbour().delay > 0s);
    CHECK(*fog.neighbour().delay < 200ms);
  }
}

TEST_CASE("A state of 1000000 s says that the neighbour takes no task, and a shorter one when") {
  MeshBench bench;
  Fog fog(bench.loop, "a");
  fog.start();
  Peer& peer = bench.connect(fog);
  peer.write("{\"message_type\":\"state\",\"task_time\":5}");  // of nobody yet
  peer.write(ready_of("b") + "{\"message_type\":\"state\",\"task_time\":1e6}");
  REQUIRE(bench.loop.run_until([&] { return fog.heard.size() == 3; }));
  CHECK(fog.neighbour().has_state);
  CHECK_FALSE(fog.neighbour().state.expected_wait);
  CHECK(fog.neighbour().state.sharing_interval == 1s);  // where it says none

  peer.write(
      "{\"message_type\":\"state\",\"task_time\":999999,\"workers\":2,\"queued\":3,\"running\":4,"
      "\"sharing_interval\":0.5}");
  REQUIRE(bench.loop.run_until([&] { return fog.heard.size() == 4; }));
  CHECK(fog.neighbour().state.expected_wait == 999999s);
  CHECK(fog.neighbour().state.workers == 2);
  CHECK(fog.neighbour().state.queued == 3);
  CHECK(fog.neighbour().state.running == 4);
  CHECK(fog.neighbour().state.sharing_interval == 500ms);
}

TEST_CASE("Of a second link the neighbour is told that nothing is taken there, then it is closed") {
  for (const bool is_original : {false, true}) {
    CAPTURE(is_original);
    MeshBench bench;
    Fog fog(bench.loop, "a");
    fog.start();
    const std::string ready =
        is_original ? "{\"message_type\":\"fog_ready\",\"send_time\":1}" : ready_of("b");
    Peer& first = bench.connect(fog);
    first.write(ready);
    REQUIRE(bench.receives(first, is_state));
    Peer& second = bench.connect(fog);
    second.write(ready);
    REQUIRE(bench.receives(second, is_state));
    REQUIRE(bench.receives(first, "\"task_time\":1e+06"));
    fog.tick(1s);
    REQUIRE(bench.loop.run_until([&] { return first.is_closed; }));
    CHECK(MeshBench::count(first, "\"reason\":\"duplicate\"") == (is_original ? 0 : 1));
    CHECK(MeshBench::count(second, "1e+06") == 0);
    first.close();
    CHECK(bench.loop.run_until([&] { return fog.neighbours() == 1; }));
    CHECK_FALSE(second.is_closed);
  }
}

TEST_CASE("fogctl neighbours are told of one another, with where they are reached") {
  MeshBench bench;
  Fog fog(bench.loop, "a", {}, 1);  // it has enough: it dials none of them
  fog.start();
  Peer& first = bench.connect(fog);
  first.write(ready_of("b", "0.0.0.0:1234"));
  REQUIRE(bench.receives(first, is_state));
  Peer& unreachable = bench.connect(fog);
  unreachable.write(ready_of("c"));
  const std::string is_first = "\"nodes\":[\"b\"],\"addresses\":[\"127.0.0.1:1234\"]";
  REQUIRE(bench.receives(unreachable, is_first));
  Peer& original = bench.connect(fog);
  original.write("{\"message_type\":\"fog_ready\",\"send_time\":1}");
  REQUIRE(bench.receives(original, is_state));
  Peer& last = bench.connect(fog);
  last.write(ready_of("d", "127.0.0.2:9"));
  REQUIRE(bench.receives(last, is_first));
  CHECK(bench.receives(first, "\"nodes\":[\"d\"],\"addresses\":[\"127.0.0.2:9\"]"));
  CHECK(bench.receives(unreachable, "\"nodes\":[\"d\"]"));
  CHECK(MeshBench::count(first, "\"nodes\"") == 1);  // not of the unreachable one, or of itself
  CHECK(MeshBench::count(original, "\"nodes\"") == 0);
}

TEST_CASE("Addresses that are none do no harm, whoever tells of them") {
  MeshBench bench;
  Fog fog(bench.loop, "a");
  fog.start();
  std::size_t linked = 0;
  for (const std::string address : {"[a]b]:80", "[[]:80", "", ":", "host", "127.0.0.1:0", "[]:1"}) {
    Peer& peer = bench.connect(fog);
    peer.write(ready_of("n" + std::to_string(++linked), address) + known_node("x", address) +
               known_node("not a name", "127.0.0.1:1"));
    REQUIRE(bench.loop.run_until([&] { return fog.neighbours() == linked; }));
    fog.tick(10ms);
  }
  REQUIRE(bench.loop.run_until(
      [&] { return std::ranges::count(fog.heard, "neighbours") == 2 * std::ssize(bench.peers); }));
  fog.tick(10ms);
  CHECK(fog.neighbours() == linked);
}

TEST_CASE("Who is no fogctl neighbour is not believed about others") {
  for (const std::string said :
       {"", "{\"message_type\":\"fog_ready\",\"send_time\":1}",
        "{\"message_type\":\"fog_ready\",\"send_time\":1,\"node\":\"b\",\"protocol\":1}"}) {
    MeshBench bench;
    Listening other(bench.loop.io);
    Fog fog(bench.loop, "a");
    fog.start();
    Peer& peer = bench.connect(fog);
    peer.write(said + known_node("c", to_string(other.address())) +
               "{\"message_type\":\"leave\",\"reason\":\"enough\"}");
    REQUIRE(bench.loop.run_until([&] { return std::ranges::count(fog.heard, "leave") == 1; }));
    if (!said.empty()) {
      CHECK_FALSE(fog.neighbour().is_retired);
      CHECK(fog.neighbour().who.is_original());
    }
    const Listening later(bench.loop.io);  // dials are made one after another
    bench.connect(fog).write(ready_of("e") + known_node("d", to_string(later.address())));
    REQUIRE(bench.loop.run_until([&] { return !later.links.empty(); }));
    CHECK(other.links.empty());
  }
}

}  // namespace
}  // namespace fogctl
