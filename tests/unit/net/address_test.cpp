#include "net/address.hpp"

#include <doctest/doctest.h>

#include <string>

#include "base/random.hpp"

namespace fogctl {
namespace {

TEST_CASE("An address is a host and a port, with brackets where the host has colons") {
  struct Row {
    const char* text;
    const char* host;
    std::uint16_t port;
    const char* printed;
  };
  constexpr Row rows[] = {
      {"10.0.0.7:10000", "10.0.0.7", 10000, "10.0.0.7:10000"},
      {"cloud.lab:1", "cloud.lab", 1, "cloud.lab:1"},
      {"[::1]:65535", "::1", 65535, "[::1]:65535"},
      {"[fe80::1%eth0]:80", "fe80::1%eth0", 80, "[fe80::1%eth0]:80"},
      {":10000", "0.0.0.0", 10000, "0.0.0.0:10000"},
      {"localhost:0", "localhost", 0, "localhost:0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto address = parse_host_port(row.text);
    REQUIRE(address);
    CHECK(address->host == row.host);
    CHECK(address->port == row.port);
    CHECK(to_string(*address) == row.printed);
  }
}

TEST_CASE("What is no address is refused by naming it") {
  for (const std::string text :
       {"",        "10000",   "host",     "host:",    "host:x", "host:65536", "host:-1", "host:+1",
        "host: 1", "host:1 ", "::1",      "::1:80",   "[::1]",  "[::1]80",    "[]:80",   "[::1:80",
        "::1]:80", "a:b:1",   "host:1.0", "[a]b]:80", "[[]:80", "[[::1]]:80", "[]]:80"}) {
    CAPTURE(text);
    const auto address = parse_host_port(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == ErrorCode::invalid);
    CHECK(address.error().message.find("'" + text + "'") != std::string::npos);
  }
}

TEST_CASE("What was read as an address is read again as it is printed, and is the same") {
  // Peers tell of addresses: whatever they say, it is dialled by what was printed of it.
  const std::string letters = "a:[]1.%";
  Random random(1);
  int read = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string text;
    for (auto left = random.below(9); left > 0; --left) text += letters[random.below(7)];
    const auto address = parse_host_port(text + ":80");
    if (!address) continue;
    ++read;
    CAPTURE(text);
    const auto again = parse_host_port(to_string(*address));
    REQUIRE(again);
    REQUIRE(again->host == address->host);
    REQUIRE(again->port == address->port);
  }
  CHECK(read > 1000);
}

TEST_CASE("A node that listens on any address is reached where it was met, another where it says") {
  struct Row {
    const char* listen;
    const char* host;
    const char* reached;
  };
  constexpr Row rows[] = {
      {"0.0.0.0:10000", "10.0.0.7", "10.0.0.7:10000"},
      {":10000", "10.0.0.7", "10.0.0.7:10000"},
      {"[::]:10000", "10.0.0.7", "10.0.0.7:10000"},
      {"0.0.0.0:10000", "fe80::1", "[fe80::1]:10000"},
      {"10.0.0.8:10000", "10.0.0.7", "10.0.0.8:10000"},
      {"fog.lab:10000", "10.0.0.7", ""},  // a stranger's word makes nobody look up names
      {"0.0.0.0:0", "10.0.0.7", ""},
      {"10.0.0.8:0", "10.0.0.7", ""},
      {"", "10.0.0.7", ""},
      {"10.0.0.8", "10.0.0.7", ""},
      {"[a]b]:80", "10.0.0.7", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.listen);
    CHECK(reachable_address(row.listen, row.host) == row.reached);
  }
}

TEST_CASE("An address that is this machine's alone is told from others") {
  for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "localhost"}) {
    CAPTURE(host);
    CHECK(is_loopback({host, 80}));
  }
  for (const char* host : {"0.0.0.0", "10.0.0.7", "::", "fe80::1", "fog.lab", "", "128.0.0.1"}) {
    CAPTURE(host);
    CHECK_FALSE(is_loopback({host, 80}));
  }
}

TEST_CASE("An endpoint is printed as it would be written") {
  using asio::ip::make_address;
  CHECK(to_string(asio::ip::tcp::endpoint(make_address("127.0.0.1"), 80)) == "127.0.0.1:80");
  CHECK(to_string(asio::ip::tcp::endpoint(make_address("::1"), 80)) == "[::1]:80");
}

TEST_CASE("An address to connect to has a port") {
  CHECK(parse_remote("10.0.0.7:10000")->port == 10000);
  CHECK_FALSE(parse_remote("10.0.0.7"));
  for (const std::string text : {"10.0.0.7:0", "[::1]:00"}) {
    const auto address = parse_remote(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == ErrorCode::invalid);
    CHECK(address.error().message == "'" + text + "' has no port to connect to");
  }
}

}  // namespace
}  // namespace fogctl
