// Writing: what goes out together and what apart, how far apart, and what a peer that does not read
// costs.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/connection.hpp"
#include "support/loopback.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using support::Loop;
using support::PacketPeer;
using support::Peer;
using SteadyClock = std::chrono::steady_clock;

/// A connection whose peer sees each write apart.
struct PacketLink {
  PacketLink() : near(loop.io), peer(loop.io, near) {
    connection = std::make_shared<Connection>(std::move(near), ConnectionOptions{});
    connection->start({.on_object = [](std::string_view) {},
                       .on_batch = {},
                       .on_framing_lost = {},
                       .on_closed = {}});
  }
  ~PacketLink() {
    connection->close("done");
    loop.run_ready();
  }
  void send(const std::string& objects) {
    connection->send(objects);
    connection->flush();
  }
  bool run_until_packets(std::size_t count) {
    return loop.run_until([&] { return peer.packets().size() >= count; });
  }

  Loop loop;
  asio::ip::tcp::socket near;
  PacketPeer peer;
  std::shared_ptr<Connection> connection;
};

std::vector<std::string> objects(std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back("{\"n\":" + std::to_string(i) + "}\n");
  return all;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

TEST_CASE("Nothing is written before flush") {
  PacketLink link;
  link.connection->send("{}\n");
  link.loop.run_ready();
  CHECK(link.peer.packets().empty());
  CHECK(link.connection->unsent_bytes() == 3);
  link.connection->flush();
  REQUIRE(link.run_until_packets(1));
  link.loop.run_ready();
  CHECK(link.connection->unsent_bytes() == 0);
}

TEST_CASE("A few objects go out one by one, many together, and none is lost or turned round") {
  for (const std::size_t count : {1U, 2U, 3U, 10U, 100U}) {
    CAPTURE(count);
    PacketLink link;
    const auto sent = objects(count);
    link.send(joined(sent));
    const std::size_t expected = count <= 3 ? count : 1;
    REQUIRE(link.run_until_packets(expected));
    link.loop.run_ready();
    CHECK(link.peer.packets().size() == expected);
    CHECK(joined(link.peer.packets()) == joined(sent));
    if (count <= 3) CHECK(link.peer.packets() == sent);
  }
}

TEST_CASE("What is sent while a write is under way follows it") {
  PacketLink link;
  link.send("{\"n\":0}\n");
  link.send("{\"n\":1}\n");
  link.connection->send("{\"n\":2}\n");
  link.connection->flush();
  REQUIRE(link.run_until_packets(3));
  CHECK(link.peer.packets() == objects(3));
}

TEST_CASE("Paced: each object in a write of its own, the gap apart") {
  PacketLink link;
  constexpr auto gap = 5ms;
  link.connection->set_pacing(gap);
  const auto sent = objects(10);
  const auto begin = SteadyClock::now();
  link.send(joined(sent));
  REQUIRE(link.run_until_packets(10));
  CHECK(SteadyClock::now() - begin >= 9 * gap);
  CHECK(link.peer.packets() == sent);
}

TEST_CASE("Paced: the gap is kept to what is sent after all was written") {
  PacketLink link;
  constexpr auto gap = 30ms;
  link.connection->set_pacing(gap);
  const auto begin = SteadyClock::now();
  link.send("{\"n\":0}\n");
  REQUIRE(link.run_until_packets(1));
  link.loop.run_ready();
  CHECK(link.connection->unsent_bytes() == 0);
  link.send("{\"n\":1}\n");
  REQUIRE(link.run_until_packets(2));
  CHECK(SteadyClock::now() - begin >= gap);
  CHECK(link.peer.packets() == objects(2));
}

TEST_CASE("Paced no longer: what waits goes out together") {
  PacketLink link;
  link.connection->set_pacing(1ms);
  link.send(joined(objects(20)));
  REQUIRE(link.run_until_packets(2));
  link.connection->set_pacing(Duration::zero());
  REQUIRE(link.loop.run_until([&] { return joined(link.peer.packets()) == joined(objects(20)); }));
  CHECK(link.peer.packets().size() <= 5);
}

TEST_CASE("Paced: a connection that ends writes all first") {
  PacketLink link;
  link.connection->set_pacing(1ms);
  link.connection->send(joined(objects(5)));
  link.connection->close_when_written();
  REQUIRE(link.run_until_packets(5));
  CHECK(link.peer.packets() == objects(5));
}

/// A connection that answers each object with `answer`.
struct AnsweringLink {
  AnsweringLink(const ConnectionOptions& options, std::string text) : answer(std::move(text)) {
    auto [server, client] = support::stream_pair(loop.io);
    connection = std::make_shared<Connection>(std::move(server), options);
    peer.emplace(std::move(client));
    connection->start({.on_object =
                           [this](std::string_view) {
                             ++objects;
                             connection->send(answer);
                           },
                       .on_batch = {},
                       .on_framing_lost = {},
                       .on_closed = [this](const std::string& why) { closed.push_back(why); }});
  }
  ~AnsweringLink() {
    connection->close("done");
    loop.run_ready();
  }
  /// The peer sends objects, as many as are taken at once.
  void flood() {
    const std::string object = "{}" + std::string(1000, ' ');
    std::size_t size = 0;
    do {
      size = peer->write(std::string_view(object).substr(written % object.size()));
      written += size;
    } while (size > 0);
  }

  Loop loop;
  std::string answer;
  std::shared_ptr<Connection> connection;
  std::optional<Peer> peer;
  std::size_t objects = 0;
  std::size_t written = 0;
  std::vector<std::string> closed;
};

TEST_CASE("A peer that sends and never reads is no longer read, and goes on when it reads") {
  ConnectionOptions options;
  options.pause_bytes = 64 << 10;
  const std::string answer = "{\"a\":\"" + std::string(1000, 'x') + "\"}\n";
  AnsweringLink link(options, answer);
  std::size_t paused_at = 0;
  std::size_t most_unsent = 0;
  for (int idle_rounds = 0; idle_rounds < 100 && link.closed.empty(); ++idle_rounds) {
    link.flood();
    link.loop.run_ready();
    most_unsent = std::max(most_unsent, link.connection->unsent_bytes());
    const bool is_paused = link.connection->unsent_bytes() > options.pause_bytes;
    if (!is_paused || link.objects != paused_at) idle_rounds = 0;
    paused_at = link.objects;
  }
  CHECK(link.closed.empty());
  CHECK(link.written < std::size_t{4} << 20);  // the kernel's buffers, and no more
  // What one read brought is still answered: at most 256 KiB of objects of a thousand bytes.
  CHECK(most_unsent < options.pause_bytes + (std::size_t{300} << 10));

  link.peer->start_reading();
  REQUIRE(link.loop.run_until([&] {
    return link.objects > paused_at && link.peer->received.size() == link.objects * answer.size() &&
           link.connection->unsent_bytes() == 0;
  }));
  CHECK(link.closed.empty());
}

TEST_CASE(
    "A connection that keeps reading reads however much is unsent, up to a bound of its own") {
  ConnectionOptions options;
  options.pause_bytes = options.drop_bytes = 64 << 10;
  AnsweringLink link(options, "{\"a\":\"" + std::string(100'000, 'x') + "\"}\n");
  link.connection->keep_reading(10'000'000);
  for (int i = 0; i < 1000 && link.closed.empty(); ++i) {
    link.flood();
    link.loop.run_ready();
  }
  CHECK(link.objects >= 100);
  CHECK(link.closed == std::vector<std::string>{"it does not read what is sent to it"});
}

TEST_CASE("Two ends that both have much to send come to an end where both keep reading") {
  Loop loop;
  auto [one, two] = support::stream_pair(loop.io);
  const std::string object = "{\"a\":\"" + std::string(100'000, 'x') + "\"}\n";
  constexpr std::size_t count = 50;
  struct End {
    std::shared_ptr<Connection> connection;
    std::size_t objects = 0;
    std::vector<std::size_t> unsent;  // after each write
  };
  std::array<End, 2> ends;
  ends[0].connection = std::make_shared<Connection>(std::move(one), ConnectionOptions{});
  ends[1].connection = std::make_shared<Connection>(std::move(two), ConnectionOptions{});
  for (End& end : ends) {
    end.connection->keep_reading(std::size_t{64} << 20);
    end.connection->start(
        {.on_object = [&end](std::string_view) { ++end.objects; },
         .on_batch = {},
         .on_framing_lost = {},
         .on_closed = {},
         .on_written = [&end] { end.unsent.push_back(end.connection->unsent_bytes()); }});
    for (std::size_t i = 0; i < count; ++i) end.connection->send(object);
    end.connection->flush();
  }
  CHECK(loop.run_until([&] {
    return std::ranges::all_of(ends, [](const End& end) {
      return end.objects == count && !end.unsent.empty() && end.unsent.back() == 0;
    });
  }));
  for (End& end : ends) {
    CHECK(std::ranges::is_sorted(end.unsent, std::greater{}));
    end.connection->close("done");
  }
  loop.run_ready();
}

TEST_CASE("A peer that does not read is dropped once too much waits for it") {
  ConnectionOptions options;
  options.pause_bytes = 64 << 10;
  options.drop_bytes = 1 << 20;
  AnsweringLink link(options, "{}\n");
  const std::string large = "{\"a\":\"" + std::string(100'000, 'x') + "\"}\n";
  for (int i = 0; i < 1000 && link.connection->is_open(); ++i) {
    link.connection->send(large);
    link.connection->flush();
    CHECK(link.connection->unsent_bytes() <= options.drop_bytes + large.size());
    link.loop.run_ready();
  }
  CHECK_FALSE(link.connection->is_open());
  link.loop.run_ready();
  CHECK(link.closed == std::vector<std::string>{"it does not read what is sent to it"});
}

TEST_CASE("A connection that ends writes all that was sent, however slowly the peer reads") {
  AnsweringLink link({}, "");
  const std::string large = "{\"a\":\"" + std::string(1'000'000, 'x') + "\"}\n";
  link.connection->send(large);
  link.connection->close_when_written();
  link.loop.run_ready();
  CHECK(link.connection->unsent_bytes() > 0);
  link.peer->start_reading();
  REQUIRE(link.loop.run_until([&] { return link.peer->is_closed; }));
  CHECK((link.peer->received == large));
  CHECK(link.closed.empty());
  link.peer->close();
  REQUIRE(link.loop.run_until([&] { return !link.closed.empty(); }));
  CHECK(link.closed.size() == 1);
}

}  // namespace
}  // namespace fogctl
