#include "client/reconnector.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "unit/client/client_run.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using testing::nobody;

TEST_CASE("The back-off doubles from a tenth of a second to two seconds") {
  Duration back_off{};
  for (const Duration expected : {100ms, 200ms, 400ms, 800ms, 1600ms, 2000ms, 2000ms}) {
    back_off = back_off_after(back_off);
    CHECK(back_off == expected);
  }
}

TEST_CASE("What a node said of when to send again is believed up to a minute") {
  CHECK(believed_pause({}, 200ms) == 200ms);
  CHECK(believed_pause(0s, 200ms) == 0s);
  CHECK(believed_pause(10s, 200ms) == 10s);
  CHECK(believed_pause(24h, 200ms) == 60s);
}

TEST_CASE("The nodes are tried in turn, from the one that is named on") {
  asio::io_context io;
  Reconnector reconnector(io, {nobody(), nobody(), nobody()}, Random(1));
  CHECK(reconnector.order_from(0) == std::vector<NodeIndex>{0, 1, 2});
  CHECK(reconnector.order_from(2) == std::vector<NodeIndex>{2, 0, 1});
}

TEST_CASE("The first that can be connected to is taken, and else each failure is told") {
  testing::FakeNode node({testing::hello(), [](const wire::TaskMessage&, int) { return ""; }});
  const HostPort away = nobody();
  asio::io_context io;
  Reconnector reconnector(io, {away, node.address()}, Random(1));
  NodeIndex taken = no_node;
  const auto take = [&](const Result<Reconnector::Connected>& connected) {
    if (connected) taken = connected->node;
  };
  reconnector.try_each({0, 1}, 5s, take);
  CHECK(reconnector.is_busy());
  io.run();
  CHECK(taken == 1);
  CHECK_FALSE(reconnector.is_busy());

  std::string failures;
  io.restart();
  reconnector.try_each({0}, 5s, [&](const Result<Reconnector::Connected>& connected) {
    if (!connected) failures = connected.error().message;
  });
  io.run();
  CHECK(failures.find(to_string(away)) != std::string::npos);
}

TEST_CASE("An attempt after a back-off starts with the node that is named, and can be stopped") {
  testing::FakeNode node({testing::hello(), [](const wire::TaskMessage&, int) { return ""; }});
  asio::io_context io;
  Reconnector reconnector(io, {node.address(), node.address()}, Random(1));
  NodeIndex taken = no_node;
  const auto take = [&](const Result<Reconnector::Connected>& connected) {
    if (connected) taken = connected->node;
  };
  reconnector.try_later(1, take);
  io.run();
  CHECK(taken == 1);

  taken = no_node;
  io.restart();
  reconnector.try_later(0, take);
  reconnector.stop();
  io.run();
  CHECK(taken == no_node);
}

}  // namespace
}  // namespace fogctl
