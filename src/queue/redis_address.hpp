// Where a Redis is and how to enter: one server, any node of a cluster, or the sentinels that know
// which server is the master. A plain value; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fogctl {

struct RedisEndpoint {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const RedisEndpoint&) const = default;
};

[[nodiscard]] inline std::string to_string(const RedisEndpoint& at) {
  const bool is_ipv6 = at.host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + at.host + "]" : at.host) + ":" + std::to_string(at.port);
}

struct RedisAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string socket_path;               // when not empty, instead of host and port
  std::vector<RedisEndpoint> sentinels;  // when not empty, instead of both: asked for the master
  std::string master;                    // by which name the sentinels know it
  std::string user;                      // empty: the default user
  std::string password;                  // empty: none
  std::string password_file;  // when not empty, read again at each connect: it may change

  /// For messages: "127.0.0.1:6379", "/run/redis.sock" or "sentinel://10.0.0.1:26379/mymaster", as
  /// --redis takes it; never the password.
  [[nodiscard]] std::string display() const {
    if (!socket_path.empty()) return socket_path;
    if (sentinels.empty()) return to_string(RedisEndpoint{host, port});
    std::string text = "sentinel://";
    for (const RedisEndpoint& sentinel : sentinels) text += to_string(sentinel) + ',';
    text.back() = '/';
    return text + master;
  }
  /// The same way in to another server.
  [[nodiscard]] RedisAddress at(const RedisEndpoint& server) const {
    RedisAddress address = *this;
    address.host = server.host;
    address.port = server.port;
    address.socket_path.clear();
    address.sentinels.clear();
    return address;
  }
};

}  // namespace fogctl
