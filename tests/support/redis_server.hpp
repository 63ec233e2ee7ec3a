// A real redis-server of a test's own, on a private unix socket in a directory that goes with it.
// Belongs to one thread. A server that does not come up ends the test program.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "queue/redis_address.hpp"
#include "queue/redis_connection.hpp"

namespace fogctl {

class RedisServer {
 public:
  /// `appendfsync`: "always", "everysec" or "no". The append-only file is always on. More
  /// `arguments` come behind, and win.
  explicit RedisServer(std::string appendfsync = "always", std::vector<std::string> arguments = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  /// Starts on the same directory, and returns once it answers.
  void start();
  /// Likewise, but returns at once. `more` arguments are for this life alone.
  void launch(const std::vector<std::string>& more = {});
  void stop();   // SIGTERM: in order
  void kill();   // SIGKILL: as if the power went
  void pause();  // SIGSTOP: silent, its connections stay
  void resume();

  [[nodiscard]] RedisAddress address() const;
  [[nodiscard]] const std::string& socket_path() const { return socket_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  void end(int signal);

  std::string appendfsync_;
  std::vector<std::string> arguments_;
  std::string directory_;
  std::string socket_;
  pid_t pid_ = -1;
};

/// One command, over a connection of its own; ends the case where that breaks.
[[nodiscard]] RedisReply ask_redis(const RedisAddress& address,
                                   std::initializer_list<std::string_view> command);

/// A port of 127.0.0.1 that was idle a moment ago.
[[nodiscard]] std::uint16_t idle_port();

/// One server for all cases of a test program that do not stop it.
[[nodiscard]] RedisServer& shared_redis_server();

}  // namespace fogctl
