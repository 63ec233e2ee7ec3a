// Notices that work stands still: tasks wait in the queue, a worker of this process is free, and
// yet nothing is leased. Which none of the parts would notice by itself, each of them being in
// order as far as it knows. Pure: what is seen and the time go in, what to do comes out.
//
// Rules. 1. Still for the patience: new connections, which a lost word or a half-dead server would
// need. 2. Still for as long again: nobody knows why, a person must look; this process is not
// ready. 3. The first task that is leased, or a queue with nothing to lease, ends both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "queue/task_queue.hpp"

namespace fogctl {

/// Of the worker pool.
struct PoolPulse {
  std::size_t free = 0;      // workers that run nothing
  std::uint64_t leased = 0;  // tasks that ever came here
  bool is_draining = false;
};

enum class WatchdogStep { none, reconnect, give_alarm, end_alarm };

class Watchdog {
 public:
  explicit Watchdog(Duration patience) : patience_(patience) {}

  /// Whether the queue is to be asked for its load, and look() called with it: not while tasks
  /// come or all workers are busy. To be asked often.
  [[nodiscard]] bool wants_load(const PoolPulse& pulse, Instant now);

  /// `load`: none where the queue does not answer, which others tell.
  [[nodiscard]] WatchdogStep look(const std::optional<QueueLoad>& load, const PoolPulse& pulse,
                                  Instant now);

  /// False between give_alarm and end_alarm.
  [[nodiscard]] bool is_ready() const { return stage_ != Stage::alarm; }
  [[nodiscard]] Duration still_for(Instant now) const;

 private:
  enum class Stage { calm, reconnected, alarm };

  [[nodiscard]] WatchdogStep calm_down();

  const Duration patience_;
  std::uint64_t leased_ = 0;
  std::optional<Instant> still_since_;
  Instant look_at_;
  Stage stage_ = Stage::calm;
};

/// Tasks that a free worker could lease now. Whatever waits on purpose does not count: the tasks of
/// a queue that is paused, and those that are delayed until a retry is due.
[[nodiscard]] std::size_t leasable(const QueueLoad& load);

}  // namespace fogctl
