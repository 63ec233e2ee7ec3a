#include "net/dialer.hpp"
#include "net/timer_length.hpp"

#include <fmt/format.h>
#include <asio/connect.hpp>
#include <asio/steady_timer.hpp>

#include <memory>
#include <string>
#include <utility>

namespace fogctl {
namespace {

using asio::ip::tcp;

/// One attempt; kept alive by the handlers that it waits for.
struct Attempt : std::enable_shared_from_this<Attempt> {
  Attempt(asio::io_context& io, HostPort to, std::function<void(Result<tcp::socket>)> callback)
      : resolver(io), socket(io), timer(io), address(std::move(to)), done(std::move(callback)) {}

  void start(Duration budget) {
    timer.expires_after(timer_length(budget));
    timer.async_wait([self = shared_from_this()](asio::error_code error) {
      if (!error) self->fail(ErrorCode::timed_out, "no answer in time");
    });
    // Names are looked up by one thread for all: an address never waits behind one that no server
    // answers for.
    asio::error_code is_name;
    const auto numeric = asio::ip::make_address(address.host, is_name);
    if (!is_name) {
      return connect(tcp::resolver::results_type::create({numeric, address.port}, "", ""));
    }
    resolver.async_resolve(
        address.host, std::to_string(address.port), tcp::resolver::numeric_service,
        [self = shared_from_this()](asio::error_code error, const auto& endpoints) {
          if (error) return self->fail(ErrorCode::unavailable, error.message());
          self->connect(endpoints);
        });
  }

  void connect(const tcp::resolver::results_type& endpoints) {
    if (!done) return;
    asio::async_connect(socket, endpoints,
                        [self = shared_from_this()](asio::error_code error, const auto&) {
                          if (error) return self->fail(ErrorCode::unavailable, error.message());
                          self->finish(std::move(self->socket));
                        });
  }

  void fail(ErrorCode code, const std::string& why) {
    finish(failure(code, fmt::format("cannot connect to {}: {}", to_string(address), why)));
  }

  void finish(Result<tcp::socket> outcome) {
    if (!done) return;
    auto callback = std::exchange(done, nullptr);
    timer.cancel();
    resolver.cancel();
    asio::error_code ignored;
    if (!outcome) socket.close(ignored);
    callback(std::move(outcome));
  }

  tcp::resolver resolver;
  tcp::socket socket;
  asio::steady_timer timer;
  HostPort address;
  std::function<void(Result<tcp::socket>)> done;
};

}  // namespace

void dial(asio::io_context& io, const HostPort& address, Duration budget,
          std::function<void(Result<tcp::socket>)> done) {
  std::make_shared<Attempt>(io, address, std::move(done))->start(budget);
}

}  // namespace fogctl
