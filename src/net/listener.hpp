// Accepts TCP connections. Network thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/address.hpp"

namespace fogctl {

class Listener {
 public:
  explicit Listener(asio::io_context& io);

  /// Binds and listens: on `address`, or on the first idle port of 0.0.0.0 from 10000.
  /// Error: in_use or failed, naming the address.
  [[nodiscard]] Result<void> open(const std::optional<HostPort>& address);
  [[nodiscard]] std::string address() const;

  /// Goes on until close(). When the process has no file descriptor left it waits for one.
  void accept(std::function<void(asio::ip::tcp::socket)> on_accepted);
  void close();

 private:
  [[nodiscard]] Result<void> open_at(const HostPort& address);

  asio::io_context& io_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::function<void(asio::ip::tcp::socket)> on_accepted_;
  bool said_failing_ = false;
};

/// Tells one who was accepted why it cannot stay, and closes. Nothing is waited for: what the
/// kernel does not take at once is not said.
void turn_away(asio::ip::tcp::socket socket, std::string_view words);

}  // namespace fogctl
