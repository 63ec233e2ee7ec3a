// Time as types: lengths, monotonic instants, wall-clock stamps, and the clock that is injected.
// The only place in the program that reads a system clock. Safe on any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace fogctl {

using Duration = std::chrono::nanoseconds;

/// Tag of the program's monotonic time line; its zero means nothing.
struct Monotonic {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Monotonic, Duration>;
  static constexpr bool is_steady = true;
};

using Instant = Monotonic::time_point;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// The time, as told to whoever needs it. Tests pass one that only they advance.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
  /// Wall clock, for people and for the original protocol's stamps only.
  [[nodiscard]] virtual WallTime wall_now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] WallTime wall_now() const override;
};

/// Seconds to a length, rounded to the nanosecond; clamped to what a Duration holds.
[[nodiscard]] Duration from_seconds(double seconds);
[[nodiscard]] constexpr double to_seconds(Duration length) {
  return std::chrono::duration<double>(length).count();
}
[[nodiscard]] constexpr double to_seconds(WallTime stamp) {
  return to_seconds(stamp.time_since_epoch());
}

/// a + b for b >= 0, at most what a Duration holds: a peer may say any length.
[[nodiscard]] constexpr Duration add_saturating(Duration a, Duration b) {
  return a > Duration::max() - b ? Duration::max() : a + b;
}

/// a - b for b >= 0, at least what a Duration holds.
[[nodiscard]] constexpr Duration subtract_saturating(Duration a, Duration b) {
  return a < Duration::min() + b ? Duration::min() : a - b;
}

/// "250ms", "5s", "2min", "1h", "1.5" (seconds): a length >= 0. The error names the text.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
/// For people: "350us", "12.3ms", "1.25s", "3min".
[[nodiscard]] std::string format_duration(Duration length);
/// RFC 3339 in UTC with milliseconds: "2026-11-23T13:44:10.123Z".
[[nodiscard]] std::string format_wall_time(WallTime stamp);

}  // namespace fogctl
