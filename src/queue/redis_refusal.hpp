// What Redis' error replies mean: the error's kind, what a person can do about it, and where a node
// of a cluster sends its client. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "queue/redis_address.hpp"

namespace fogctl {

/// "OOM" of "OOM command not allowed …", also where a script of an older server met it.
[[nodiscard]] std::string_view refusal_word(std::string_view text);

/// The error that an error reply stands for: unavailable where the same call may succeed later
/// (LOADING, OOM, …), read_only (READONLY), unauthorized (NOAUTH, WRONGPASS, NOPERM), else failed.
/// The message is the server's, and what to do about it.
[[nodiscard]] Error error_of_refusal(std::string_view text);

/// "MOVED 3999 10.0.0.7:6381": that node owns the slot. "ASK 3999 …": this once, ask that one.
struct RedisRedirect {
  bool is_ask = false;
  std::uint16_t slot = 0;
  RedisEndpoint to;  // the host may be empty: that of the node that said so
};
[[nodiscard]] std::optional<RedisRedirect> parse_redirect(std::string_view text);

}  // namespace fogctl
