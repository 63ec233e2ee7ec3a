#include "programs/stream_pool.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/log.hpp"
#include "programs/poll_until.hpp"
#include "programs/stop_descriptor.hpp"
#include "programs/task_program.hpp"

namespace fogctl {
namespace {

constexpr Duration first_back_off = std::chrono::milliseconds(100);
constexpr Duration longest_back_off = std::chrono::seconds(10);
constexpr Duration apart = std::chrono::milliseconds(1);  // the turns of tasks that are put off
constexpr Duration longest_turns = std::chrono::seconds(1);
constexpr Duration between_looks = std::chrono::seconds(1);         // at those that rest
constexpr Duration last_patience = std::chrono::milliseconds(200);  // when the pool ends

}  // namespace

StreamPool::StreamPool(const TaskSpec& spec, std::shared_ptr<Keepers> keepers)
    : name_(spec.name),
      program_(program_of(spec)),
      keepers_(std::move(keepers)),
      idle_(spec.idle),
      kill_after_(spec.kill_after),
      max_tasks_(spec.max_tasks),
      most_(spec.concurrency > 0 ? static_cast<std::size_t>(spec.concurrency)
                                 : std::numeric_limits<std::size_t>::max()),
      wake_(make_event()),
      thread_([this](const std::stop_token& stop) { tend(stop); }) {}

StreamPool::~StreamPool() {
  thread_.request_stop();
  wake();
  thread_.join();
  for (Resting& rests : resting_) rests.process->close_in();
  leaving_.insert(leaving_.end(), std::move_iterator(resting_.begin()),
                  std::move_iterator(resting_.end()));
  const Instant deadline = clock_.now() + last_patience;
  for (const Resting& leaves : leaving_) {
    std::array<pollfd, 1> end = {{{leaves.process->end(), POLLIN, 0}}};
    std::ignore = poll_until(end, deadline, clock_);
  }
}

RunFailure StreamPool::failed(const std::string& why) const {
  return {TaskErrorCode::task_failed, fmt::format("'{}': {}", name_, why), false};
}

/// Until a process may be started, one after another: most of them would only be put off again.
RunFailure StreamPool::put_off() {
  last_turn_ = std::clamp<Instant>(last_turn_ + apart, start_at_, start_at_ + longest_turns);
  RunFailure failure = failed("its processes keep dying");
  failure.put_off_until = last_turn_;
  return failure;
}

std::expected<std::unique_ptr<StreamProcess>, RunFailure> StreamPool::take(
    const std::stop_token& stop, Duration patience) {
  Lock lock(mutex_);
  if (!has_room()) {
    changed_.wait_for(lock, stop, std::min<Duration>(patience, std::chrono::hours(24 * 365)),
                      [&] { return has_room(); });
  }
  if (stop.stop_requested()) {
    return std::unexpected(RunFailure{TaskErrorCode::cancelled, "stopped before it began", true});
  }
  if (!has_room()) return std::unexpected(failed("all its processes are busy"));
  // No worker waits for that: others have tasks that can run meanwhile.
  if (resting_.empty() && clock_.now() < start_at_) return std::unexpected(put_off());
  ++out_;
  while (!resting_.empty()) {
    ProcessPtr process = std::move(resting_.back().process);
    resting_.pop_back();
    if (process->is_at_rest()) return process;
    log(LogLevel::warning,
        "process of '{}': it ended, or wrote something, while it had no task; "
        "it is replaced",
        name_);
    lock.unlock();
    process.reset();
    lock.lock();
  }
  lock.unlock();
  auto child = keepers_->start(program_);
  if (child) return std::make_unique<StreamProcess>(name_, std::move(*child));
  lock.lock();
  --out_;
  note_failure(clock_.now());
  changed_.notify_all();
  return std::unexpected(failed(child.error().message));
}

void StreamPool::put_back(ProcessPtr process) {
  const bool is_worn = max_tasks_ > 0 && process->tasks() >= max_tasks_;
  if (is_worn) process->close_in();
  const Instant now = clock_.now();
  const std::lock_guard lock(mutex_);
  --out_;
  failures_ = 0;
  start_at_ = Instant();
  if (is_worn) {
    leaving_.push_back({std::move(process), after(now, kill_after_)});
  } else {
    resting_.push_back({std::move(process), after(now, idle_)});
  }
  // Not for each task: waking the thread would cost more than the task's own exchange.
  if (is_worn || after(now, idle_) < next_look_) wake();
  changed_.notify_one();
}

void StreamPool::drop(ProcessPtr process, bool is_broken) {
  process.reset();  // killed, before another takes its place
  const std::lock_guard lock(mutex_);
  --out_;
  if (is_broken) note_failure(clock_.now());
  changed_.notify_all();
}

void StreamPool::note_failure(Instant now) {
  const Duration pause =
      std::min<Duration>(first_back_off * (1 << std::min(failures_, 10)), longest_back_off);
  ++failures_;
  start_at_ = now + pause;
}

void StreamPool::wake() const {
  raise_event(wake_.get());
}

/// Ends those that are idle, hears those that rest, and lets go of those that have ended.
void StreamPool::tend(const std::stop_token& stop) {
  std::list<Resting> leaving;
  while (!stop.stop_requested()) {
    const Instant next = tend_once(leaving, clock_.now());
    std::vector<pollfd> watched = {{wake_.get(), POLLIN, 0}};
    for (const Resting& leaves : leaving) watched.push_back({leaves.process->end(), POLLIN, 0});
    std::ignore = poll_until(watched, next, clock_);
    lower_event(wake_.get());
  }
}

/// When to look again.
Instant StreamPool::tend_once(std::list<Resting>& leaving, Instant now) {
  Instant next = Instant::max();
  {
    const std::lock_guard lock(mutex_);
    const auto is_idle = [&](const Resting& rests) { return now >= rests.until; };
    // Those that rest longest are the first.
    const auto idle_end = std::ranges::find_if_not(resting_, is_idle);
    for (auto rests = resting_.begin(); rests != idle_end; ++rests) {
      rests->process->close_in();
      leaving_.push_back({std::move(rests->process), after(now, kill_after_)});
    }
    resting_.erase(resting_.begin(), idle_end);
    for (const Resting& rests : resting_) rests.process->read_errors_at_rest();
    if (!resting_.empty()) next = std::min(resting_.front().until, after(now, between_looks));
    next_look_ = next;
    leaving.splice(leaving.end(), leaving_);
  }
  leaving.remove_if([&](const Resting& leaves) {
    pollfd end{leaves.process->end(), POLLIN, 0};
    return now >= leaves.until || ::poll(&end, 1, 0) != 0;
  });
  for (const Resting& leaves : leaving) next = std::min(next, leaves.until);
  return next;
}

}  // namespace fogctl
