// A real redis-server of a test's own, on a private unix socket in a directory that goes with it.
// Belongs to one thread. A server that does not come up ends the test program.
#pragma once

#include <sys/types.h>

#include <string>

#include "queue/redis_address.hpp"

namespace fogctl {

class RedisServer {
 public:
  /// `appendfsync`: "always", "everysec" or "no". The append-only file is always on.
  explicit RedisServer(std::string appendfsync = "always");
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  /// Starts on the same directory, and returns once it answers.
  void start();
  void stop();   // SIGTERM: in order
  void kill();   // SIGKILL: as if the power went
  void pause();  // SIGSTOP: silent, its connections stay
  void resume();

  [[nodiscard]] RedisAddress address() const;
  [[nodiscard]] const std::string& socket_path() const { return socket_; }

 private:
  void end(int signal);

  std::string appendfsync_;
  std::string directory_;
  std::string socket_;
  pid_t pid_ = -1;
};

/// One server for all cases of a test program that do not stop it.
[[nodiscard]] RedisServer& shared_redis_server();

}  // namespace fogctl
