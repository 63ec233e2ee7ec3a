// Nodes that steal, for scenarios: what each event makes of them.
#pragma once

#include <string>
#include <vector>

#include "support/copies_bench.hpp"

namespace fogctl::support {

/// A state as a neighbour tells it that steals, and at which so many tasks wait.
inline NodeState waiting_state(std::size_t queued, std::size_t workers = 2) {
  NodeState state;
  state.expected_wait = std::chrono::milliseconds(10 * queued);
  state.workers = workers;
  state.running = queued > 0 ? workers : 0;
  state.queued = queued;
  state.steals = true;
  state.takes_copies = true;
  return state;
}

struct StealBench : SchedulerBench {
  explicit StealBench(const SchedulerOptions& options = in_time_options())
      : SchedulerBench(options) {}

  Actions told(PeerId link, const NodeState& state) {
    Actions out;
    scheduler.on_state(link, state, now, out);
    return out;
  }
  Actions steal(PeerId link, std::int64_t number, std::size_t workers = 2) {
    Actions out;
    scheduler.on_steal(link, {number, workers}, now, out);
    return out;
  }
  void refused(PeerId link, std::int64_t request, Duration retry_after = {}) {
    scheduler.on_steal_refused(link, request, retry_after, now);
  }
  /// A task of `from` comes that names a request of this node's.
  Actions stolen(PeerId from, std::int64_t request, Task task) {
    Origin origin{from, "77", true, true};
    origin.steal = request;
    Actions out;
    scheduler.on_task(std::move(task), std::move(origin), now, out);
    return out;
  }
  /// Neighbours named "a" and "b" at 101 and 102, a round trip of a millisecond away.
  void meet() {
    for (const auto& [link, name] : {std::pair<PeerId, const char*>{101, "a"}, {102, "b"}}) {
      (void)peer_up(link, fogctl_node(name));
      scheduler.on_peer_delay(link, std::chrono::milliseconds(1));
    }
  }
};

}  // namespace fogctl::support
