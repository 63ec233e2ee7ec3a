#include "net/dialer.hpp"

#include <doctest/doctest.h>

#include <asio/read.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/name_lookup.hpp"
#include "support/loopback.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using support::Loop;

/// Dials, and notes every answer.
struct Dial {
  Dial(Loop& events, const HostPort& address, Duration budget) : loop(events) {
    dial(loop.io, address, budget,
         [this](Result<tcp::socket> socket) { answers.push_back(std::move(socket)); });
  }
  Result<tcp::socket>& answer() {
    REQUIRE(loop.run_until([&] { return !answers.empty(); }));
    loop.run_ready();
    REQUIRE(answers.size() == 1);
    return answers[0];
  }
  Loop& loop;
  std::vector<Result<tcp::socket>> answers;
};

tcp::acceptor listening(asio::io_context& io) {
  return {io, {asio::ip::address_v4::loopback(), 0}};
}

TEST_CASE("A dialled connection is given once, and carries bytes") {
  Loop loop;
  tcp::acceptor acceptor = listening(loop.io);
  Dial dialled(loop, {"127.0.0.1", acceptor.local_endpoint().port()}, 10s);
  auto& socket = dialled.answer();
  REQUIRE(socket);
  tcp::socket other = acceptor.accept();
  asio::write(*socket, asio::buffer("hello", 5));
  std::string bytes(5, '\0');
  asio::read(other, asio::buffer(bytes));
  CHECK(bytes == "hello");
}

TEST_CASE("A name is resolved, and its addresses are tried until one answers") {
  Loop loop;
  tcp::acceptor acceptor = listening(loop.io);  // localhost may be ::1 first, where nobody listens
  Dial dialled(loop, {"localhost", acceptor.local_endpoint().port()}, 10s);
  CHECK(dialled.answer());
}

TEST_CASE("A port where nobody listens is refused, naming it") {
  Loop loop;
  std::optional<tcp::acceptor> acceptor = listening(loop.io);
  const std::uint16_t port = acceptor->local_endpoint().port();
  acceptor.reset();
  Dial dialled(loop, {"127.0.0.1", port}, 10s);
  const auto& socket = dialled.answer();
  REQUIRE_FALSE(socket);
  CHECK(socket.error().code == ErrorCode::unavailable);
  CHECK(is_transient(socket.error()));
  CHECK(socket.error().message ==
        "cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

/// A port that answers nothing: its queue of connections is full.
struct Mute {
  explicit Mute(asio::io_context& io) : acceptor(io, tcp::v4()) {
    acceptor.bind({asio::ip::address_v4::loopback(), 0});
    acceptor.listen(0);
    for (int i = 0; i < 8; ++i) {
      tcp::socket& socket = waiting.emplace_back(io, tcp::v4());
      socket.native_non_blocking(true);
      const tcp::endpoint to = acceptor.local_endpoint();
      ::connect(socket.native_handle(), to.data(), static_cast<socklen_t>(to.size()));
    }
  }
  tcp::acceptor acceptor;
  std::vector<tcp::socket> waiting;
};

TEST_CASE("A host that does not answer costs the budget and no more") {
  Loop loop;
  Mute mute(loop.io);
  const std::uint16_t port = mute.acceptor.local_endpoint().port();
  Dial dialled(loop, {"127.0.0.1", port}, 50ms);
  const auto& socket = dialled.answer();
  REQUIRE_FALSE(socket);
  CHECK(socket.error().code == ErrorCode::timed_out);
  CHECK(is_transient(socket.error()));
  CHECK(socket.error().message ==
        "cannot connect to 127.0.0.1:" + std::to_string(port) + ": no answer in time");
}

TEST_CASE("An address that does not answer leaves the next one its share of the time") {
  Loop loop;
  Mute mute(loop.io);
  tcp::acceptor acceptor = listening(loop.io);
  const SystemClock clock;
  const Instant end = clock.now() + 1s;
  std::optional<Result<tcp::socket>> answer;
  const auto dial_both = [&](const tcp::endpoint& last) {
    dial_any(loop.io, {"fog.example", 10000}, {mute.acceptor.local_endpoint(), last}, 1s,
             [&](Result<tcp::socket> socket) { answer = std::move(socket); });
    REQUIRE(loop.run_until([&] { return answer.has_value(); }));
  };
  dial_both(acceptor.local_endpoint());
  REQUIRE(*answer);
  CHECK(clock.now() < end);
  CHECK((*answer)->remote_endpoint() == acceptor.local_endpoint());

  answer.reset();
  dial_both(mute.acceptor.local_endpoint());
  REQUIRE_FALSE(*answer);
  CHECK(answer->error().message == "cannot connect to fog.example:10000: no answer in time");
}

TEST_CASE("Once it has answered, nothing of it keeps the loop busy") {
  asio::io_context io(1);
  tcp::acceptor acceptor = listening(io);
  bool is_connected = false;
  dial(io, {"127.0.0.1", acceptor.local_endpoint().port()}, 24h,
       [&](const Result<tcp::socket>& socket) { is_connected = socket.has_value(); });
  io.run_for(20s);
  CHECK(is_connected);
  CHECK(io.stopped());
}

TEST_CASE("A loop that ends in the middle of dialling leaves nothing behind") {
  bool was_called = false;
  {
    Loop loop;
    Mute mute(loop.io);
    dial(loop.io, {"127.0.0.1", mute.acceptor.local_endpoint().port()}, 10s,
         [&](const Result<tcp::socket>&) { was_called = true; });
    loop.run_ready();
  }
  CHECK_FALSE(was_called);
}

TEST_CASE("A loop that ends while a name is looked up leaves nothing behind") {
  const auto held = std::make_shared<int>();  // by whoever could still call
  for (int i = 0; i < 50; ++i) {
    {
      Loop loop;
      dial(loop.io, {"localhost", 1}, 10s, [held](const Result<tcp::socket>&) {});
      if (i % 2 == 0) loop.run_ready();
    }
    CHECK(held.use_count() == 1);
  }
  CHECK(look_up_within("localhost", 20s));  // the last of them has ended
}

TEST_CASE("A name that nobody knows is said to be unknown") {
  Loop loop;
  Dial dialled(loop, {"no such host", 10000}, 10s);
  const auto& socket = dialled.answer();
  REQUIRE_FALSE(socket);
  CHECK(socket.error().code == ErrorCode::unavailable);
  CHECK(socket.error().message ==
        "cannot connect to no such host:10000: Name or service not known");
}

}  // namespace
}  // namespace fogctl
