// How a Scheduler is set up. A plain value.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <string>

#include "placement/placement.hpp"
#include "scheduling/actions.hpp"
#include "scheduling/decision_watch.hpp"

namespace fogctl {

struct SchedulerOptions {
  std::string node;  // this node's id
  std::string name;  // ... for people
  const Policy* policy = nullptr;
  bool shares_queue = false;        // others may serve its queue, and wait for what is there
  bool is_cloud = false;            // the node at the top: leaves process_by as it came
  bool hands_to_neighbours = true;  // the original's "fog on"
  Duration sharing_interval = std::chrono::seconds(1);
  bool shares_on_change = true;  // also before the interval is over, when the wait changed a lot
  std::size_t max_neighbours = 32;
  Duration patience = std::chrono::seconds(2);  // how long a task waits for somewhere to go
  std::size_t max_parked = 10'000;              // tasks that may wait so
  /// A task that was handed on is placed again when its answer took `overdue_factor` times what was
  /// expected, and at least `overdue_min`: an original peer answers nothing for a task that it
  /// lost. A fogctl peer loses nothing, but it may be frozen: it has `overdue_min` several times.
  double overdue_factor = 10;
  Duration overdue_min = std::chrono::seconds(60);
  static constexpr int fogctl_patience = 5;
  /// What escapes to the cloud leaves so much before the last moment, the way there apart.
  Duration escape_margin{};
  std::size_t max_message = std::size_t{1} << 20;  // longest object that a peer reads, bytes
  int max_attempts = 3;  // runs that may begin of a task that does not say
  /// Whether a client's connection is still there; empty: all are.
  std::function<bool(PeerId peer)> is_connected = {};
  /// A link gets no new task while more bytes than this are to be sent over it.
  std::size_t most_unsent = std::numeric_limits<std::size_t>::max();
  std::size_t kept_decisions = 0;  // for people who ask why; 0: none, and no prediction is judged
  const Policy* shadow = nullptr;  // with kept_decisions: decides too, and acts on nothing
  DecisionWatch* watch = nullptr;  // with kept_decisions; null: nobody
};

}  // namespace fogctl
