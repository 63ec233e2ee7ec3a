// SIGHUP: has the task files read again, on a thread of its own, since nothing else of this process
// is to wait for files. Made and ended by the main thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <functional>
#include <future>
#include <thread>

#include "base/time.hpp"

namespace fogctl {

/// How long a process that ends waits for files that are read at that moment.
inline constexpr Duration reload_patience = std::chrono::seconds(1);

class TaskReload {
 public:
  /// From now on each SIGHUP calls `reread`, one call at a time.
  explicit TaskReload(std::function<void()> reread);
  /// Waits for a call that has not ended.
  ~TaskReload();
  TaskReload(const TaskReload&) = delete;
  TaskReload& operator=(const TaskReload&) = delete;

  /// From now on no signal calls it. False: a call did not end within `patience`, for it waits for
  /// a file; then nothing that it uses may end before the process does.
  [[nodiscard]] bool end(Duration patience);

 private:
  void wait();

  const std::function<void()> reread_;
  asio::io_context io_{1};
  asio::signal_set signals_;
  std::promise<void> ended_;
  std::future<void> end_ = ended_.get_future();
  std::jthread thread_;
};

}  // namespace fogctl
