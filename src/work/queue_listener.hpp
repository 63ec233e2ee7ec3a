// Waits, on a thread of its own, for what the queue has to say: results that other processes
// finished for this one, and that there may be work. start() and stop() are the owner's; the
// callbacks come from that thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "queue/task_queue.hpp"

namespace fogctl {

class QueueListener {
 public:
  struct Events {
    std::function<void(std::vector<TaskResult> replies)> on_replies;
    std::function<void(std::vector<TaskProgress> news)> on_progress;
    std::function<void(std::vector<std::string> uids)> on_cancelled;
    std::function<void(bool is_news)> on_work;  // there may be some
  };

  QueueListener(TaskQueue& queue, Events events);
  void start();
  void stop();

 private:
  void listen(const std::stop_token& stop);

  TaskQueue& queue_;
  const Events events_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace fogctl
