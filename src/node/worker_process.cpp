#include "node/worker_process.hpp"

#include <system_error>
#include <utility>

#include "base/counted.hpp"
#include "base/log.hpp"
#include "node/signals.hpp"

namespace fogctl {

WorkerProcess::WorkerProcess(TaskQueue& queue, const Handlers& handlers, const Clock& clock,
                             CrewOptions options, Duration drain_timeout)
    : clock_(clock),
      drain_timeout_(drain_timeout),
      threads_(options.pool.threads),
      crew_(queue, handlers, clock, std::move(options), {}) {}

Result<bool> WorkerProcess::run() {
  asio::io_context io;
  asio::signal_set signals(io, SIGINT, SIGTERM);
  if (auto started = crew_.start(); !started) return std::unexpected(started.error());
  log(LogLevel::info, "working with {}", counted(threads_, "thread"));
  signals.async_wait([](asio::error_code, int) {});
  io.run();

  log(LogLevel::info, "stopping: finishing what runs, at most {}", format_duration(drain_timeout_));
  signals.clear();
  end_at_next_signal();
  return end();
}

/// On a thread of its own, where one can be had: a call to the queue cannot be ended while it
/// connects.
bool WorkerProcess::end() {
  const Instant deadline = drain_end(clock_.now(), drain_timeout_);
  const auto take_steps = [this, deadline] {
    crew_.stop_leasing(deadline);
    const bool is_drained = crew_.drain(deadline);
    crew_.leave();
    ended_.set_value(is_drained);
  };
  try {
    ender_ = std::jthread(take_steps);
  } catch (const std::system_error& error) {
    log(LogLevel::warning, "no thread can be had to stop on: {}", error.code().message());
    take_steps();
  }
  auto ended = ended_.get_future();
  const auto is_in_time = ended.wait_for(deadline + longest_leaving - clock_.now());
  return is_in_time == std::future_status::ready && ended.get();
}

}  // namespace fogctl
