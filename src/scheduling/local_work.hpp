// What this node's workers are about to do, if they serve in start-by order: how long a task of
// some urgency would wait. Which tasks run is inferred from those that come and go, as the queue
// serves them in an order that is known; so nobody has to tell when one begins. Belongs to one
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "placement/placement.hpp"
#include "task/execution_moments.hpp"

namespace fogctl {

struct OpenTask;

class LocalWork {
 public:
  /// Names a task while it is here; in start-by order.
  using Ticket = std::pair<Instant, std::uint64_t>;

  void set_workers(std::size_t workers, Instant now);
  /// A task is in the queue. `task`: for each_waiting; stays where it is until it is removed.
  [[nodiscard]] Ticket add(TaskClass weight, Instant start_by, Instant now,
                           OpenTask* task = nullptr);
  /// It is finished, or has gone elsewhere.
  void remove(const Ticket& ticket, Instant now);

  /// Of a task that comes now and is to start within `slack`: by list scheduling over the mean
  /// execution times of those that run and those that are served before it, the first 64 to 256 of
  /// them, 32 for each worker.
  /// > 0 workers.
  [[nodiscard]] WaitEstimate wait(Duration slack, const ExecutionMoments& moments,
                                  Instant now) const;
  /// The same for each of `wait_slacks`.
  [[nodiscard]] WaitProfile profile(const ExecutionMoments& moments, Instant now) const;
  /// Calls `visit` with each task that waits and what it will wait, in the order in which they are
  /// served, as many as wait() looks at; until `visit` says false.
  void each_waiting(const ExecutionMoments& moments, Instant now,
                    const std::function<bool(OpenTask& task, Duration wait)>& visit) const;

 private:
  struct Running {
    Ticket ticket;
    TaskClass weight = TaskClass::light;
    Instant started;
  };
  struct Waiting {
    TaskClass weight = TaskClass::light;
    OpenTask* task = nullptr;
  };
  using Queue = std::map<Ticket, Waiting>;
  class Schedule;

  void begin(Instant now);
  [[nodiscard]] Queue::const_iterator first_served(Instant now) const;

  std::size_t workers_ = 0;
  std::vector<Running> running_;
  Queue queue_;
  std::uint64_t last_ = 0;
  mutable std::vector<double> free_at_;  // a member only to keep its memory
};

}  // namespace fogctl
