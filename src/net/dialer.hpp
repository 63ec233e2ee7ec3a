// Opens TCP connections: once, within a time budget. Retrying is the caller's. Belongs to the
// thread that runs its io_context.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <functional>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "net/address.hpp"

namespace fogctl {

/// Resolves the host and tries its addresses in turn, each having its share of the time; calls
/// `done` once, within `budget`. Error: unavailable or timed_out: "cannot connect to HOST:PORT:
/// connection refused".
void dial(asio::io_context& io, const HostPort& address, Duration budget,
          std::function<void(Result<asio::ip::tcp::socket>)> done);

/// The second half of it: to the first of these endpoints that answers, of which there is one at
/// least; `address` is for messages.
void dial_any(asio::io_context& io, const HostPort& address,
              std::vector<asio::ip::tcp::endpoint> endpoints, Duration budget,
              std::function<void(Result<asio::ip::tcp::socket>)> done);

}  // namespace fogctl
