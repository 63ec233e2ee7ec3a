#include "queue/redis_pool.hpp"

#include <algorithm>
#include <utility>

namespace fogctl {

RedisPool::Handle::Handle(RedisPool& pool, RedisSession session)
    : pool_(&pool), session_(std::move(session)) {}

RedisPool::Handle::Handle(Handle&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      session_(std::move(other.session_)),
      redirect_(std::move(other.redirect_)),
      is_wrong_server_(other.is_wrong_server_) {}

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

void RedisPool::Handle::note_refusal(std::string_view text) {
  if (auto redirect = parse_redirect(text)) {
    redirect_ = std::move(redirect);
    return;
  }
  // A master that was demoted; or a password that was changed, of which a new connection may know.
  const ErrorCode code = error_of_refusal(text).code;
  if (code == ErrorCode::read_only || code == ErrorCode::unauthorized) is_wrong_server_ = true;
}

RedisPool::RedisPool(RedisAddress address, RedisTimeouts timeouts, std::size_t most)
    : timeouts_{timeouts.connect, timeouts.call, &end_},
      route_(std::move(address), timeouts_),
      most_(std::max<std::size_t>(most, 1)) {}

Result<RedisPool::Handle> RedisPool::acquire() {
  if (const auto taken = take_place(); !taken) return std::unexpected(taken.error());
  Handle handle(*this, take_idle().value_or(RedisSession{}));
  if (handle.broken()) {
    auto opened = route_.open();
    if (!opened) return std::unexpected(opened.error());
    handle.session_ = std::move(*opened);
  }
  if (const auto forgotten = forget_given_up(handle.session_); !forgotten) {
    handle.discard(forgotten.error());
    return std::unexpected(forgotten.error());
  }
  return handle;
}

Result<RedisPool::Handle> RedisPool::acquire_asking(const RedisEndpoint& node) {
  if (const auto taken = take_place(); !taken) return std::unexpected(taken.error());
  Handle handle(*this, RedisSession{});
  auto opened = route_.open_at(node);
  if (!opened) return std::unexpected(opened.error());
  handle.session_ = std::move(*opened);
  handle.session_.connection->set_asking();
  return handle;
}

Result<void> RedisPool::take_place() {
  std::unique_lock lock(mutex_);
  const bool free = freed_.wait_for(lock, timeouts_.call, [&] { return in_use_ < most_; });
  if (!free) return failure(ErrorCode::timed_out, "every connection is busy");
  ++in_use_;
  return {};
}

std::optional<RedisSession> RedisPool::take_idle() {
  const std::uint64_t generation = route_.generation();
  std::vector<RedisSession> stale;  // closed without the lock held
  const std::lock_guard lock(mutex_);
  while (!idle_.empty()) {
    RedisSession session = std::move(idle_.back());
    idle_.pop_back();
    if (session.generation == generation) return session;
    stale.push_back(std::move(session));
  }
  return std::nullopt;
}

void RedisPool::leave(std::uint64_t generation) {
  route_.renew(generation);
  std::vector<RedisSession> stale;
  const std::lock_guard lock(mutex_);
  stale.swap(idle_);
}

// An entry goes only once its connection is dead, so that every other thread waits for that too.
Result<void> RedisPool::forget_given_up(const RedisSession& session) {
  {
    const std::lock_guard lock(mutex_);
    if (given_up_.empty()) return {};
  }
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
    // "ERR No such client" is what is wanted; any other refusal leaves it alive.
    const Error refused = killed->is_error() ? error_of(*killed) : Error{};
    if (killed->is_error() && may_recover(refused)) return std::unexpected(refused);
  }
  const std::lock_guard lock(mutex_);
  given_up_.erase(given_up_.begin(),
                  given_up_.begin() + static_cast<std::ptrdiff_t>(given_up.size()));
  return {};
}

void RedisPool::release(RedisSession session) {
  const bool is_kept = session.connection && session.generation == route_.generation();
  {
    const std::lock_guard lock(mutex_);
    --in_use_;
    if (is_kept) idle_.push_back(std::move(session));
  }
  freed_.notify_one();
}

}  // namespace fogctl
