// When a client's task has waited so long to be accepted that another node is to get it too. Pure;
// belongs to one thread.
//
// A task is due once a share of its requirement has gone by, but not before twice what the nodes
// usually take to accept one: where the network or the node is merely slow, a second copy of
// nearly every task would only add load. ("The Tail at Scale", Dean and Barroso, CACM 2013, sends
// the second request when the first is slower than is usual.)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/time.hpp"
#include "client/outstanding.hpp"

namespace fogctl {

class Hedging {
 public:
  /// A share in (0, 1) of each stream's requirement; a share of 0: no task is ever due.
  Hedging(double share, const std::vector<Duration>& requirements);

  [[nodiscard]] bool is_on() const { return is_on_; }
  /// Of the stream whose tasks are due the soonest, while the nodes are quick.
  [[nodiscard]] Duration shortest_patience() const;
  void on_sent(std::uint64_t id, std::size_t stream, Instant now);
  /// Forgets those that were sent first and are answered or accepted by now: no more are kept than
  /// lie between the first that is neither and the last.
  void drop_settled(std::size_t stream, const Outstanding& outstanding);
  /// The node took so long to say that it has accepted a task.
  void on_accepted(Duration took);
  /// The node accepts a task that is answered already.
  void on_accepted_late(std::uint64_t id, NodeIndex node, Instant now);

  /// When the next one is due. None: no task waits.
  [[nodiscard]] std::optional<Instant> next_due() const;
  /// Takes the id of one that is due; each comes once, answered or not, unless it was dropped.
  std::optional<std::uint64_t> take_due(Instant now);

  /// It was sent to another node too: a second answer to it is no surprise.
  void on_hedged(const SentTask& task, NodeIndex other);
  [[nodiscard]] bool is_known(std::uint64_t id) const { return known_.contains(id); }
  [[nodiscard]] std::uint64_t hedged() const { return hedged_; }

 private:
  struct Sent {
    std::uint64_t id = 0;
    Instant at;
  };
  struct Stream {
    Duration patience{};
    std::deque<Sent> sent;
  };
  [[nodiscard]] Instant due_of(const Stream& stream) const;

  bool is_on_;
  std::vector<Stream> streams_;
  std::array<Duration, 64> took_{};  // the last ones
  std::size_t accepted_ = 0;
  Duration usual_{};  // their median

  std::uint64_t hedged_ = 0;
  struct Hedged {
    Instant sent;
    NodeIndex other = no_node;
  };
  std::unordered_map<std::uint64_t, Hedged> known_;  // the last ones
  std::deque<std::uint64_t> known_order_;
};

}  // namespace fogctl
