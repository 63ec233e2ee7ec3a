#include "queue/redis_caller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "base/counted.hpp"

namespace fogctl {
namespace {

/// Nodes of a cluster that disagree may send a call in circles.
constexpr int most_hops = 5;
constexpr auto measure_every = std::chrono::minutes(1);
constexpr std::int64_t much_error_ns = 10'000'000;
constexpr std::int64_t latest = 8'999'999'999'999'999;

std::int64_t to_number(std::string_view digits) {
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

RedisCaller::RedisCaller(const RedisAddress& address, RedisTimeouts timeouts,
                         std::size_t connections, const Clock& clock)
    : pool_(address, timeouts, connections), clock_(clock) {}

Result<std::unique_ptr<RedisCaller>> RedisCaller::open(const RedisAddress& address,
                                                       RedisTimeouts timeouts,
                                                       std::size_t connections,
                                                       std::string_view probe_key,
                                                       const Clock& clock) {
  std::unique_ptr<RedisCaller> caller(new RedisCaller(address, timeouts, connections, clock));
  const Doing doing{"open the queue"};
  const auto found = caller->call(
      doing, [&](Session& session) { return command(session, {"EXISTS", probe_key}); });
  if (!found) return std::unexpected(found.error());
  const auto loaded =
      caller->call(doing, [&](Session& session) { return caller->load_scripts(session); });
  if (!loaded) return std::unexpected(loaded.error());
  return caller;
}

Result<RedisCaller::Session> RedisCaller::acquire(const Effort& effort) {
  return effort.ask ? pool_.acquire_asking(*effort.ask) : acquire();
}

bool RedisCaller::may_try_again(Session& session, const Error& error, Effort& effort) {
  effort.ask.reset();
  if (const auto& redirect = session.redirect()) {
    if (!redirect->is_ask) pool_.route().follow(*redirect, session.session());
    if (redirect->is_ask) effort.ask = redirect->to;
    if (redirect->is_ask && effort.ask->host.empty()) {
      effort.ask->host = session.session().server.host;
    }
    return ++effort.hops <= most_hops;
  }
  if (session.is_wrong_server()) pool_.leave(session.session().generation);
  const bool is_gone = session.broken() && error.code == ErrorCode::unavailable;
  if (!is_gone && !session.is_wrong_server()) return false;
  return effort.tries++ == 0;
}

bool RedisCaller::follow(const RedisReply& refusal, const RedisSession& session) {
  const auto redirect = parse_redirect(refusal.text());
  if (!redirect || redirect->is_ask) return false;
  pool_.route().follow(*redirect, session);
  return true;
}

Result<RedisCaller::Session> RedisCaller::acquire() {
  auto session = pool_.acquire();
  if (!session) return session;
  note_incarnation(session->session());
  const std::int64_t now = clock_.now().time_since_epoch().count();
  std::int64_t due = next_measure_ns_.load();
  if (now < due && measured_.load()) return session;
  // One thread measures at a time; before there is any offset, each does.
  const std::int64_t next = now + std::chrono::nanoseconds(measure_every).count();
  const bool mine = next_measure_ns_.compare_exchange_strong(due, next);
  if (!mine && measured_.load()) return session;
  if (auto measured = measure_time(*session); !measured) {
    next_measure_ns_.store(now);
    return std::unexpected(std::move(measured.error()));
  }
  return session;
}

Result<void> RedisCaller::load_scripts(Session& session) {
  for (std::size_t i = 0; i < script_count; ++i) {
    const auto loaded = command(session, {"SCRIPT", "LOAD", source_of(static_cast<Script>(i))});
    if (!loaded) return std::unexpected(loaded.error());
    digests_[i] = loaded->text();
  }
  return {};
}

Result<void> RedisCaller::measure_time(Session& session) {
  const Instant before = clock_.now();
  const auto time = command(session, {"TIME"});
  if (!time) return std::unexpected(time.error());
  const Duration took = clock_.now() - before;
  if (time->size() != 2) return failure(ErrorCode::failed, "unexpected answer to TIME");
  const auto redis_time = std::chrono::seconds(to_number((*time)[0].text())) +
                          std::chrono::microseconds(to_number((*time)[1].text()));
  const Duration offset = Duration(redis_time) - (before + took / 2).time_since_epoch();
  // What differs by no more than both may be wrong by is not news: instants stay what they were.
  const std::int64_t error = took.count() / 2 + 1000;
  const std::int64_t known_error = offset_error_ns_.load();
  const bool is_news = std::abs(offset.count() - offset_ns_.load()) > error + known_error;
  const bool is_better = known_error > much_error_ns && error < known_error / 2;
  if (is_news || is_better || !measured_.load()) {
    offset_ns_.store(offset.count());
    offset_error_ns_.store(error);
  }
  measured_.store(true);
  return {};
}

Result<RedisReply> RedisCaller::receive(Session& session) {
  if (session.broken()) return failure(ErrorCode::unavailable, "connection lost");
  auto reply = session->read();
  if (!reply) session.discard(reply.error());
  if (reply && reply->is_error()) session.note_refusal(reply->text());
  return reply;
}

Result<RedisReply> RedisCaller::run(Session& session, Script script, std::size_t keys,
                                    const RedisArguments& arguments) {
  const std::string& digest = digests_[static_cast<std::size_t>(script)];
  session->append({"EVALSHA", digest, std::to_string(keys)}, arguments);
  auto reply = receive(session);
  if (reply && reply->is_error() && reply->text().starts_with("NOSCRIPT")) {
    session->append({"EVAL", source_of(script), std::to_string(keys)}, arguments);
    reply = receive(session);
  }
  if (reply && reply->is_error()) return std::unexpected(error_of(*reply));
  return reply;
}

Result<RedisReply> RedisCaller::command(Session& session,
                                        std::initializer_list<std::string_view> words) {
  session->append(RedisConnection::Arguments(words.begin(), words.size()));
  auto reply = receive(session);
  if (reply && reply->is_error()) return std::unexpected(error_of(*reply));
  return reply;
}

Result<RedisSession> RedisCaller::open_session(Doing doing) {
  auto session = pool_.open_session();
  if (!session) return std::unexpected(cannot(doing, session.error()));
  note_incarnation(*session);
  return session;
}

Error RedisCaller::cannot(Doing doing, const Error& why) const {
  // A failed connect says so by itself; here the reason is enough.
  const RedisRoute& route = pool_.route();
  const Error reason = without_address(why, route.address());
  const bool is_connect = reason.message.size() < why.message.size();
  const std::string server = is_connect ? route.address().display() : route.display();
  std::string what(doing.verb);
  if (doing.tasks > 0) what += ' ' + counted(doing.tasks, "task");
  return {why.code, fmt::format("cannot {} on redis {}: {}", what, server, reason.message)};
}

std::int64_t RedisCaller::to_queue_time(Instant time) const {
  const std::int64_t offset = offset_ns_.load(std::memory_order_relaxed);
  const std::int64_t ns = time.time_since_epoch().count();
  std::int64_t sum = 0;
  if (__builtin_add_overflow(ns, offset, &sum)) return ns > 0 ? latest : 0;
  return std::clamp<std::int64_t>(sum / 1000, 0, latest);
}

Instant RedisCaller::from_queue_time(std::int64_t microseconds) const {
  return Instant(Duration(microseconds * 1000 - offset_ns_.load(std::memory_order_relaxed)));
}

std::string RedisCaller::incarnation() const {
  const std::lock_guard lock(mutex_);
  return incarnation_;
}

/// Another server has another clock too.
void RedisCaller::note_incarnation(const RedisSession& session) {
  const std::lock_guard lock(mutex_);
  if (session.generation < incarnation_since_ || session.run_id == incarnation_) return;
  incarnation_ = session.run_id;
  incarnation_since_ = session.generation;
  next_measure_ns_.store(0);
}

}  // namespace fogctl
