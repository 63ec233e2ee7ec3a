// How a holder hears of news in a Redis queue: replies that others sent it, and queued tasks
// appearing where there were none. One thread waits, on a connection of its own; any may interrupt.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "queue/redis_caller.hpp"
#include "queue/task_queue.hpp"

namespace fogctl {

class RedisNews {
 public:
  RedisNews(RedisCaller& caller, std::string replies_key, std::string wake_key);

  /// As TaskQueue::wait. What it returned is dropped from Redis by the next call only, so that
  /// nothing is lost when the connection breaks in between.
  [[nodiscard]] Result<QueueNews> wait(Duration at_most);
  void interrupt();
  /// Ends the connection, from any thread: the wait that is under way goes on over a new one.
  void reconnect();

 private:
  [[nodiscard]] Result<void> connect();
  void disconnect();
  void pause(Duration left);
  [[nodiscard]] Result<bool> look(Duration block, QueueNews& news);
  void read_replies(const RedisReply& entries, QueueNews& news);

  RedisCaller& caller_;
  const std::string replies_key_;
  const std::string wake_key_;
  RedisSession session_;  // its connection apart, which is below
  std::string run_id_;    // of the server that the next two are about
  std::string last_wake_ = "0-0";
  std::string first_to_keep_;  // of the replies; empty: nothing was returned since the last trim
  std::atomic<bool> interrupted_{false};
  std::mutex mutex_;  // guards the pointer against interrupt
  std::condition_variable interruption_;
  std::unique_ptr<RedisConnection> connection_;
};

}  // namespace fogctl
