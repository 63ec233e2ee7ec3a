// Waiting awake: worth it where the wait is shorter than putting a thread to sleep and waking it on
// another core (about 40 µs), and another core is there to end it. Any thread; one object a waiter.
#pragma once

#include "base/time.hpp"

namespace fogctl {

class SpinWait {
 public:
  explicit SpinWait(const Clock& clock);

  /// Whether the next wait is likely to be short: the last one was.
  [[nodiscard]] bool is_worth_it() const { return is_possible_ && last_ < longest; }
  /// Polls `is_over` until it says true or the longest spin has passed; what it said last.
  template <typename IsOver>
  bool wait(IsOver is_over) {
    const Instant end = clock_.now() + longest;
    while (!is_over()) {
      if (clock_.now() >= end) return false;
      pause();
    }
    return true;
  }
  /// Tells how long the wait was in the end, slept or spun.
  void learn(Duration length) { last_ = length; }

 private:
  static constexpr Duration longest = std::chrono::microseconds(100);
  static void pause();

  const Clock& clock_;
  bool is_possible_;
  Duration last_ = longest;
};

}  // namespace fogctl
