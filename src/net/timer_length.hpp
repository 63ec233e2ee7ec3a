// How long asio's timers are to take, from the project's own lengths.
#pragma once

#include <chrono>

#include "base/time.hpp"

namespace fogctl {

[[nodiscard]] inline std::chrono::steady_clock::duration timer_length(Duration length) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(length);
}

}  // namespace fogctl
