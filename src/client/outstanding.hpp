// The tasks of a client that are not yet answered, by their task_id, and with which node each is.
// Pure; belongs to one thread.
//
// Ids count up from 1, and a task's fate is looked up by its place in a queue: constant time, and
// memory for no more than what lies between the oldest unanswered task and the newest one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.hpp"

namespace fogctl {

struct SentTask {
  std::uint64_t id = 0;
  std::size_t stream = 0;  // which of the client's task names
  Instant sent;            // for the first time
};

/// A node's place in the client's list.
using NodeIndex = std::uint32_t;
inline constexpr NodeIndex no_node = ~NodeIndex{0};

/// Answers that count for no task.
struct StrayAnswers {
  std::uint64_t late = 0;      // after the task was given up
  std::uint64_t repeated = 0;  // after the task's first answer
  std::uint64_t unknown = 0;   // to no task of this client, or unreadable
};

class Outstanding {
 public:
  enum class Match {
    first,     // the answer that was waited for
    repeated,  // the task had its answer
    late,      // it was given up
    unknown,   // no such task was sent
  };
  struct Answer {
    Match match = Match::unknown;
    // Where it is the first answer:
    SentTask task = {};
    NodeIndex node = no_node;
    NodeIndex other = no_node;
  };

  /// The new task's id.
  std::uint64_t add(std::size_t stream, Instant now);
  Answer take(std::uint64_t id);

  /// The task, where it is not answered yet; the node that has it, and another one that got it too,
  /// or no_node.
  struct Open {
    SentTask task;
    NodeIndex node = no_node;
    NodeIndex other = no_node;
    bool is_accepted = false;  // by `node`
  };
  [[nodiscard]] std::optional<Open> find(std::uint64_t id) const;
  /// The unanswered task is with that node now. True where it is sent for the second time.
  bool give_to(std::uint64_t id, NodeIndex node);
  /// That other node got it too, or, with no_node, has it no more.
  void hedge_to(std::uint64_t id, NodeIndex other);
  /// One of the two has accepted it: it is with that one alone.
  void note_accepted(std::uint64_t id, NodeIndex node);
  /// Its node has it no more: the other one has, if there is one. False: no node has.
  bool take_back(std::uint64_t id);
  /// The same of all that this node has: the ids that no node has now, ascending.
  std::vector<std::uint64_t> take_all_back(NodeIndex node);

  [[nodiscard]] bool is_empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// When the oldest unanswered task was sent.
  [[nodiscard]] std::optional<Instant> oldest_sent() const;
  /// Gives the oldest unanswered task up; an answer to it is late from now on. Not when empty.
  SentTask give_up_oldest();

 private:
  struct Slot {
    Instant sent;
    std::size_t stream = 0;
    NodeIndex node = no_node;
    NodeIndex other = no_node;
    std::uint8_t times_sent = 0;  // 2: or more
    bool is_accepted = false;
    bool is_open = true;
  };
  struct IdRange {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };
  [[nodiscard]] Slot& open_slot(std::uint64_t id);
  void drop_closed_front();
  [[nodiscard]] bool was_given_up(std::uint64_t id) const;

  std::deque<Slot> slots_;  // of the ids from first_id_; the front one is open
  std::uint64_t first_id_ = 1;
  std::size_t size_ = 0;           // open slots
  std::vector<IdRange> given_up_;  // ascending
};

}  // namespace fogctl
