// A process that only works: runs tasks from a queue for the nodes that put them there, until it is
// told to stop. Main thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <future>
#include <thread>

#include "base/result.hpp"
#include "queue/task_queue.hpp"
#include "work/crew.hpp"

namespace fogctl {

class WorkerProcess {
 public:
  WorkerProcess(TaskQueue& queue, const Handlers& handlers, const Clock& clock, CrewOptions options,
                Duration drain_timeout);

  /// Works until SIGTERM or SIGINT, then finishes what runs and gives the rest back; a second
  /// signal ends the process at once. False: a task still ran at the drain time-out, or the queue
  /// still kept a thread waiting; the process must end without waiting for it. Error: why the queue
  /// refuses it.
  [[nodiscard]] Result<bool> run();

 private:
  [[nodiscard]] bool end();

  const Clock& clock_;
  const Duration drain_timeout_;
  const std::size_t threads_;
  Crew crew_;
  std::promise<bool> ended_;  // with what drain() said
  std::jthread ender_;
};

}  // namespace fogctl
