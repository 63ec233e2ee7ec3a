// Reading: objects come whole, framing that is lost is answered, and closing is safe anywhere.
#include "net/connection.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "support/loopback.hpp"

namespace fogctl {
namespace {

using support::Loop;
using support::Peer;

/// A connection and its peer; notes what happens.
struct Link {
  explicit Link(const ConnectionOptions& options = {})
      : ends(support::connected_pair(loop.io)),
        connection(std::make_shared<Connection>(std::move(ends.first), options)),
        peer(std::move(ends.second)) {}
  ~Link() {
    if (connection) connection->close("done");
    loop.run_ready();
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  Connection::Events events() {
    return {.on_object = [this](std::string_view object) { objects.emplace_back(object); },
            .on_batch = [this] { ++batches; },
            .on_framing_lost =
                [this](const Error& why) {
                  lost.push_back(why.message);
                  connection->send("{\"error\":1}\n");
                },
            .on_closed = [this](const std::string& why) { closed.push_back(why); }};
  }
  void start() {
    connection->start(events());
    peer.start_reading();
  }
  bool run_until_closed() {
    return loop.run_until([&] { return !closed.empty(); });
  }
  /// Everything that could still happen has happened.
  void let_all_happen() {
    loop.run_ready();
    CHECK(closed.size() <= 1);
  }

  Loop loop;
  std::pair<asio::ip::tcp::socket, asio::ip::tcp::socket> ends;
  std::shared_ptr<Connection> connection;
  Peer peer;
  std::vector<std::string> objects;
  int batches = 0;
  std::vector<std::string> lost;
  std::vector<std::string> closed;
};

TEST_CASE("A long object that comes in many pieces costs what it is long, and others go on after") {
  ConnectionOptions options;
  options.max_message = std::size_t{64} << 20;
  Link link(options);
  const std::string longest = "{\"a\":\"" + std::string(std::size_t{40} << 20, 'x') + "\"}";
  const std::string stream = longest + "{}";
  link.start();
  std::size_t written = 0;
  const auto is_there = [&] {
    if (written < stream.size()) {
      const std::size_t piece = std::min<std::size_t>(stream.size() - written, 16 << 10);
      written += link.peer.write(std::string_view(stream).substr(written, piece));
    }
    return link.objects.size() == 2;
  };
  // Where all that came is moved or scanned again with each piece, this gives up.
  REQUIRE(link.loop.run_until(is_there));
  CHECK(link.objects[0] == longest);
}

TEST_CASE("Objects of a stream that is cut at any byte arrive whole") {
  const std::vector<std::string> sent = {R"({"a":"}{\"\\"})", "{}", R"({"b":{"c":[{}]}})",
                                         "{\"\xc3\xa9\":1}"};
  std::string stream;
  for (const std::string& object : sent) stream += object + "\n";
  Link link;
  link.start();
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    CAPTURE(cut);
    link.objects.clear();
    const int before = link.batches;
    REQUIRE(link.peer.write(stream.substr(0, cut)) == cut);
    REQUIRE(link.loop.run_until([&] { return link.batches > before; }));
    REQUIRE(link.peer.write(stream.substr(cut)) == stream.size() - cut);
    REQUIRE(link.loop.run_until([&] { return link.objects.size() >= sent.size(); }));
    CHECK(link.objects == sent);
  }
  CHECK(link.lost.empty());
  CHECK(link.connection->is_open());
}

TEST_CASE("Objects of one segment arrive in order, and a batch ends after them") {
  Link link;
  std::vector<std::size_t> objects_at_batch;
  auto events = link.events();
  events.on_batch = [&] { objects_at_batch.push_back(link.objects.size()); };
  link.connection->start(std::move(events));
  link.peer.write("{\"n\":1}{\"n\":2} {\"n\":3}\n{\"n\":");
  REQUIRE(link.loop.run_until([&] { return !objects_at_batch.empty(); }));
  CHECK(link.objects == std::vector<std::string>{"{\"n\":1}", "{\"n\":2}", "{\"n\":3}"});
  CHECK(objects_at_batch == std::vector<std::size_t>{3});
  link.peer.write("4}");
  REQUIRE(link.loop.run_until([&] { return link.objects.size() == 4; }));
  CHECK(link.objects.back() == "{\"n\":4}");
}

