// On the loopback interface alone, in a group and on a port of this process's own.
#include "net/multicast.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/time.hpp"
#include "support/loopback.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using asio::ip::udp;
using SteadyClock = std::chrono::steady_clock;

std::uint16_t free_port(asio::io_context& io) {
  return udp::socket(io, {udp::v4(), 0}).local_endpoint().port();
}

std::string group_of_this_process(int number) {
  const int pid = ::getpid();
  return "239.77." + std::to_string(pid / 250 % 250) + '.' + std::to_string(pid % 250 + number);
}

/// One that says and hears, and what it heard.
struct Voice {
  Voice(asio::io_context& io, std::uint16_t port, int group = 0, std::string interface = "lo")
      : multicast(io, {{group_of_this_process(group), port}, 1, std::move(interface)},
                  {.on_text =
                       [this](std::string_view text, const asio::ip::address& from) {
                         heard.emplace_back(text);
                         hosts.push_back(from.to_string());
                       },
                   .on_new_interface = [this] { ++new_interfaces; }}) {
    multicast.start();
  }
  [[nodiscard]] bool has_heard(std::string_view text) const {
    return std::ranges::find(heard, text) != heard.end();
  }

  std::vector<std::string> heard;
  std::vector<std::string> hosts;
  int new_interfaces = 0;
  Multicast multicast;
};

struct Bench {
  Bench() { set_log_level(LogLevel::off); }
  ~Bench() { set_log_level(LogLevel::info); }

  support::Loop loop;
  std::uint16_t port = free_port(loop.io);
};

/// Runs what is ready while the time passes.
void wait(support::Loop& loop, Duration time) {
  const auto begin = SteadyClock::now();
  (void)loop.run_until([&] { return SteadyClock::now() - begin >= time; });
}

TEST_CASE("What one says everybody in the group hears, with the address that it came from") {
  Bench bench;
  std::list<Voice> voices;
  for (int i = 0; i < 3; ++i) {
    voices.emplace_back(bench.loop.io, bench.port);
    CHECK(voices.back().new_interfaces == 1);
  }
  voices.front().multicast.send("{\"hello\":1}");
  for (Voice& voice : voices) {  // the one that said it among them
    REQUIRE(bench.loop.run_until([&] { return !voice.heard.empty(); }));
    CHECK(voice.heard == std::vector<std::string>{"{\"hello\":1}"});
    REQUIRE(voice.hosts.size() == 1);
    const auto host = asio::ip::make_address(voice.hosts[0]);
    CHECK_NOTHROW(udp::socket(bench.loop.io, {host, 0}));  // one of this machine's
  }
  voices.back().multicast.send("second");
  CHECK(bench.loop.run_until([&] { return voices.front().has_heard("second"); }));
}

TEST_CASE("Another group is not heard, although this process is in both") {
  Bench bench;
  Voice one(bench.loop.io, bench.port, 0);
  Voice other(bench.loop.io, bench.port, 1);
  one.multicast.send("one");
  other.multicast.send("other");
  REQUIRE(bench.loop.run_until([&] { return one.has_heard("one") && other.has_heard("other"); }));
  bench.loop.run_ready();
  CHECK(one.heard.size() == 1);
  CHECK(other.heard.size() == 1);
}

TEST_CASE("A datagram as long as may be said comes whole") {
  Bench bench;
  Voice voice(bench.loop.io, bench.port);
  const std::string text(1400, 'x');
  voice.multicast.send(text);
  CHECK(bench.loop.run_until([&] { return voice.has_heard(text); }));
}

TEST_CASE("An interface that does not exist is looked for again and again, until it is stopped") {
  const Bench bench;
  asio::io_context io;  // ends when nothing is waited for
  Voice voice(io, bench.port, 0, "no-such-if0");
  voice.multicast.send("lost");
  CHECK(io.run_for(1200ms) >= 1);  // a second try
  CHECK_FALSE(io.stopped());
  CHECK(voice.new_interfaces == 0);
  CHECK(voice.heard.empty());
  voice.multicast.stop();
  io.run_for(10s);
  CHECK(io.stopped());
}

TEST_CASE("A port that is taken is tried again until it is free") {
  Bench bench;
  udp::socket other(bench.loop.io, {udp::v4(), bench.port});
  Voice voice(bench.loop.io, bench.port);
  CHECK(voice.new_interfaces == 0);
  voice.multicast.send("lost");
  other.close();
  REQUIRE(bench.loop.run_until([&] { return voice.new_interfaces == 1; }));
  voice.multicast.send("text");
  REQUIRE(bench.loop.run_until([&] { return !voice.heard.empty(); }));
  CHECK(voice.heard.front() == "text");
}

TEST_CASE("An interface is new once, however often it is looked at") {
  Bench bench;
  Voice voice(bench.loop.io, bench.port);
  wait(bench.loop, 1200ms);
  CHECK(voice.new_interfaces == 1);
}

TEST_CASE("One that was stopped says and hears nothing, and waits for nothing") {
  Bench bench;
  Voice other(bench.loop.io, bench.port);
  asio::io_context io;
  Voice voice(io, bench.port);
  other.multicast.send("not heard any more");
  REQUIRE(bench.loop.run_until([&] { return !other.heard.empty(); }));
  voice.multicast.stop();
  voice.multicast.send("not said");
  io.run_for(10s);
  CHECK(io.stopped());
  CHECK(voice.heard.empty());
  other.multicast.send("last");
  REQUIRE(bench.loop.run_until([&] { return other.has_heard("last"); }));
  CHECK(other.heard.size() == 2);
}

TEST_CASE("One that is stopped at the instant of its next look stays so") {
  Bench bench;
  asio::io_context io;
  asio::steady_timer stop(io, 900ms);
  Voice voice(io, bench.port);
  stop.async_wait([&](asio::error_code) { voice.multicast.stop(); });
  wait(bench.loop, 1200ms);  // both timers have run out before the first one is looked at
  io.run_for(2s);
  CHECK(io.stopped());
}

TEST_CASE("A multicast group is an IPv4 address of the range for it, and a port") {
  CHECK(is_multicast_group({"228.0.0.5", 8005}));
  CHECK(is_multicast_group({"239.255.255.255", 1}));
  CHECK_FALSE(is_multicast_group({"228.0.0.5", 0}));
  CHECK_FALSE(is_multicast_group({"223.255.255.255", 1}));
  CHECK_FALSE(is_multicast_group({"240.0.0.0", 1}));
  CHECK_FALSE(is_multicast_group({"ff02::1", 1}));
  CHECK_FALSE(is_multicast_group({"fog.lab", 1}));
}

}  // namespace
}  // namespace fogctl
