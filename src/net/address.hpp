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
/// The same of an address to connect to: port 0 is invalid too.
[[nodiscard]] Result<HostPort> parse_remote(std::string_view text);
[[nodiscard]] std::string to_string(const HostPort& address);
/// HOST:PORT by which a node is reached that says it listens on `listen` (0.0.0.0 being any
/// address) and was met at `host`; empty where `listen` is no IP address: a stranger's word makes
/// nobody look up names.
[[nodiscard]] std::string reachable_address(std::string_view listen, const std::string& host);
/// An IP address and no name that would have to be looked up.
[[nodiscard]] bool is_numeric(const HostPort& address);
/// Whether it can be reached from this machine alone.
[[nodiscard]] bool is_loopback(const HostPort& address);
[[nodiscard]] std::string to_string(const asio::ip::tcp::endpoint& endpoint);

}  // namespace fogctl
