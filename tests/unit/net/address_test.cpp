#include "net/address.hpp"

#include <doctest/doctest.h>

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
  for (const std::string text : {"", "10000", "host", "host:", "host:x", "host:65536", "host:-1",
                                 "host:+1", "host: 1", "host:1 ", "::1", "::1:80", "[::1]",
                                 "[::1]80", "[]:80", "[::1:80", "::1]:80", "a:b:1", "host:1.0"}) {
    CAPTURE(text);
    const auto address = parse_host_port(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == ErrorCode::invalid);
    CHECK(address.error().message.find("'" + text + "'") != std::string::npos);
  }
}

TEST_CASE("An endpoint is printed as it would be written") {
  using asio::ip::make_address;
  CHECK(to_string(asio::ip::tcp::endpoint(make_address("127.0.0.1"), 80)) == "127.0.0.1:80");
  CHECK(to_string(asio::ip::tcp::endpoint(make_address("::1"), 80)) == "[::1]:80");
}

}  // namespace
}  // namespace fogctl
