#include "queue/redis_connection.hpp"

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/name_lookup.hpp"
#include "queue/redis_refusal.hpp"

namespace fogctl {
namespace {

constexpr std::size_t input_buffer_size = std::size_t{64} << 10;
/// A call that moved so much more is given its time anew: the line is slow, and not the server.
constexpr std::size_t renewing_size = input_buffer_size;
/// A thread that waits looks up so often: its call may have got another end meanwhile.
constexpr Duration longest_wait = std::chrono::milliseconds(100);
constexpr Duration longest_look_up = std::chrono::seconds(10);
const SystemClock system_clock;

Instant end_of(const RedisTimeouts& timeouts) {
  return timeouts.end == nullptr ? Instant::max() : timeouts.end->load();
}

timeval to_timeval(Duration length) {
  const auto us = std::max<std::int64_t>(1, length / std::chrono::microseconds(1));
  return {static_cast<time_t>(us / 1'000'000), static_cast<suseconds_t>(us % 1'000'000)};
}

std::string decapitalized(std::string text) {
  const bool word = text.size() > 1 && text[1] >= 'a' && text[1] <= 'z';
  if (word && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

std::string connect_words(const RedisAddress& address) {
  return fmt::format("cannot connect to redis {}: ", address.display());
}

std::string errno_text(int code) {
  return decapitalized(std::generic_category().message(code));
}

Result<redisContext*> checked(redisContext* context) {
  if (context == nullptr) return failure(ErrorCode::unavailable, "out of memory");
  if (context->err == 0) return context;
  Error error{ErrorCode::unavailable, context->errstr};
  redisFree(context);
  return std::unexpected(std::move(error));
}

/// To the first of the host's addresses that takes it, each having its share of the time. The
/// look-up of a name has a time of its own.
Result<redisContext*> connect_any(const RedisAddress& address, const RedisTimeouts& timeouts) {
  const auto time_left = [&] { return end_of(timeouts) - system_clock.now(); };
  if (!address.socket_path.empty()) {
    const char* path = address.socket_path.c_str();
    const Duration budget = std::min(timeouts.connect, time_left());
    return checked(redisConnectUnixWithTimeout(path, to_timeval(budget)));
  }
  const auto found = look_up_within(address.host, longest_look_up, timeouts.end);
  if (!found) return failure(ErrorCode::unavailable, found.error().message);
  const Instant end = system_clock.now() + std::min(timeouts.connect, time_left());
  Result<redisContext*> connected;
  auto untried = static_cast<std::int64_t>(found->size());
  for (const std::string& host : *found) {
    const timeval share = to_timeval((end - system_clock.now()) / untried--);
    connected = checked(redisConnectWithTimeout(host.c_str(), address.port, share));
    if (connected) break;
  }
  return connected;
}

}  // namespace

RedisReply::RedisReply(redisReply* reply)
    : owner_(reply, [](redisReply* raw) { freeReplyObject(raw); }), reply_(reply) {}

RedisReply::RedisReply(const redisReply* reply, std::shared_ptr<redisReply> owner)
    : owner_(std::move(owner)), reply_(reply) {}

RedisReply::Kind RedisReply::kind() const {
  switch (reply_->type) {
    case REDIS_REPLY_INTEGER:
      return Kind::integer;
    case REDIS_REPLY_STRING:
      return Kind::text;
    case REDIS_REPLY_STATUS:
      return Kind::status;
    case REDIS_REPLY_ERROR:
      return Kind::error;
    case REDIS_REPLY_ARRAY:
      return Kind::array;
    default:
      return Kind::nil;
  }
}

std::int64_t RedisReply::integer() const {
  return kind() == Kind::integer ? reply_->integer : 0;
}

std::string_view RedisReply::text() const {
  const bool has_text = kind() == Kind::text || kind() == Kind::status || kind() == Kind::error;
  return has_text ? std::string_view(reply_->str, reply_->len) : std::string_view();
}

std::size_t RedisReply::size() const {
  return kind() == Kind::array ? reply_->elements : 0;
}

RedisReply RedisReply::operator[](std::size_t i) const {
  if (i < size()) return RedisReply(reply_->element[i], owner_);
  static const redisReply nil = [] {
    redisReply reply{};
    reply.type = REDIS_REPLY_NIL;
    return reply;
  }();
  return RedisReply(&nil, owner_);
}

Error error_of(const RedisReply& reply) {
  return error_of_refusal(reply.text());
}

Error without_address(Error error, const RedisAddress& address) {
  const std::string start = connect_words(address);
  if (error.message.starts_with(start)) error.message.erase(0, start.size());
  return error;
}

Result<std::unique_ptr<RedisConnection>> RedisConnection::open(const RedisAddress& address,
                                                               RedisTimeouts timeouts) {
  const auto cannot = [&](ErrorCode code, const std::string& why) {
    return failure(code, connect_words(address) + why);
  };
  if (end_of(timeouts) <= system_clock.now()) {
    return cannot(ErrorCode::unavailable, "no time is left for it");
  }
  const auto connected = connect_any(address, timeouts);
  if (!connected) return cannot(connected.error().code, decapitalized(connected.error().message));
  redisContext* context = *connected;
  std::unique_ptr<RedisConnection> connection(
      new RedisConnection(context, {timeouts.connect, timeouts.connect, timeouts.end}));

  redisSetTimeout(context, to_timeval(std::min({longest_wait, timeouts.connect, timeouts.call})));
  if (address.socket_path.empty()) {
    redisEnableKeepAlive(context);
    const int on = 1;
    ::setsockopt(context->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  if (const auto greeted = connection->greet(address); !greeted) {
    return cannot(greeted.error().code, greeted.error().message);
  }
  connection->timeouts_ = timeouts;
  return connection;
}

RedisConnection::RedisConnection(redisContext* context, RedisTimeouts timeouts)
    : context_(context), timeouts_(timeouts), input_(input_buffer_size) {}

RedisConnection::~RedisConnection() {
  redisFree(context_);
}

Result<void> RedisConnection::greet(const RedisAddress& address) {
  const auto ask = [&](std::initializer_list<std::string_view> command) -> Result<void> {
    const auto reply = call(command);
    if (!reply) return failure(ErrorCode::unavailable, reply.error().message);
    if (reply->is_error()) return std::unexpected(error_of(*reply));
    return {};
  };
  if (!address.password.empty()) {
    const auto entered = address.user.empty() ? ask({"AUTH", address.password})
                                              : ask({"AUTH", address.user, address.password});
    if (!entered) return entered;
  }
  return ask({"PING"});
}

void RedisConnection::append(Arguments command) {
  append_asking();
  append_redis_number(output_, '*', command.size());
  for (const std::string_view argument : command) append_redis_text(output_, argument);
}

void RedisConnection::append(std::initializer_list<std::string_view> head,
                             const RedisArguments& tail) {
  append_asking();
  append_redis_number(output_, '*', head.size() + tail.count());
  for (const std::string_view argument : head) append_redis_text(output_, argument);
  output_ += tail.bytes();
}

void RedisConnection::append_asking() {
  if (!asking_) return;
  append_redis_number(output_, '*', 1);
  append_redis_text(output_, "ASKING");
}

// Not hiredis' own writing: it would raise SIGPIPE on a connection that the server closed.
Result<void> RedisConnection::flush() {
  const auto too_late = [&] {
    return failure(ErrorCode::timed_out, "took no command for " + format_duration(timeouts_.call));
  };
  deadline_.reset();
  const Instant silent_until = system_clock.now() + timeouts_.call;
  if (!may_wait(silent_until)) return failure(ErrorCode::timed_out, "no time is left for it");
  std::size_t sent = 0;
  while (true) {
    const auto n = ::send(context_->fd, output_.data() + sent, output_.size() - sent, MSG_NOSIGNAL);
    if (n >= 0) {
      sent += static_cast<std::size_t>(n);
      if (sent == output_.size()) break;
      if (!may_go_on(static_cast<std::size_t>(n))) return too_late();
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!may_wait(deadline_.value_or(silent_until))) return too_late();
    } else if (errno != EINTR) {
      return failure(ErrorCode::unavailable, errno_text(errno));
    }
  }
  output_.clear();
  deadline_.reset();
  return {};
}

Result<std::size_t> RedisConnection::receive() {
  const Instant until = deadline_.value_or(system_clock.now() + timeouts_.call);
  while (true) {
    const auto n = ::recv(context_->fd, input_.data(), input_.size(), 0);
    if (n > 0) {
      redisReaderFeed(context_->reader, input_.data(), static_cast<std::size_t>(n));
      return static_cast<std::size_t>(n);
    }
    if (n == 0) return failure(ErrorCode::unavailable, "connection closed by the server");
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!may_wait(until)) return no_answer();
    } else if (errno != EINTR) {
      return failure(ErrorCode::unavailable, errno_text(errno));
    }
  }
}

std::unexpected<Error> RedisConnection::no_answer() const {
  const bool is_end = system_clock.now() >= end_of(timeouts_);
  return failure(ErrorCode::timed_out, is_end
                                           ? "no answer, and no time is left"
                                           : "no answer within " + format_duration(timeouts_.call));
}

/// Of a call of which a part was done.
bool RedisConnection::may_go_on(std::size_t moved) {
  moved_ += moved;
  if (deadline_ && moved_ < renewing_size) return may_wait(*deadline_);
  deadline_ = system_clock.now() + timeouts_.call;
  moved_ = 0;
  return true;
}

bool RedisConnection::may_wait(Instant until) const {
  return system_clock.now() < std::min(until, end_of(timeouts_));
}

Result<RedisReply> RedisConnection::read() {
  if (asking_) {
    if (auto allowed = read_one(); !allowed) return allowed;
  }
  return read_one();
}

Result<RedisReply> RedisConnection::read_one() {
  if (!output_.empty()) {
    if (const auto flushed = flush(); !flushed) return std::unexpected(flushed.error());
  }
  std::size_t received = 0;
  while (true) {
    void* reply = nullptr;
    if (redisReaderGetReply(context_->reader, &reply) != REDIS_OK) {
      return failure(ErrorCode::unavailable,
                     fmt::format("unreadable answer: {}", context_->reader->errstr));
    }
    if (reply != nullptr) return RedisReply(static_cast<redisReply*>(reply));
    if (received > 0 && !may_go_on(received)) return no_answer();
    const auto more = receive();
    if (!more) return std::unexpected(more.error());
    received = *more;
  }
}

Result<RedisReply> RedisConnection::call(Arguments command) {
  append(command);
  return read();
}

Result<RedisReply> RedisConnection::call(std::initializer_list<std::string_view> command) {
  return call(Arguments(command.begin(), command.size()));
}

void RedisConnection::interrupt() {
  ::shutdown(context_->fd, SHUT_RDWR);
}

}  // namespace fogctl
