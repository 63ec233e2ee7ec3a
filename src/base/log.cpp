#include "base/log.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstddef>
#include <mutex>
#include <string>

#include "base/counted.hpp"
#include "base/time.hpp"

namespace fogctl {
namespace {

constexpr std::array<std::string_view, 5> names = {"debug", "info", "warning", "error", "off"};
std::atomic<LogLevel> lowest{LogLevel::info};

std::string line_of(LogLevel level, std::string_view text) {
  return fmt::format("{} {:<7} {}\n", format_wall_time(SystemClock().wall_now()),
                     names[static_cast<std::size_t>(level)], text);
}

/// Standard error. What reads it may have stopped: a frozen collector, a terminal that is held up.
class Output {
 public:
  void write(std::string_view line) {
    const std::lock_guard lock(mutex_);
    if (lost_ > 0 && is_taken({})) {
      put(line_of(LogLevel::warning, counted(lost_, "log line") + " lost: nobody read them"));
      lost_ = 0;
    }
    if (lost_ == 0 && is_taken(patience)) return put(line);
    ++lost_;
  }

 private:
  static constexpr auto patience = std::chrono::milliseconds(20);  // with a reader that is slow

  /// What can be written to, pipe or terminal, takes PIPE_BUF bytes at once.
  [[nodiscard]] static bool is_taken(std::chrono::milliseconds longest) {
    pollfd error{STDERR_FILENO, POLLOUT, 0};
    return ::poll(&error, 1, static_cast<int>(longest.count())) != 0;
  }

  /// One write, so that lines of several processes never mix; a closed stderr is nobody's problem.
  static void put(std::string_view line) {
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  }

  std::mutex mutex_;
  std::size_t lost_ = 0;
};

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
  static Output output;
  std::string line = line_of(level, text);
  if (line.size() > PIPE_BUF) line.replace(PIPE_BUF - 4, std::string::npos, "...\n");
  // A peer's words must not look like lines of this log, nor steer a terminal.
  std::replace_if(
      line.begin(), line.end() - 1,
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  output.write(line);
}

}  // namespace fogctl
