#include "base/log.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "base/time.hpp"

namespace fogctl {
namespace {

constexpr std::array<std::string_view, 5> names = {"debug", "info", "warning", "error", "off"};
std::atomic<LogLevel> lowest{LogLevel::info};

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

void set_log_level(LogLevel level) {
  lowest.store(level, std::memory_order_relaxed);
}

bool is_logged(LogLevel level) {
  return level >= lowest.load(std::memory_order_relaxed);
}

void write_log_line(LogLevel level, std::string_view text) {
  std::string line = fmt::format("{} {:<7} {}\n", format_wall_time(SystemClock().wall_now()),
                                 names[static_cast<std::size_t>(level)], text);
  // A peer's words must not look like lines of this log, nor steer a terminal.
  std::replace_if(
      line.begin(), line.end() - 1,
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  // One write, so that lines of several threads never mix; a closed stderr is nobody's problem.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace fogctl
