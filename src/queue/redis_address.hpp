// Where a Redis is and how to enter. A plain value; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace fogctl {

struct RedisAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string socket_path;  // when not empty, instead of host and port
  std::string user;         // empty: the default user
  std::string password;     // empty: none

  /// For messages: "127.0.0.1:6379" or "/run/redis.sock"; never the password.
  [[nodiscard]] std::string display() const {
    return socket_path.empty() ? host + ":" + std::to_string(port) : socket_path;
  }
};

}  // namespace fogctl
