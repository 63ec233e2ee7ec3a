#include "base/log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <mutex>
#include <string>

#include "base/counted.hpp"
#include "base/file_descriptor.hpp"
#include "base/time.hpp"

namespace fogctl {
namespace {

constexpr std::array<std::string_view, 5> names = {"debug", "info", "warning", "error", "off"};
std::atomic<LogLevel> lowest{LogLevel::info};

std::string line_of(LogLevel level, std::string_view text) {
  return fmt::format("{} {:<7} {}\n", format_wall_time(SystemClock().wall_now()),
                     names[static_cast<std::size_t>(level)], text);
}

/// Standard error, which whoever reads it may hold up: a frozen collector, a stopped terminal. So a
/// pipe or a terminal is written to without waiting, by a description that no other process has.
class ErrorSink {
 public:
  ErrorSink() {
    struct stat about{};
    if (::fstat(STDERR_FILENO, &about) != 0) return;
    is_socket_ = S_ISSOCK(about.st_mode);
    if (!S_ISFIFO(about.st_mode) && !S_ISCHR(about.st_mode)) return;
    constexpr int flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    own_ = FileDescriptor(::open("/proc/self/fd/2", flags));
    if (own_.get() >= 0) descriptor_ = own_.get();
  }

  /// How much of it was written: one write, so that lines of several processes never mix. All, too,
  /// where standard error is closed: that is nobody's problem.
  [[nodiscard]] std::size_t write(std::string_view text, std::chrono::milliseconds patience) const {
    auto written = try_to_write(text);
    if (written < 0 && errno == EAGAIN) {
      pollfd ready{descriptor_, POLLOUT, 0};
      ::poll(&ready, 1, static_cast<int>(patience.count()));
      written = try_to_write(text);
    }
    if (written >= 0) return static_cast<std::size_t>(written);
    return errno == EAGAIN ? 0 : text.size();
  }

 private:
  [[nodiscard]] ssize_t try_to_write(std::string_view text) const {
    if (!is_socket_) return ::write(descriptor_, text.data(), text.size());
    return ::send(descriptor_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  FileDescriptor own_;
  int descriptor_ = STDERR_FILENO;
  bool is_socket_ = false;
};

class Output {
 public:
  void write(std::string_view line) {
    const std::lock_guard lock(mutex_);
    const ErrorSink sink;
    rest_.erase(0, rest_.empty() ? 0 : sink.write(rest_, {}));
    if (rest_.empty() && lost_ > 0) {
      const std::string lost = counted(lost_, "log line") + " lost: nobody read them";
      if (put(sink, line_of(LogLevel::warning, lost), {})) lost_ = 0;
    }
    if (rest_.empty() && lost_ == 0 && put(sink, line, patience)) return;
    ++lost_;
  }

 private:
  static constexpr auto patience = std::chrono::milliseconds(20);  // with a reader that is slow

  /// False: nothing was written. The rest of a line that has begun comes before the next one.
  bool put(const ErrorSink& sink, std::string_view line, std::chrono::milliseconds longest) {
    const std::size_t written = sink.write(line, longest);
    if (written > 0) rest_ = line.substr(written);
    return written > 0;
  }

  std::mutex mutex_;
  std::size_t lost_ = 0;
  std::string rest_;  // of the last line, where it was cut short
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
  static Output& output = *new Output;  // threads that were left behind may log to the very end
  std::string line = line_of(level, text);
  if (line.size() > PIPE_BUF) line.replace(PIPE_BUF - 4, std::string::npos, "...\n");
  // A peer's words must not look like lines of this log, nor steer a terminal.
  std::replace_if(
      line.begin(), line.end() - 1,
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  output.write(line);
}

}  // namespace fogctl
