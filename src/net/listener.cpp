#include "net/listener.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <utility>

#include "base/log.hpp"
#include "base/name_lookup.hpp"

namespace fogctl {
namespace {

using asio::ip::tcp;

constexpr std::uint16_t first_port = 10000;
constexpr std::uint16_t last_port = 65534;
constexpr std::chrono::milliseconds pause_without_descriptors(100);

}  // namespace

Listener::Listener(asio::io_context& io) : io_(io), acceptor_(io), pause_(io) {}

Result<void> Listener::open(const std::optional<HostPort>& address) {
  if (address) return open_at(*address);
  for (std::uint16_t port = first_port; port <= last_port; ++port) {
    auto opened = open_at({"0.0.0.0", port});
    if (opened || opened.error().code != ErrorCode::in_use) return opened;
  }
  return failure(ErrorCode::in_use,
                 fmt::format("no TCP port from {} to {} is idle", first_port, last_port));
}

Result<void> Listener::open_at(const HostPort& address) {
  const auto failed = [&](const asio::error_code& error) {
    const bool in_use = error == asio::error::address_in_use;
    asio::error_code ignored;
    acceptor_.close(ignored);
    return failure(in_use ? ErrorCode::in_use : ErrorCode::failed,
                   fmt::format("cannot listen on {}: {}{}", to_string(address), error.message(),
                               in_use ? "; 'fogctl find-port' shows idle ones" : ""));
  };
  const auto found = look_up_within(address.host);
  if (!found) {
    return failure(ErrorCode::failed, fmt::format("cannot listen on {}: {}", to_string(address),
                                                  found.error().message));
  }
  const tcp::endpoint endpoint(asio::ip::make_address(found->front()), address.port);
  asio::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(error);
  return {};
}

std::string Listener::address() const {
  asio::error_code error;
  const tcp::endpoint endpoint = acceptor_.local_endpoint(error);
  return error ? "nowhere" : to_string(endpoint);
}

void Listener::accept(std::function<void(tcp::socket)> on_accepted) {
  if (on_accepted) on_accepted_ = std::move(on_accepted);
  acceptor_.async_accept([this](asio::error_code error, tcp::socket socket) {
    if (!acceptor_.is_open()) return;
    if (!error) {
      said_failing_ = false;
      on_accepted_(std::move(socket));
      return accept({});
    }
    if (!said_failing_) {
      log(LogLevel::warning, "cannot accept connections: {}; 'ulimit -n' bounds how many there are",
          error.message());
    }
    said_failing_ = true;
    pause_.expires_after(pause_without_descriptors);
    pause_.async_wait([this](asio::error_code stopped) {
      if (!stopped) accept({});
    });
  });
}

void Listener::close() {
  asio::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void turn_away(tcp::socket socket, std::string_view words) {
  asio::error_code error;
  socket.non_blocking(true, error);
  socket.write_some(asio::buffer(words), error);
  socket.shutdown(tcp::socket::shutdown_send, error);
  // Closed with something unread in it, it would be reset, and the words be lost on their way.
  constexpr int most_reads = 16;
  std::array<char, std::size_t{4} << 10> unread;
  for (int i = 0; i < most_reads && !error; ++i) socket.read_some(asio::buffer(unread), error);
}

}  // namespace fogctl
