#include "net/address.hpp"

#include <fmt/format.h>

#include <charconv>

namespace fogctl {

Result<HostPort> parse_host_port(std::string_view text) {
  const auto wrong = [&] {
    return failure(ErrorCode::invalid,
                   fmt::format("'{}' is not an address: write it as HOST:PORT", text));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  if (host.find_first_of(is_bracketed ? "[]" : "[]:") != std::string_view::npos) return wrong();
  std::uint16_t port = 0;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc{} || rest != digits.data() + digits.size()) {
    return wrong();
  }
  return HostPort{host.empty() ? "0.0.0.0" : std::string(host), port};
}

Result<HostPort> parse_remote(std::string_view text) {
  auto address = parse_host_port(text);
  if (!address || address->port > 0) return address;
  return failure(ErrorCode::invalid, fmt::format("'{}' has no port to connect to", text));
}

std::string to_string(const HostPort& address) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", address.host, is_v6 ? "]" : "", address.port);
}

std::string reachable_address(std::string_view listen, const std::string& host) {
  const auto address = parse_host_port(listen);
  if (!address || address->port == 0 || !is_numeric(*address)) return {};
  const bool is_any = address->host == "0.0.0.0" || address->host == "::";
  return to_string(HostPort{is_any ? host : address->host, address->port});
}

bool is_numeric(const HostPort& address) {
  asio::error_code error;
  (void)asio::ip::make_address(address.host, error);
  return !error;
}

bool is_loopback(const HostPort& address) {
  asio::error_code error;
  const auto parsed = asio::ip::make_address(address.host, error);
  return error ? address.host == "localhost" : parsed.is_loopback();
}

std::string to_string(const asio::ip::tcp::endpoint& endpoint) {
  return to_string(HostPort{endpoint.address().to_string(), endpoint.port()});
}

}  // namespace fogctl
