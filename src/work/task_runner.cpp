#include "work/task_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/counted.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

namespace fogctl {
namespace {

constexpr Duration longest_delay = std::chrono::minutes(1);

HandlerOutcome expired(const Task& task) {
  return std::unexpected(
      RunFailure{TaskErrorCode::expired,
                 fmt::format("it could not start within {}", format_duration(*task.expires))});
}

/// What becomes of a task that nobody runs any more.
HandlerOutcome gave_up(std::uint32_t runs) {
  return std::unexpected(RunFailure{TaskErrorCode::task_failed, lost_runs(runs)});
}

HandlerOutcome unreadable() {
  return std::unexpected(
      RunFailure{TaskErrorCode::task_failed,
                 "fogctl " FOGCTL_VERSION
                 " cannot read what the queue holds of it: another version queued it"});
}

HandlerOutcome too_long(std::size_t bytes, std::size_t most) {
  return std::unexpected(RunFailure{
      TaskErrorCode::task_failed,
      fmt::format("its result has {} bytes as JSON, and no more than {} can be sent (six times "
                  "--max-message)",
                  bytes, most),
      true});
}

}  // namespace

TaskRunner::TaskRunner(const Handlers& handlers, const Clock& clock, RunRules rules)
    : handlers_(handlers), clock_(clock), rules_(std::move(rules)) {}

std::uint32_t TaskRunner::most_attempts(const Task& task, const Handler* handler) const {
  if (task.max_attempts > 0) return static_cast<std::uint32_t>(task.max_attempts);
  const int own = handler == nullptr ? 0 : handler->max_attempts;
  return own > 0 ? static_cast<std::uint32_t>(own) : rules_.max_attempts;
}

/// When this failed run is tried again: after an exponential back-off, of which up to a half is
/// left out at random, so that tasks which failed together do not come back together. None: no
/// more.
std::optional<Instant> TaskRunner::retry_at(const Lease& lease, std::uint32_t most,
                                            Instant now) const {
  if (lease.attempt >= most) return std::nullopt;
  const auto doublings = std::min<std::uint32_t>(lease.attempt - first_attempt(*lease.task), 20);
  const Duration full = std::min<Duration>(rules_.retry_delay * (1 << doublings), longest_delay);
  const double share = 0.5 + static_cast<double>(entropy() >> 11) * 0x1p-54;
  const Instant at = now + std::chrono::duration_cast<Duration>(full * share);
  const auto expires_at = expiry(*lease.task, lease.arrival);
  return expires_at && at >= *expires_at ? std::nullopt : std::optional(at);
}

/// One that has expired is not run, and neither is one whose runs lost their workers too often.
EndedRun TaskRunner::run(Lease lease, Instant begin, std::stop_token stop,
                         std::function<void(double share)> progress) const {
  const Task& task = *lease.task;
  const auto handlers = handlers_.table();
  const Handler* handler = handlers->find(task.name);
  const std::uint32_t most = most_attempts(task, handler);
  const bool is_expired = begin >= expiry(task, lease.arrival).value_or(Instant::max());
  const bool may_run = !is_expired && lease.attempt <= most;
  const std::uint32_t runs = may_run ? lease.attempt : lease.attempt - 1;
  const Run how{std::move(stop), lease.attempt, std::move(progress)};
  HandlerOutcome outcome = is_expired           ? expired(task)
                           : !may_run           ? gave_up(runs)
                           : task.is_unreadable ? unreadable()
                                                : handlers->run(task, how);
  // It would break the connection of whoever is to read it.
  if (outcome && outcome->size() > rules_.max_content) {
    outcome = too_long(outcome->size(), rules_.max_content);
  }
  const Instant end = clock_.now();
  const bool has_failed = !outcome && outcome.error().code == TaskErrorCode::task_failed;
  const bool may_go_better = has_failed && may_run && !outcome.error().is_for_good;
  const auto put_off_until = outcome ? std::nullopt : outcome.error().put_off_until;
  TaskResult result;
  result.uid = task.uid;
  result.execution_time = end - begin;
  result.queuing_time = std::max(begin - lease.arrival, Duration::zero());
  result.node = rules_.node_name;
  if (outcome) {
    result.content = std::move(*outcome);
    result.is_base64 = handler->is_base64;
  } else {
    result.error = std::move(outcome.error());
  }
  const auto again = put_off_until   ? put_off_until
                     : may_go_better ? retry_at(lease, most, end)
                                     : std::nullopt;
  const bool is_dead = has_failed && !again;
  if (is_dead) {
    log(LogLevel::warning, "task {} ({}) is dead after {}: {}", result.uid, task.name,
        counted(runs, "run"), result.error->message);
  } else if (again && !put_off_until) {
    log(LogLevel::info, "task {} ({}) failed, and is tried again in {}: {}", result.uid, task.name,
        format_duration(*again - end), result.error->message);
  }
  LeaseRef ref{task.uid, lease.number};
  return {{std::move(ref), std::move(lease.task), std::move(result), std::move(lease.reply_to),
           is_dead ? runs : 0},
          again,
          !put_off_until};
}

}  // namespace fogctl
