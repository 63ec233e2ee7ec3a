// Holds kinds of tasks to how many of each may run at a time in this process: counts what runs,
// keeps a few at hand for the next turns, and says when the others are to come again. Pure; the
// worker pool calls it under its lock.
//
// Rules. 1. At hand are up to twice the bound of a kind, so that the next begins at once when one
// ends. 2. The rest goes back to the queue until about when its turn is: from 10 ms to 1 s, told
// from how long the kind's runs take. 3. Where many are put off, they come again one after another,
// twice as fast as they can be run, but at most 1000 a second: else a long queue of one kind would
// keep the idle workers busy with turning it over. 4. None is put off for more than half of the
// time that it can still wait, or for 1 s where that is more.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "queue/task_queue.hpp"

namespace fogctl {

/// Leased, not begun.
struct WaitingLease {
  Lease lease;
  Instant since;
};

class KindBounds {
 public:
  /// Whether one more of this kind may begin, `bound` at a time; counted until end(). With 0 there
  /// is no bound and nothing is counted.
  [[nodiscard]] bool begin(const std::string& kind, int bound);
  /// A run that was counted took so long: returns those at hand that may begin now, in order.
  [[nodiscard]] std::vector<WaitingLease> end(const std::string& kind, int bound, Duration took);

  /// Keeps one that may not begin at hand; false: there are enough.
  [[nodiscard]] bool keep(WaitingLease& waiting, int bound);
  /// When one that is not kept is to come again.
  [[nodiscard]] Instant put_off(const Lease& lease, int bound, Instant now);

  /// Takes out of those at hand.
  [[nodiscard]] std::vector<WaitingLease> take_if(
      const std::function<bool(const WaitingLease&)>& is_meant);
  [[nodiscard]] bool has(const LeaseRef& lease) const;

 private:
  struct Kind {
    int running = 0;
    std::deque<WaitingLease> at_hand;
    Duration expected{};  // of a run; zero: not known yet
    Instant last_turn;    // of what was put off
  };
  std::map<std::string, Kind> kinds_;
};

}  // namespace fogctl
