// How much work waits in this node's queue: what the node itself put there, known exactly, and what
// others did, as the queue last said. Belongs to one thread.
#pragma once

#include <array>
#include <cstddef>

#include "task/estimates.hpp"

namespace fogctl {

/// What the queue says it holds, queued and leased together, over all nodes that share it.
struct QueueBacklog {
  std::array<std::size_t, task_class_count> tasks{};
  std::size_t workers = 0;  // with a live heartbeat
  std::size_t running = 0;  // of the tasks
  bool is_paused = false;   // nothing is begun
};

class Backlog {
 public:
  void add(TaskClass weight) { ++own_[index_of(weight)]; }
  void remove(TaskClass weight);
  void set_queue(const QueueBacklog& load);
  [[nodiscard]] std::size_t workers() const { return workers_; }
  [[nodiscard]] bool is_paused() const { return is_paused_; }
  /// Queued and running, of all classes.
  [[nodiscard]] std::size_t tasks() const;
  /// Those running, as the queue last said.
  [[nodiscard]] std::size_t running() const { return running_; }
  /// W of protocol.md: Σ over the classes of tasks × estimate, divided by the workers; > 0 of them.
  [[nodiscard]] Duration expected_wait(const ExecutionEstimates& estimates) const;

 private:
  std::array<std::size_t, task_class_count> own_{};
  std::array<std::size_t, task_class_count> foreign_{};
  std::size_t workers_ = 0;
  std::size_t running_ = 0;
  bool is_paused_ = false;
};

}  // namespace fogctl
