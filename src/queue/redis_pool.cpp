#include "queue/redis_pool.hpp"

#include <algorithm>
#include <utility>

namespace fogctl {
namespace {

std::string run_id_in(std::string_view server_section) {
  constexpr std::string_view label = "run_id:";
  const auto start = server_section.find(label);
  if (start == std::string_view::npos) return {};
  const auto rest = server_section.substr(start + label.size());
  return std::string(rest.substr(0, rest.find_first_of("\r\n")));
}

}  // namespace

RedisPool::Handle::Handle(RedisPool& pool, RedisSession session)
    : pool_(&pool), session_(std::move(session)) {}

RedisPool::Handle::Handle(Handle&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)), session_(std::move(other.session_)) {}

RedisPool::Handle::~Handle() {
  if (pool_ != nullptr) pool_->release(std::move(session_));
}

void RedisPool::Handle::discard(const Error& error) {
  std::vector<RedisSession> stale;  // closed without the lock held
  const std::lock_guard lock(pool_->mutex_);
  if (error.code == ErrorCode::timed_out && !session_.client_id.empty()) {
    pool_->given_up_.push_back({session_.run_id, session_.client_id});
  }
  session_.connection.reset();
  stale.swap(pool_->idle_);
}

RedisPool::RedisPool(RedisAddress address, RedisTimeouts timeouts, std::size_t most)
    : address_(std::move(address)), timeouts_(timeouts), most_(std::max<std::size_t>(most, 1)) {}

Result<RedisPool::Handle> RedisPool::acquire() {
  std::unique_lock lock(mutex_);
  const bool free = freed_.wait_for(lock, timeouts_.call, [&] { return in_use_ < most_; });
  if (!free) return failure(ErrorCode::timed_out, "every connection is busy");
  ++in_use_;
  RedisSession session;
  if (!idle_.empty()) {
    session = std::move(idle_.back());
    idle_.pop_back();
  }
  const bool forget = !given_up_.empty();
  lock.unlock();

  Handle handle(*this, std::move(session));
  if (!handle.session_.connection) {
    auto opened = open_session();
    if (!opened) return std::unexpected(opened.error());
    handle.session_ = std::move(*opened);
  }
  if (forget) {
    if (const auto forgotten = forget_given_up(handle.session_); !forgotten) {
      handle.discard(forgotten.error());
      return std::unexpected(forgotten.error());
    }
  }
  return handle;
}

Result<RedisSession> RedisPool::open_session() {
  auto connection = RedisConnection::open(address_, timeouts_);
  if (!connection) return std::unexpected(connection.error());
  const auto info = (*connection)->call({"INFO", "server"});
  if (!info) return std::unexpected(info.error());
  const auto id = (*connection)->call({"CLIENT", "ID"});
  if (!id) return std::unexpected(id.error());
  if (info->is_error()) return std::unexpected(error_of(*info));
  return RedisSession{std::move(*connection), run_id_in(info->text()),
                      id->is_error() ? std::string() : std::to_string(id->integer())};
}

// An entry goes only once its connection is dead, so that every other thread waits for that too.
Result<void> RedisPool::forget_given_up(const RedisSession& session) {
  const std::lock_guard one_at_a_time(forget_mutex_);
  std::vector<GivenUp> given_up;
  {
    const std::lock_guard lock(mutex_);
    given_up = given_up_;
  }
  for (const GivenUp& dead : given_up) {
    // Another life of the server cannot hold an old command, and counts its clients anew.
    if (dead.run_id != session.run_id) continue;
    const auto killed = session.connection->call({"CLIENT", "KILL", "ID", dead.client_id});
    if (!killed) return std::unexpected(killed.error());
  }
  const std::lock_guard lock(mutex_);
  given_up_.erase(given_up_.begin(),
                  given_up_.begin() + static_cast<std::ptrdiff_t>(given_up.size()));
  return {};
}

void RedisPool::release(RedisSession session) {
  {
    const std::lock_guard lock(mutex_);
    --in_use_;
    if (session.connection) idle_.push_back(std::move(session));
  }
  freed_.notify_one();
}

}  // namespace fogctl
