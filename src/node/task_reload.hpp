// SIGHUP: has the task files read again, on a thread of its own, since nothing else of this process
// is to wait for files. Made and ended by the main thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <functional>
#include <thread>

namespace fogctl {

class TaskReload {
 public:
  /// From now on each SIGHUP calls `reread`, one call at a time.
  explicit TaskReload(std::function<void()> reread);
  ~TaskReload();
  TaskReload(const TaskReload&) = delete;
  TaskReload& operator=(const TaskReload&) = delete;

 private:
  void wait();

  const std::function<void()> reread_;
  asio::io_context io_{1};
  asio::signal_set signals_;
  std::jthread thread_;
};

}  // namespace fogctl
