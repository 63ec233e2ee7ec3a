// What the Scheduler knows of one task that is not answered yet. A plain value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scheduling/actions.hpp"
#include "scheduling/local_work.hpp"
#include "task/task.hpp"

namespace fogctl {

/// Tasks of one uid.
inline bool is_same_task(const Task& a, const Task& b) {
  return a.name == b.name && a.content == b.content;
}

struct OpenTask {
  enum class Where { parked, here, going_away, away };
  struct Copy {
    PeerId link = 0;
    Duration expected_wait{};
    std::int64_t id = 0;  // 0: it was not sent yet
    Instant sent_at = {};
  };

  std::shared_ptr<Task> task;
  bool is_shared = false;  // others hold the task too: a change is made to a copy
  std::string process_by;  // as it came
  Duration waited{};       // likewise
  Origin origin;
  std::vector<Origin> other_origins;  // the same uid, sent again
  Instant arrival;
  Instant start_by;
  Where where = Where::parked;
  bool in_queue = false;           // the queue has it, as far as this node knows
  bool was_in_queue = false;       // ... or had it: accepted for good
  bool is_anothers = false;        // another call put it there, perhaps for another node
  bool held_away = false;          // the queue holds it as away, under lease_number
  bool maybe_away = false;         // it was asked to hold it as away, and has not answered
  int in_flight = 0;               // enqueues that the queue has not answered yet
  std::uint32_t lease_number = 0;  // the last under which it was away
  std::string reply_to;            // the node that had queued it, where the queue said so
  PeerId link = 0;                 // when it is away, or going
  std::int64_t link_id = 0;        // when it is away
  Instant handed_at;               // likewise
  Duration expected_there{};       // likewise: until it is finished there, the link apart
  bool avoids_here = false;        // this node's queue is full
  bool has_hop = false;            // its offload fields count this node
  std::vector<PeerId> avoided;     // links that did not bring its answer
  Instant deadline;                // when parked; none: it is not among those that wait for a place
  Instant patience_end;            // not accepted yet: when it is refused, if it has no place then
  LocalWork::Ticket work;          // when it is here
  std::uint64_t decision = 0;      // the number of the last about it
  Duration expected_run{};         // as it was then, where a node has no word of its own

  // For a policy that ties_copies, while it is here.
  std::vector<Copy> copies;            // with neighbours
  std::set<PeerId> left_copies;        // neighbours that had one, and may have begun it
  bool has_started = false;            // a worker has it
  Instant look_at = Instant::max();    // when the policy is asked again; none: never
  Instant escape_at = Instant::max();  // when it goes to the cloud; none: never
  Instant wake_at;                     // when there is something to do about it; none: never
  bool is_withdrawn = false;           // the queue was asked for it; for what, say the others:
  bool is_given_up = false;            // it ends as cancelled
  bool is_unwanted = false;            // nobody waits for it any more
  std::optional<TaskResult> outcome;   // a copy's result came
  std::int64_t begun_as = 0;           // this copy began
  std::optional<PeerId> goes_to;       // it is handed on there
  bool is_taken_copy = false;          // counted in taken_copies_
  PeerId given_up_by = 0;              // the peer that needs it no more
};

/// What the queue may hold as away, of a task that is no more open.
struct Stray {
  EnqueueTask task;
  std::optional<TaskResult> outcome;  // where a peer answered it
};

/// What the queue has still to answer about one.
struct Late {
  int in_flight = 0;
  std::optional<Stray> maybe_away;
};

}  // namespace fogctl
