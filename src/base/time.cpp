#include "base/time.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace fogctl {

Instant SystemClock::now() const {
  return Instant(
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

WallTime SystemClock::wall_now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

Duration from_seconds(double seconds) {
  constexpr double most = static_cast<double>(std::numeric_limits<std::int64_t>::max()) / 1e9;
  if (seconds >= most) return Duration::max();
  if (seconds <= -most) return Duration::min();
  return Duration(static_cast<std::int64_t>(std::llround(seconds * 1e9)));
}

Result<Duration> parse_duration(std::string_view text) {
  const auto wrong = [&] {
    return failure(
        ErrorCode::invalid,
        fmt::format("'{}' is not a length of time: write it as 250ms, 5s, 2min or 1h", text));
  };
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || !std::isfinite(number) || number < 0) return wrong();
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  double scale = 0;
  if (unit.empty() || unit == "s") scale = 1;
  if (unit == "us") scale = 1e-6;
  if (unit == "ms") scale = 1e-3;
  if (unit == "min" || unit == "m") scale = 60;
  if (unit == "h") scale = 3600;
  if (scale == 0) return wrong();
  return from_seconds(number * scale);
}

std::string format_duration(Duration length) {
  // Each unit ends where its number would be rounded to the next one's first.
  const double seconds = to_seconds(length);
  if (seconds < 0.9995e-3) return fmt::format("{:.0f}us", seconds * 1e6);
  if (seconds < 0.9995) return fmt::format("{:.3g}ms", seconds * 1e3);
  if (seconds < 120) return fmt::format("{:.3g}s", seconds);
  const double minutes = seconds / 60;
  return minutes < 999.5 ? fmt::format("{:.3g}min", minutes) : fmt::format("{:.0f}min", minutes);
}

std::string format_wall_time(WallTime stamp) {
  using namespace std::chrono;
  const auto day = floor<days>(stamp);
  const year_month_day date(day);
  const hh_mm_ss time(floor<milliseconds>(stamp - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

}  // namespace fogctl
