// One connection to one Redis server: send commands, read replies, each within a time budget.
// The only part that knows hiredis. Belongs to one thread at a time, interrupt() apart.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "queue/redis_address.hpp"
#include "queue/redis_arguments.hpp"

struct redisContext;  // NOLINT(readability-identifier-naming): hiredis'
struct redisReply;    // NOLINT(readability-identifier-naming)

namespace fogctl {

/// A reply, owning what it shows. An error reply of the server is a reply, not a failed call.
class RedisReply {
 public:
  enum class Kind { nil, integer, text, status, error, array };

  explicit RedisReply(redisReply* reply);  // takes ownership

  [[nodiscard]] Kind kind() const;
  [[nodiscard]] bool is_error() const { return kind() == Kind::error; }
  [[nodiscard]] bool is_array() const { return kind() == Kind::array; }
  [[nodiscard]] std::int64_t integer() const;   // 0 when it is not one
  [[nodiscard]] std::string_view text() const;  // of text, status and error; else empty
  [[nodiscard]] std::size_t size() const;       // of an array; else 0
  /// A view into this. Nil where it has no such element: what a server answers is never certain.
  [[nodiscard]] RedisReply operator[](std::size_t i) const;

 private:
  RedisReply(const redisReply* reply, std::shared_ptr<redisReply> owner);

  std::shared_ptr<redisReply> owner_;
  const redisReply* reply_;
};

struct RedisTimeouts {
  Duration connect = std::chrono::seconds(2);  // besides the look-up of a name, which has 10 s
  /// How long a server may be silent, and then, from the first part of its answer, until it is
  /// whole; each further 64 KiB of a long one give as much time again. Sending likewise.
  Duration call = std::chrono::seconds(5);
  /// No call lasts beyond it, nor the look-up of a name, but for a connect that is under way when
  /// it is set. Outlives every connection; null: there is no end.
  const std::atomic<Instant>* end = nullptr;
};

/// The error that a server's error reply stands for; see error_of_refusal.
[[nodiscard]] Error error_of(const RedisReply& reply);

/// An error of RedisConnection::open without the words that say where to, for a message that does.
[[nodiscard]] Error without_address(Error error, const RedisAddress& address);

class RedisConnection {
 public:
  using Arguments = std::span<const std::string_view>;

  /// Connects, authenticates, and waits for nothing: a server that is still LOADING is an error.
  /// Error: unavailable ("cannot connect to redis 127.0.0.1:6379: connection refused"), also when
  /// the server did not answer in time, since nothing can have taken effect; unauthorized: no
  /// password or a wrong one. The greeting, too, is answered within the connect time-out.
  [[nodiscard]] static Result<std::unique_ptr<RedisConnection>> open(const RedisAddress& address,
                                                                     RedisTimeouts timeouts);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  /// Queues a command to be sent; read() returns the replies in the same order.
  void append(Arguments command);
  void append(std::initializer_list<std::string_view> head, const RedisArguments& tail);
  /// Error: unavailable or timed_out, the message being the bare reason ("connection reset by
  /// peer"); the connection is then of no more use.
  [[nodiscard]] Result<RedisReply> read();
  [[nodiscard]] Result<RedisReply> call(Arguments command);
  [[nodiscard]] Result<RedisReply> call(std::initializer_list<std::string_view> command);

  /// From now on each command is for a slot that is on its way to this node of a cluster.
  void set_asking() { asking_ = true; }

  /// Ends a call that another thread is blocked in; the connection is then of no more use.
  void interrupt();

 private:
  RedisConnection(redisContext* context, RedisTimeouts timeouts);

  [[nodiscard]] Result<void> greet(const RedisAddress& address);
  [[nodiscard]] Result<void> flush();
  [[nodiscard]] Result<std::size_t> receive();
  [[nodiscard]] Result<RedisReply> read_one();
  [[nodiscard]] std::unexpected<Error> no_answer() const;
  [[nodiscard]] bool may_go_on(std::size_t moved);
  [[nodiscard]] bool may_wait(Instant until) const;
  void append_asking();

  redisContext* context_;
  RedisTimeouts timeouts_;
  std::string output_;  // commands that were appended and not yet sent
  std::vector<char> input_;
  std::optional<Instant> deadline_;  // of the call under way, once a part of it was done
  std::size_t moved_ = 0;            // bytes, since it was set
  bool asking_ = false;
};

}  // namespace fogctl
