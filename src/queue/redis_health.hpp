// Whether a Redis can carry a fog's task queue: what it tells about itself, and what that means.
// Collecting talks to the server (by the thread that has the connection); judging is pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "queue/redis_connection.hpp"

namespace fogctl {

enum class Verdict { ok, warning, failure };
[[nodiscard]] std::string_view to_string(Verdict verdict);

struct Finding {
  std::string check;  // what was looked at: "version"
  Verdict verdict = Verdict::ok;
  std::string meaning;  // what was found and what follows from it
  std::string advice;   // what to do; empty: nothing
  bool is_told = true;  // false: the server would not say
};

/// What a Redis told about itself.
struct RedisFacts {
  std::map<std::string, std::string> info;     // INFO; empty: it would not tell
  std::map<std::string, std::string> config;   // CONFIG GET; a missing name: it would not tell
  std::map<std::string, std::string> cluster;  // CLUSTER INFO, of a node of one
  std::string slot;                            // of the queue `fog`, there
  std::string script_error;                    // the answer to a script that writes; empty: it ran
  std::vector<Duration> round_trips;           // of PINGs, in order of time
};

/// "key:value" lines of INFO.
[[nodiscard]] std::map<std::string, std::string> parse_redis_info(std::string_view text);

/// Asks; runs a script that writes one short-lived key; measures 200 PINGs, or 2 s of them.
/// Error: unavailable or timed_out, when the connection broke.
[[nodiscard]] Result<RedisFacts> collect_redis_facts(RedisConnection& redis, const Clock& clock);

/// One finding per check, in the order in which a person would repair them. `address` is for the
/// commands in an advice.
[[nodiscard]] std::vector<Finding> judge_redis(const RedisFacts& facts,
                                               const RedisAddress& address);

/// How it loses tasks that it took, as it is set now. Empty: it does not, or would not tell.
/// Evicting keys is no loss as long as it may use all memory.
[[nodiscard]] std::vector<Finding> judge_losses(const RedisFacts& facts,
                                                const RedisAddress& address);

/// Asks for that, in one round trip. Error: as above.
[[nodiscard]] Result<std::vector<Finding>> find_losses(RedisConnection& redis,
                                                       const RedisAddress& address);

/// What it means that RedisConnection::open() failed.
[[nodiscard]] std::vector<Finding> judge_unreachable_redis(const Error& error,
                                                           const RedisAddress& address);

[[nodiscard]] Verdict worst(const std::vector<Finding>& findings);

/// The smallest of the lengths that at least `percent` of them do not exceed; zero of none.
[[nodiscard]] Duration percentile(std::vector<Duration> lengths, double percent);

}  // namespace fogctl
