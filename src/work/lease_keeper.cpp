#include "work/lease_keeper.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.hpp"

namespace fogctl {
namespace {

using std::chrono::milliseconds;

constexpr Duration tick = milliseconds(100);
/// A run of this age is recorded as begun; a shorter one that kills its worker is found out when it
/// is next leased, alone.
constexpr Duration begun_age = milliseconds(50);
constexpr Duration longest_wait_ahead = milliseconds(50);

}  // namespace

LeaseKeeper::LeaseKeeper(TaskQueue& queue, WorkerPool& pool, const Clock& clock, Duration lease,
                         std::function<void()> on_lost)
    : queue_(queue), pool_(pool), clock_(clock), lease_(lease), on_lost_(std::move(on_lost)) {}

Result<void> LeaseKeeper::start() {
  const Instant now = clock_.now();
  const auto taken = queue_.extend(pool_.threads(), lease_, now);
  if (!taken) return std::unexpected(taken.error());
  renew_at_ = now + lease_ / 3;
  thread_ = std::jthread([this](const std::stop_token& stop) { keep(stop); });
  return {};
}

void LeaseKeeper::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void LeaseKeeper::keep(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    tend_tasks();
    if (clock_.now() >= renew_at_) renew();
    stopped_.wait_for(lock, stop, std::chrono::nanoseconds(tick), [] { return false; });
  }
}

void LeaseKeeper::renew() {
  const auto kept = queue_.extend(pool_.threads(), lease_, clock_.now());
  // A call that failed is made again at the next tick: the lease must not run out meanwhile.
  if (!kept) return note(std::unexpected(kept.error()));
  note({});
  renew_at_ = clock_.now() + lease_ / 3;
  if (!*kept) {
    log(LogLevel::warning, "this process's lease had run out; what it held is queued again");
    // What was leased since is still ours, and only the queue knows which: it takes back the one
    // and ignores the other.
    give_back(pool_.take_waiting(clock_.now()));
    if (on_lost_) on_lost_();
  }
  recover();
}

void LeaseKeeper::recover() {
  const auto recovered = queue_.recover_expired(clock_.now());
  if (!recovered) return note(std::unexpected(recovered.error()));
  if (*recovered == 0) return;
  log(LogLevel::warning, "queued again {} tasks of a process that was not heard of for {}",
      *recovered, format_duration(lease_));
  pool_.wake();
}

void LeaseKeeper::tend_tasks() {
  const Instant now = clock_.now();
  if (const auto begun = pool_.take_begun(now - begun_age); !begun.empty()) {
    note(queue_.started(begun, now));
  }
  give_back(pool_.take_waiting(now - longest_wait_ahead));
}

/// Until the queue has them back they are nobody's: what fails is tried again at the next tick.
void LeaseKeeper::give_back(std::vector<LeaseRef> leases) {
  std::ranges::move(leases, std::back_inserter(returning_));
  if (returning_.empty()) return;
  const auto returned = queue_.give_back(returning_, clock_.now());
  note(returned);
  if (!returned && is_transient(returned.error())) return;
  returning_.clear();
  pool_.wake();
}

/// Says once that the queue is away.
void LeaseKeeper::note(const Result<void>& outcome) {
  if (!outcome && !failing_) {
    log(LogLevel::warning, "the lease cannot be kept: {}", outcome.error().message);
  }
  failing_ = !outcome;
}

}  // namespace fogctl
