// What every call of the Redis queue shares: a session of the pool, scripts by their digest, one
// more try when a connection turns out to be broken, the mapping of time, and errors that say what
// could not be done where. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.hpp"
#include "base/time.hpp"
#include "queue/redis_arguments.hpp"
#include "queue/redis_pool.hpp"
#include "queue/scripts.hpp"

namespace fogctl {

/// For messages: "lease", or "enqueue 12 tasks".
struct Doing {
  std::string_view verb;
  std::size_t tasks = 0;
};

class RedisCaller {
 public:
  using Session = RedisPool::Handle;

  /// Error: unavailable when the server is not there or not ready.
  [[nodiscard]] static Result<std::unique_ptr<RedisCaller>> open(const RedisAddress& address,
                                                                 RedisTimeouts timeouts,
                                                                 std::size_t connections,
                                                                 const Clock& clock);

  /// Calls `use` with a session. When the connection breaks under it (the server went away, or had
  /// since the last call), once more with a new one: `use` must bear that. Not after a time-out.
  template <typename Use>
  [[nodiscard]] std::invoke_result_t<Use&, Session&> call(Doing doing, Use use);

  /// For `use`: runs one script, or one command. An error reply of the server is an Error.
  [[nodiscard]] Result<RedisReply> run(Session& session, Script script, std::size_t keys,
                                       const RedisArguments& arguments);
  [[nodiscard]] static Result<RedisReply> command(Session& session,
                                                  std::initializer_list<std::string_view> words);

  /// For pipelines of commands: the next answer, error replies included.
  [[nodiscard]] static Result<RedisReply> receive(Session& session);

  /// A session for a thread that blocks in it; `doing` says what for.
  [[nodiscard]] Result<RedisSession> open_session(Doing doing);
  [[nodiscard]] Error cannot(Doing doing, const Error& why) const;

  /// Microseconds of Redis' clock, within what a Lua number holds exactly: 0 to 8.99e15.
  [[nodiscard]] std::int64_t to_queue_time(Instant time) const;
  [[nodiscard]] Instant from_queue_time(std::int64_t microseconds) const;

  [[nodiscard]] std::string incarnation() const;
  [[nodiscard]] const RedisTimeouts& timeouts() const { return pool_.timeouts(); }

 private:
  RedisCaller(const RedisAddress& address, RedisTimeouts timeouts, std::size_t connections,
              const Clock& clock);

  [[nodiscard]] Result<Session> acquire();
  [[nodiscard]] Result<void> load_scripts(Session& session);
  [[nodiscard]] Result<void> measure_time(Session& session);
  void note_incarnation(const std::string& run_id);

  RedisPool pool_;
  const Clock& clock_;
  std::array<std::string, script_count> digests_;
  std::atomic<std::int64_t> offset_ns_{0};  // Redis' time less ours
  std::atomic<std::int64_t> next_measure_ns_{0};
  std::atomic<bool> measured_{false};
  mutable std::mutex mutex_;
  std::string incarnation_;  // guarded by mutex_
};

template <typename Use>
std::invoke_result_t<Use&, RedisCaller::Session&> RedisCaller::call(Doing doing, Use use) {
  for (int tries = 0;; ++tries) {
    auto session = acquire();
    if (!session) return std::unexpected(cannot(doing, session.error()));
    auto outcome = use(*session);
    if (outcome) return outcome;
    const bool again =
        tries == 0 && session->broken() && outcome.error().code == ErrorCode::unavailable;
    if (!again) return std::unexpected(cannot(doing, outcome.error()));
  }
}

}  // namespace fogctl
