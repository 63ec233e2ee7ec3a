// Addresses as people write them: HOST:PORT, [IPv6]:PORT. Any thread.
#pragma once

#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace fogctl {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

/// "10.0.0.7:10000", "cloud.lab:10000", "[::1]:10000", ":10000" (every address, as 0.0.0.0).
/// Error: invalid, naming the text.
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text);
[[nodiscard]] std::string to_string(const HostPort& address);
[[nodiscard]] std::string to_string(const asio::ip::tcp::endpoint& endpoint);

}  // namespace fogctl
