#include "work/lease_keeper.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "base/counted.hpp"
#include "base/log.hpp"

namespace fogctl {
namespace {

using std::chrono::milliseconds;

constexpr Duration tick = milliseconds(100);
/// A run of this age is recorded as begun; a shorter one that kills its worker is found out when it
/// is next leased, alone.
constexpr Duration begun_age = milliseconds(50);
/// What a process that is gone held is queued again within its lease and this.
constexpr Duration longest_recover_interval = milliseconds(500);
constexpr Duration longest_wait_ahead = milliseconds(50);

/// "3 tasks wait and 2 workers are free".
std::string idleness(const QueueLoad& load, const PoolPulse& pulse) {
  return counted(leasable(load), "task waits", "tasks wait") + " and " +
         counted(pulse.free, "worker is free", "workers are free");
}

std::string_view alarm_advice(bool has_server) {
  return has_server
             ? "new connections did not help. Look at 'fogctl queue' and 'fogctl redis-check' with "
               "this node's flags, at the queue's server, and restart this process if they are in "
               "order"
             : "waking the workers did not help. Look at 'fogctl queue --connect' with this node's "
               "address, and restart this process";
}

}  // namespace

LeaseKeeper::LeaseKeeper(TaskQueue& queue, WorkerPool& pool, const Clock& clock,
                         KeeperOptions options, KeeperEvents events)
    : queue_(queue),
      pool_(pool),
      clock_(clock),
      options_(options),
      recover_interval_(std::min(longest_recover_interval, options.lease / 10)),
      events_(std::move(events)),
      reconciler_(queue, pool),
      watchdog_(options.watchdog) {}

Result<void> LeaseKeeper::start() {
  const Instant now = clock_.now();
  const auto taken = queue_.extend(pool_.threads(), options_.lease, now);
  if (!taken) return std::unexpected(taken.error());
  renew_at_ = now + options_.lease / 3;
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
    // As of before the lease was renewed: this process may be stopped in between, and must not take
    // itself for dead.
    const Instant now = clock_.now();
    // Each step may wait for the queue; who stops this thread is not to wait for all of them.
    if (now >= renew_at_ && !stop.stop_requested()) renew();
    if (now >= recover_at_ && !stop.stop_requested()) recover(now);
    if (!stop.stop_requested()) reconcile();
    if (!stop.stop_requested()) tell_progress();
    if (!stop.stop_requested()) watch();
    stopped_.wait_for(lock, stop, std::chrono::nanoseconds(tick), [] { return false; });
  }
}

void LeaseKeeper::renew() {
  const auto kept = queue_.extend(pool_.threads(), options_.lease, clock_.now());
  // A call that failed is made again at the next tick: the lease must not run out meanwhile.
  if (!kept) return note_failure(kept.error());
  if (!failing_) has_complained_ = false;
  failing_ = false;
  renew_at_ = clock_.now() + options_.lease / 3;
  if (!*kept) {
    log(LogLevel::warning, "this process's lease had run out; what it held is queued again");
    // What was leased since is still ours, and only the queue knows which: it takes back the one
    // and ignores the other.
    give_back(pool_.take_waiting(clock_.now()));
    if (events_.on_lost) events_.on_lost();
  }
}

/// Not while the queue is away, as far as this process knows: that somebody looks after the leases
/// tells the queue that others could renew theirs.
void LeaseKeeper::recover(Instant now) {
  recover_at_ = now + recover_interval_;
  if (failing_) return;
  const auto recovered = queue_.recover_expired(now);
  if (!recovered) return note_failure(recovered.error());
  if (*recovered == 0) return;
  log(LogLevel::warning, "queued again {} of a process that was not heard of for all of its lease",
      counted(*recovered, "task"));
  pool_.wake();
}

void LeaseKeeper::reconcile() {
  auto wrong = reconciler_.tend(clock_.now());
  if (!wrong) return note_failure(wrong.error());
  if (wrong->empty()) return;
  log(LogLevel::warning, "the queue forgot the end or return of {}; queued again",
      counted(wrong->size(), "task"));
  give_back(std::move(*wrong));
}

void LeaseKeeper::tend_tasks() {
  const Instant now = clock_.now();
  if (const auto begun = pool_.take_begun(now - begun_age); !begun.empty()) {
    if (const auto told = queue_.started(begun, now); !told) note_failure(told.error());
  }
  give_back(pool_.take_waiting(now - longest_wait_ahead));
}

/// A runner only notes its progress; it is told from here, so that no run waits for the queue.
void LeaseKeeper::tell_progress() {
  std::vector<TaskProgress> own = pool_.take_progress();
  const auto others = std::ranges::stable_partition(
      own, [this](const TaskProgress& one) { return one.reply_to == pool_.holder(); });
  if (!others.empty()) {
    if (const auto told = queue_.tell_progress(others); !told) note_failure(told.error());
  }
  own.erase(others.begin(), others.end());
  if (!own.empty() && events_.on_progress) events_.on_progress(std::move(own));
}

/// Until the queue has them back they are nobody's: what fails is tried again at the next tick.
void LeaseKeeper::give_back(std::vector<LeaseRef> leases) {
  std::ranges::move(leases, std::back_inserter(returning_));
  if (returning_.empty()) return;
  const auto returned = queue_.give_back(returning_, clock_.now());
  if (!returned) note_failure(returned.error());
  if (!returned && may_recover(returned.error())) return;
  returning_.clear();
  pool_.wake();
}

/// Says once that the queue is away or refuses, until nothing failed from one renewal of the lease
/// to the next: what fails may be another call than that. It is renewed soon.
void LeaseKeeper::note_failure(const Error& error) {
  if (!has_complained_) log(LogLevel::warning, "the lease cannot be kept: {}", error.message);
  has_complained_ = true;
  failing_ = true;
  renew_at_ = std::min(renew_at_, clock_.now() + recover_interval_);
}

void LeaseKeeper::watch() {
  if (pool_.threads() == 0) return;  // others do the work
  const PoolPulse pulse = pool_.pulse();
  if (!watchdog_.wants_load(pulse, clock_.now())) return;
  const auto load = queue_.load(clock_.now());
  const Instant now = clock_.now();
  const auto seen = load ? std::optional(*load) : std::nullopt;
  const WatchdogStep step = watchdog_.look(seen, pulse, now);
  is_ready_ = watchdog_.is_ready();
  switch (step) {
    case WatchdogStep::none:
      return;
    case WatchdogStep::reconnect:
      log(LogLevel::warning, "{}, yet none was leased for {}: {}", idleness(*load, pulse),
          format_duration(watchdog_.still_for(now)),
          queue_.has_server() ? "new connections" : "the workers look again");
      queue_.reconnect();
      return pool_.wake();
    case WatchdogStep::give_alarm:
      return log(LogLevel::error, "work stands still for {}: {}, and {}",
                 format_duration(watchdog_.still_for(now)), idleness(*load, pulse),
                 alarm_advice(queue_.has_server()));
    case WatchdogStep::end_alarm:
      return log(LogLevel::info, "work goes on: tasks are leased again, or none waits");
  }
}

}  // namespace fogctl
