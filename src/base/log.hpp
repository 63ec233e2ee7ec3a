// Log lines on standard error: "2026-11-23T13:44:10.123Z info  text". Any thread may log; a line
// is written whole, its first 4096 bytes. Nothing is printed below the level that was set. Where
// nobody reads them they are lost, and whoever logs waits for 20 ms at most; how many is told once
// somebody reads again.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>

namespace fogctl {

enum class LogLevel { debug, info, warning, error, off };

[[nodiscard]] std::optional<LogLevel> parse_log_level(std::string_view name);

void set_log_level(LogLevel level);
[[nodiscard]] bool is_logged(LogLevel level);
void write_log_line(LogLevel level, std::string_view text);

template <typename... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (is_logged(level)) write_log_line(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace fogctl
