#include "net/listener.hpp"

#include <doctest/doctest.h>

#include <asio/read.hpp>
#include <asio/write.hpp>
#include <string>
#include <thread>
#include <vector>

#include "support/loopback.hpp"

namespace fogctl {
namespace {

using asio::ip::tcp;
using support::Loop;

HostPort address_of(const Listener& listener) {
  const auto address = parse_host_port(listener.address());
  REQUIRE(address);
  return *address;
}

/// Connects without waiting for anybody to accept.
asio::error_code connect_to(tcp::socket& socket, const HostPort& address) {
  asio::error_code error;
  socket.connect({asio::ip::make_address("127.0.0.1"), address.port}, error);
  return error;
}

TEST_CASE("A listener takes an address and accepts every connection until it is closed") {
  Loop loop;
  Listener listener(loop.io);
  CHECK(listener.address() == "nowhere");
  REQUIRE(listener.open(HostPort{"127.0.0.1", 0}));
  const HostPort address = address_of(listener);
  CHECK(address.host == "127.0.0.1");
  CHECK(address.port > 0);

  std::vector<tcp::socket> accepted;
  listener.accept([&](tcp::socket socket) { accepted.push_back(std::move(socket)); });
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(connect_to(clients.emplace_back(loop.io), address));
  }
  REQUIRE(loop.run_until([&] { return accepted.size() == 3; }));

  listener.close();
  loop.run_ready();
  tcp::socket late(loop.io);
  CHECK(connect_to(late, address) == asio::error::connection_refused);
  CHECK(accepted.size() == 3);
}

TEST_CASE("A listener may be closed by the one that it gives a connection to") {
  Loop loop;
  Listener listener(loop.io);
  REQUIRE(listener.open(HostPort{"127.0.0.1", 0}));
  int accepted = 0;
  listener.accept([&](const tcp::socket&) {
    ++accepted;
    listener.close();
  });
  tcp::socket client(loop.io);
  CHECK_FALSE(connect_to(client, address_of(listener)));
  REQUIRE(loop.run_until([&] { return accepted == 1; }));
  loop.run_ready();
  CHECK(accepted == 1);
}

TEST_CASE("A port in use is an error that names it and says what to do") {
  Loop loop;
  Listener first(loop.io);
  REQUIRE(first.open(HostPort{"127.0.0.1", 0}));
  const HostPort address = address_of(first);
  Listener second(loop.io);
  const auto opened = second.open(address);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::in_use);
  CHECK(opened.error().message.starts_with("cannot listen on " + to_string(address) + ": "));
  CHECK(opened.error().message.find("fogctl find-port") != std::string::npos);

  first.close();
  CHECK(second.open(address));  // what failed can be tried again
}

TEST_CASE("An address of another machine is an error that names it") {
  Loop loop;
  Listener listener(loop.io);
  const auto opened = listener.open(HostPort{"192.0.2.1", 10000});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::failed);
  CHECK(opened.error().message.starts_with("cannot listen on 192.0.2.1:10000: "));
}

TEST_CASE("Without an address a listener takes an idle port from 10000, on every address") {
  Loop loop;
  Listener first(loop.io);
  Listener second(loop.io);
  REQUIRE(first.open({}));
  REQUIRE(second.open({}));
  CHECK(address_of(first).host == "0.0.0.0");
  CHECK(address_of(first).port >= 10000);
  CHECK(address_of(second).port >= 10000);
  CHECK(address_of(second).port != address_of(first).port);
}

TEST_CASE("Without an address a port that somebody uses is passed over") {
  Loop loop;
  Listener everywhere(loop.io);
  REQUIRE(everywhere.open({}));
  const std::uint16_t taken = address_of(everywhere).port;
  everywhere.close();
  Listener elsewhere(loop.io);
  REQUIRE(elsewhere.open(HostPort{"127.0.0.1", taken}));
  Listener next(loop.io);
  REQUIRE(next.open({}));
  CHECK(address_of(next).port != taken);
}

TEST_CASE("Who is turned away reads why, whatever it has sent, and then the end") {
  Loop loop;
  auto [server, client] = support::connected_pair(loop.io);
  asio::write(client, asio::buffer(std::string(10'000, 'x')));
  while (server.available() < 10'000) std::this_thread::yield();
  turn_away(std::move(server), "no room\n");
  std::string read;
  asio::error_code end;
  asio::read(client, asio::dynamic_buffer(read), end);
  CHECK(read == "no room\n");
  CHECK(end == asio::error::eof);  // a reset may overtake the words
}

}  // namespace
}  // namespace fogctl