TEST_CASE("An object may be as long as the longest message, through a buffer that grows") {
  ConnectionOptions options;
  options.max_message = 300'000;
  Link link(options);
  link.start();
  const std::string object = "{\"a\":\"" + std::string(options.max_message - 8, 'x') + "\"}";
  REQUIRE(object.size() == options.max_message);
  const std::string stream = object + "{}";
  std::size_t written = 0;
  REQUIRE(link.loop.run_until([&] {
    written += link.peer.write(stream.substr(written));
    return link.objects.size() == 2;
  }));
  CHECK(link.objects[0] == object);
  CHECK(link.lost.empty());
}

struct LostRow {
  const char* name;
  std::string bytes;
  std::size_t objects;  // before framing is lost
};

std::vector<LostRow> lost_rows() {
  const std::string filler(300, 'x');
  return {
      {"a word", "hello", 0},
      {"a word behind objects", "{}{\"a\":1} hello", 2},
      {"one brace too many", "{}}{}", 1},
      {"an object one byte too long", "{\"a\":\"" + std::string(93, 'x') + "\"}", 0},
      {"an object that never ends", "{}{\"a\":\"" + filler, 1},
      {"a chunk that fills the buffer", std::string(4096, 'x'), 0},
      {"more than the buffer holds", std::string(10'000, '}'), 0},
  };
}

TEST_CASE("Where framing is lost the peer reads the answer, though it goes on sending garbage") {
  for (const LostRow& row : lost_rows()) {
    CAPTURE(row.name);
    ConnectionOptions options;
    options.max_message = 100;
    Link link(options);
    link.start();
    link.peer.write(row.bytes);
    REQUIRE(link.loop.run_until([&] { return !link.lost.empty(); }));
    const std::string garbage(8192, '{');
    int rounds = 0;
    REQUIRE(link.loop.run_until([&] {
      if (++rounds <= 40) link.peer.write(garbage);
      return rounds > 40 && link.peer.is_closed;
    }));
    CHECK(link.peer.received == "{\"error\":1}\n");
    CHECK(link.objects.size() == row.objects);
    CHECK(link.lost.size() == 1);
    CHECK(link.closed.empty());
    link.peer.close();
    REQUIRE(link.run_until_closed());
    link.let_all_happen();
    CHECK(link.objects.size() == row.objects);
  }
}

TEST_CASE("A peer that sends without end after framing is lost is cut off, its answer written") {
  ConnectionOptions options;
  options.discard_bytes = std::size_t{1} << 20;
  Link link(options);
  link.start();
  const std::string garbage(std::size_t{64} << 10, 'x');
  // More than lies in the sockets between: where nothing is bounded, it is taken within the linger.
  const std::size_t most = std::size_t{64} << 20;
  std::size_t taken = 0;
  REQUIRE(link.loop.run_until([&] {
    if (taken < most) taken += link.peer.write(garbage);
    return !link.closed.empty() || taken >= most;
  }));
  CHECK(taken < most);
  CHECK(link.lost.size() == 1);
  REQUIRE(link.closed.size() == 1);
  CHECK(link.closed[0] == "it goes on sending after the end");
  CHECK(link.peer.received == "{\"error\":1}\n");
}

TEST_CASE("An object of exactly the longest length does not lose framing, one byte more does") {
  ConnectionOptions options;
  options.max_message = 100;
  Link link(options);
  link.start();
  link.peer.write("{\"a\":\"" + std::string(92, 'x') + "\"}\n");
  REQUIRE(link.loop.run_until([&] { return link.objects.size() == 1; }));
  link.peer.write("{\"a\":\"" + std::string(93, 'x') + "\"}\n");
  REQUIRE(link.loop.run_until([&] { return !link.lost.empty(); }));
  CHECK(link.objects.size() == 1);
  CHECK(link.lost[0] == "object longer than 100 bytes");
}

TEST_CASE("What comes while a connection is paused is read when it goes on") {
  Link link;
  link.start();
  link.peer.write("{\"n\":1}");
  REQUIRE(link.loop.run_until([&] { return link.objects.size() == 1; }));
  link.connection->pause();
  link.peer.write("{\"n\":2}");  // one read is under way
  REQUIRE(link.loop.run_until([&] { return link.objects.size() == 2; }));
  link.peer.write("{\"n\":3}");
  link.let_all_happen();
  CHECK(link.objects.size() == 2);
  link.connection->resume();
  REQUIRE(link.loop.run_until([&] { return link.objects.size() == 3; }));
}

TEST_CASE("A peer that closes ends the connection, once") {
  Link link;
  link.start();
  link.peer.write("{}");
  link.peer.close();
  REQUIRE(link.run_until_closed());
  link.let_all_happen();
  CHECK(link.closed == std::vector<std::string>{"closed by peer"});
  CHECK(link.objects.size() == 1);
  CHECK_FALSE(link.connection->is_open());
  link.connection->close("again");
  link.connection->send("{}\n");
  link.connection->flush();
  link.connection->close_when_written();
  link.let_all_happen();
  CHECK(link.closed.size() == 1);
}

TEST_CASE("Closing from within an object's event is safe, and nothing comes after it") {
  Link link;
  bool is_inside = false;
  auto events = link.events();
  events.on_object = [&](std::string_view object) {
    is_inside = true;
    link.objects.emplace_back(object);
    link.connection->close("enough");
    CHECK(link.closed.empty());  // never from within close()
    CHECK(object == "{\"n\":1}");
    is_inside = false;
  };
  events.on_closed = [&](const std::string& why) {
    CHECK_FALSE(is_inside);
    link.closed.push_back(why);
  };
  link.connection->start(std::move(events));
  link.peer.write("{\"n\":1}{\"n\":2}{\"n\":3}");
  REQUIRE(link.run_until_closed());
  link.let_all_happen();
  CHECK(link.closed == std::vector<std::string>{"enough"});
  CHECK(link.objects.size() == 1);
  CHECK(link.batches == 0);
}

TEST_CASE("A connection that nobody else holds lives until it is closed") {
  Link link;
  link.start();
  const std::weak_ptr<Connection> watched = link.connection;
  link.connection.reset();
  link.peer.write("{}");
  REQUIRE(link.loop.run_until([&] { return link.objects.size() == 1; }));
  CHECK_FALSE(watched.expired());
  link.peer.close();
  REQUIRE(link.run_until_closed());
  link.let_all_happen();
  CHECK(watched.expired());
}

TEST_CASE("Ending a connection from within an object's event drops the rest and answers first") {
  Link link;
  auto events = link.events();
  events.on_object = [&](std::string_view object) {
    link.objects.emplace_back(object);
    link.connection->send("{\"bye\":1}\n");
    link.connection->close_when_written();
    CHECK(object == link.objects.back());
  };
  link.connection->start(std::move(events));
  link.peer.start_reading();
  link.peer.write("{\"n\":1}{\"n\":2}" + std::string(4096, ' '));
  REQUIRE(link.loop.run_until([&] { return link.peer.is_closed; }));
  CHECK(link.peer.received == "{\"bye\":1}\n");
  CHECK(link.objects.size() == 1);
  link.peer.close();
  REQUIRE(link.run_until_closed());
}

TEST_CASE("A peer's address is known, and the kernel's round trip once something was sent") {
  Link link;
  CHECK(link.connection->peer().starts_with("127.0.0.1:"));
  link.start();
  link.connection->send("{}\n");
  link.connection->flush();
  REQUIRE(link.loop.run_until([&] { return link.connection->round_trip() > Duration::zero(); }));
  CHECK(link.connection->round_trip() < std::chrono::seconds(5));
  link.connection->close("done");
  CHECK(link.connection->round_trip() == Duration::zero());
}

}  // namespace
}  // namespace fogctl
