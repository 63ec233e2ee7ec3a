// The connections to one Redis that the threads of this process share: opened when needed, at
// most so many, and thrown away once broken. Any thread may call; it must outlive its handles.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "queue/redis_address.hpp"
#include "queue/redis_connection.hpp"
#include "queue/redis_refusal.hpp"
#include "queue/redis_route.hpp"

namespace fogctl {

class RedisPool {
 public:
  /// The right to use one session; gives it back when destroyed.
  class Handle {
   public:
    Handle(RedisPool& pool, RedisSession session);
    ~Handle();
    Handle(Handle&& other) noexcept;
    Handle& operator=(Handle&&) = delete;

    [[nodiscard]] RedisConnection& operator*() const { return *session_.connection; }
    [[nodiscard]] RedisConnection* operator->() const { return session_.connection.get(); }
    [[nodiscard]] const RedisSession& session() const { return session_; }

    /// A call on it failed with `error`: it is thrown away, and so are the idle ones, whose server
    /// may be gone too. After a time-out the server is told to forget it before the next use of
    /// the pool, so that a command which was given up does not take effect later.
    void discard(const Error& error);
    [[nodiscard]] bool broken() const { return !session_.connection; }

    /// Remembers an error reply that tells of another server, or that this one is not the right
    /// one any more.
    void note_refusal(std::string_view text);
    [[nodiscard]] const std::optional<RedisRedirect>& redirect() const { return redirect_; }
    [[nodiscard]] bool is_wrong_server() const { return is_wrong_server_; }

   private:
    friend class RedisPool;

    RedisPool* pool_;
    RedisSession session_;
    std::optional<RedisRedirect> redirect_;
    bool is_wrong_server_ = false;
  };

  RedisPool(RedisAddress address, RedisTimeouts timeouts, std::size_t most);

  /// A free session, or a new one while there are fewer than the most; else waits for one.
  /// Error: what opening it said; timed_out when none came free within the call time-out.
  [[nodiscard]] Result<Handle> acquire();
  /// Likewise one for one call to the node of a cluster that a slot is moving to.
  [[nodiscard]] Result<Handle> acquire_asking(const RedisEndpoint& node);

  /// One more session, not of the pool: for a thread that blocks in it.
  [[nodiscard]] Result<RedisSession> open_session() { return route_.open(); }

  /// Leaves every connection of that generation, the idle ones at once.
  void leave(std::uint64_t generation);
  /// No call over any of its connections lasts beyond it, those under way included.
  void end_by(Instant end) { end_ = end; }
  [[nodiscard]] RedisRoute& route() { return route_; }
  [[nodiscard]] const RedisRoute& route() const { return route_; }
  [[nodiscard]] const RedisTimeouts& timeouts() const { return timeouts_; }

 private:
  struct GivenUp {
    std::string run_id;
    std::string client_id;
  };

  [[nodiscard]] Result<void> take_place();
  [[nodiscard]] std::optional<RedisSession> take_idle();
  void release(RedisSession session);
  [[nodiscard]] Result<void> forget_given_up(const RedisSession& session);

  std::atomic<Instant> end_{Instant::max()};
  RedisTimeouts timeouts_;
  RedisRoute route_;
  std::size_t most_;
  std::mutex forget_mutex_;  // taken before mutex_
  std::mutex mutex_;         // guards what follows
  std::condition_variable freed_;
  std::vector<RedisSession> idle_;
  std::size_t in_use_ = 0;
  std::vector<GivenUp> given_up_;
};

}  // namespace fogctl
