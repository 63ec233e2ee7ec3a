// What every call of the Redis queue shares: a session of the pool, scripts by their digest, one
// more try when a connection turns out to be broken or its server demoted, the way to the node of a
// cluster that owns the queue's slot, the mapping of time, and errors that say what could not be
// done where. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
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

  /// `probe_key`, of the queue: a cluster's node says by it which one owns the queue's slot.
  /// Error: unavailable when the server is not there or not ready.
  [[nodiscard]] static Result<std::unique_ptr<RedisCaller>> open(const RedisAddress& address,
                                                                 RedisTimeouts timeouts,
                                                                 std::size_t connections,
                                                                 std::string_view probe_key,
                                                                 const Clock& clock);

  /// Calls `use` with a session. When the connection breaks under it (the server went away, or had
  /// since the last call), or the server takes no writes any more, once more with a new one: `use`
  /// must bear that. Not after a time-out. Redirections of a cluster are followed likewise.
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
  /// What an error reply to such a thread says about the server: true where another one is to be
  /// asked, by a new session.
  bool follow(const RedisReply& refusal, const RedisSession& session);
  [[nodiscard]] std::uint64_t generation() const { return pool_.route().generation(); }
  /// Leaves every connection.
  void reconnect() { pool_.leave(generation()); }
  void end_by(Instant end) { pool_.end_by(end); }
  [[nodiscard]] std::string server() const { return pool_.route().display(); }
  [[nodiscard]] Error cannot(Doing doing, const Error& why) const;

  /// How Redis' clock and ours differ. Where no call asks for that, it is measured once a minute.
  [[nodiscard]] Result<void> measure_time(Session& session);
  /// Microseconds of Redis' clock, within what a Lua number holds exactly: 0 to 8.99e15.
  [[nodiscard]] std::int64_t to_queue_time(Instant time) const;
  [[nodiscard]] Instant from_queue_time(std::int64_t microseconds) const;

  [[nodiscard]] std::string incarnation() const;
  [[nodiscard]] const RedisTimeouts& timeouts() const { return pool_.timeouts(); }
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  /// What one call tried so far.
  struct Effort {
    int tries = 0;
    int hops = 0;
    std::optional<RedisEndpoint> ask;  // whom to ask next, and only next
  };

  RedisCaller(const RedisAddress& address, RedisTimeouts timeouts, std::size_t connections,
              const Clock& clock);

  [[nodiscard]] Result<Session> acquire();
  [[nodiscard]] Result<Session> acquire(const Effort& effort);
  [[nodiscard]] bool may_try_again(Session& session, const Error& error, Effort& effort);
  [[nodiscard]] Result<void> load_scripts(Session& session);
  void note_incarnation(const RedisSession& session);

  RedisPool pool_;
  const Clock& clock_;
  std::array<std::string, script_count> digests_;
  std::atomic<std::int64_t> offset_ns_{0};  // Redis' time less ours
  std::atomic<std::int64_t> offset_error_ns_{0};
  std::atomic<std::int64_t> next_measure_ns_{0};
  std::atomic<bool> measured_{false};
  mutable std::mutex mutex_;
  std::string incarnation_;              // guarded by mutex_
  std::uint64_t incarnation_since_ = 0;  // the route's generation; likewise
};

template <typename Use>
std::invoke_result_t<Use&, RedisCaller::Session&> RedisCaller::call(Doing doing, Use use) {
  Effort effort;
  while (true) {
    auto session = acquire(effort);
    if (!session) return std::unexpected(cannot(doing, session.error()));
    auto outcome = use(*session);
    if (outcome) return outcome;
    if (!may_try_again(*session, outcome.error(), effort)) {
      return std::unexpected(cannot(doing, outcome.error()));
    }
  }
}

}  // namespace fogctl
