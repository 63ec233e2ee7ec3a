// poll() until an instant. Any thread.
#pragma once

#include <poll.h>

#include <algorithm>
#include <span>

#include "base/time.hpp"

namespace fogctl {

/// False: nothing happened until then, or a signal came. Instant::max(): for ever.
inline bool poll_until(std::span<pollfd> watched, Instant until, const Clock& clock) {
  timespec timeout{};
  if (until != Instant::max()) {
    const Duration left = std::max<Duration>(until - clock.now(), Duration::zero());
    timeout.tv_sec = std::chrono::floor<std::chrono::seconds>(left).count();
    timeout.tv_nsec = (left % std::chrono::seconds(1)).count();
  }
  return ::ppoll(watched.data(), watched.size(), until == Instant::max() ? nullptr : &timeout,
                 nullptr) > 0;
}

/// Saturates.
inline Instant after(Instant now, Duration length) {
  return length < Instant::max() - now ? now + length : Instant::max();
}

}  // namespace fogctl
