// Which server the calls of a queue go to, and the way there: the one that was named; the master
// that the sentinels name, asked at each connect; or the node of a cluster that a MOVED pointed to.
// Any thread; open() blocks.
//
// Rules. 1. A change of server is a new *generation*: who holds a session of an older one leaves it
// at the next opportunity. 2. Only a session of this generation can change it: what an older one
// learned is out of date. 3. A cluster's node that does not answer is given up for any other one,
// which then says who owns the slot.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "queue/redis_address.hpp"
#include "queue/redis_connection.hpp"
#include "queue/redis_refusal.hpp"

namespace fogctl {

/// A connection and whom it reaches.
struct RedisSession {
  std::unique_ptr<RedisConnection> connection;
  std::string run_id;            // the server's life
  std::string client_id;         // this connection, as that server names it
  RedisAddress server;           // where it is
  std::uint64_t generation = 0;  // of the route; 0: not of it
};

class RedisRoute {
 public:
  RedisRoute(RedisAddress address, RedisTimeouts timeouts);

  /// A session with the server of now. Error: unavailable, or unauthorized; the message begins
  /// "cannot connect to redis ADDRESS: ", as it was given, and says what was tried.
  [[nodiscard]] Result<RedisSession> open();
  /// A session with another node of the cluster, for one call.
  [[nodiscard]] Result<RedisSession> open_at(const RedisEndpoint& node);

  /// Goes where a node of the cluster said, from then on.
  void follow(const RedisRedirect& moved, const RedisSession& from);
  /// Leaves every connection of that generation: its server is not the right one any more.
  void renew(std::uint64_t of);

  [[nodiscard]] std::uint64_t generation() const;
  /// For messages: the server of now, and by whose word.
  [[nodiscard]] std::string display() const;
  [[nodiscard]] const RedisAddress& address() const { return address_; }

 private:
  [[nodiscard]] Result<RedisSession> open_master();
  [[nodiscard]] Result<RedisSession> open_node();
  [[nodiscard]] Result<RedisSession> greet(const RedisAddress& server);
  [[nodiscard]] std::vector<RedisAddress> candidates() const;
  void learn_nodes(RedisConnection& node);
  void prefer(const RedisEndpoint& sentinel);
  void settle(RedisSession& session, const std::string& whose_word);
  [[nodiscard]] RedisAddress with_password(RedisAddress server) const;

  const RedisAddress address_;
  const RedisTimeouts timeouts_;
  mutable std::mutex mutex_;              // guards what follows
  std::vector<RedisEndpoint> sentinels_;  // the one that answered last first
  std::vector<RedisEndpoint> nodes_;      // of a cluster, as one of them told
  std::optional<RedisAddress> server_;    // where the last session went
  std::string whose_word_;                // that it is there: "sentinel 10.0.0.1:26379"
  std::uint64_t generation_ = 1;
};

/// The addresses in an answer to CLUSTER NODES, of nodes that are there. Pure.
[[nodiscard]] std::vector<RedisEndpoint> parse_cluster_nodes(std::string_view text);

}  // namespace fogctl
