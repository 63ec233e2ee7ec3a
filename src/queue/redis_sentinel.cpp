#include "queue/redis_sentinel.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace fogctl {
namespace {

/// Most sentinels have no password, and refuse one that is given to them.
Result<std::unique_ptr<RedisConnection>> connect(const RedisAddress& sentinel,
                                                 RedisTimeouts timeouts) {
  RedisAddress open = sentinel;
  open.password.clear();
  auto connection = RedisConnection::open(open, timeouts);
  const bool wants_password = !connection && connection.error().code == ErrorCode::unauthorized;
  if (!wants_password || sentinel.password.empty()) return connection;
  return RedisConnection::open(sentinel, timeouts);
}

}  // namespace

Result<RedisEndpoint> ask_sentinel(const RedisEndpoint& sentinel, const RedisAddress& address,
                                   RedisTimeouts timeouts) {
  timeouts.call = timeouts.connect;
  const RedisAddress at = address.at(sentinel);
  auto connection = connect(at, timeouts);
  if (!connection) return std::unexpected(without_address(connection.error(), at));
  const auto named = (*connection)->call({"SENTINEL", "get-master-addr-by-name", address.master});
  if (!named) return std::unexpected(named.error());
  if (named->is_error()) return std::unexpected(error_of(*named));
  if (named->size() != 2) {
    return failure(ErrorCode::unavailable, fmt::format("knows no master '{}'", address.master));
  }
  RedisEndpoint master{std::string((*named)[0].text()), 0};
  const std::string_view port = (*named)[1].text();
  std::from_chars(port.data(), port.data() + port.size(), master.port);
  return master;
}

}  // namespace fogctl
