// A simulated node: the shipped Scheduler, the queue and the workers that it serves. What passes
// between nodes is the world's. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "scheduling/scheduler.hpp"
#include "sim/job_queue.hpp"

namespace fogctl::sim {

struct Running {
  bool is_busy = false;
  std::uint32_t task = 0;
  Instant queued_at;
  Instant started;
  Instant finish_at;
};

struct FogNode {
  explicit FogNode(QueueOrder order) : queue(order) {}

  std::optional<Scheduler> scheduler;  // none: dead
  JobQueue queue;
  std::unordered_map<std::uint32_t, JobQueue::Place> places;  // of what waits, by task
  std::vector<Running> workers;
  std::uint32_t busy = 0;
  int dead = 0;  // how many reasons there are for it
  Instant stalled_until;
  Instant frozen_until;  // at most stalled_until
  Instant first_tick;    // spreads the nodes' sharing over the interval
  std::optional<Instant> tick_at;
  std::vector<std::uint32_t> links;
};

}  // namespace fogctl::sim
