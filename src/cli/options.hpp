// Flags that several subcommands share, as plain structs with their defaults, and the functions
// that add them. What can be checked without I/O is checked while parsing. Main thread.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "queue/redis_address.hpp"

namespace fogctl::cli {

/// --host, --port, --redis, --redis-user, --redis-password-file; the password itself comes from
/// that file or from FOGCTL_REDIS_PASSWORD, never from argv.
struct RedisFlags {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  /// --redis HOST:PORT, /path/to.sock or sentinel://HOST:PORT,…/MASTER; overrides host and port.
  std::string address;
  std::string user;
  std::string password_file;
};
void add_redis_flags(CLI::App& command, RedisFlags& flags);
/// Error: invalid (the address), failed (the password file cannot be read).
[[nodiscard]] Result<RedisAddress> redis_address(const RedisFlags& flags);

/// A CLI11 check for an address to connect to.
[[nodiscard]] std::string check_remote(const std::string& text);

/// A CLI11 check and conversion for a Duration given as 250ms, 5s, 2min.
CLI::Option* add_duration(CLI::App& command, const std::string& name, Duration& value,
                          const std::string& help);

struct SizeRange {
  std::size_t least;
  std::size_t most;
};
/// A number of bytes given as 4096, 64KiB, 4MiB, in a range.
CLI::Option* add_size(CLI::App& command, const std::string& name, std::size_t& value,
                      SizeRange range, const std::string& help);

/// One of a fixed set of words.
CLI::Option* add_choice(CLI::App& command, const std::string& name, std::string& value,
                        const std::vector<std::string>& choices, const std::string& help);

/// --log-level; takes effect while parsing.
void add_log_level(CLI::App& command);

/// Adds "Example:" lines at the end of the command's --help.
void add_example(CLI::App& command, const std::string& lines);

/// A number in [least, most]; the error names flag, value and bounds.
template <typename Number>
struct NumberRange {
  Number least;
  Number most;
};
template <typename Number>
[[nodiscard]] std::optional<Number> read_number(std::string_view text, NumberRange<Number> range) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (rest != end || error != std::errc{}) return std::nullopt;
  if (!(number >= range.least && number <= range.most)) return std::nullopt;
  return number;
}
template <typename Number>
CLI::Option* add_number(CLI::App& command, const std::string& name, Number& value,
                        NumberRange<Number> range, const std::string& help) {
  const auto set = [&value](const std::string& text) {  // after the check below
    using Limits = std::numeric_limits<Number>;
    value = read_number<Number>(text, {Limits::lowest(), Limits::max()}).value_or(value);
  };
  return command.add_option_function<std::string>(name, set, help)
      ->type_name("N")
      ->default_str(fmt::format("{}", value))
      ->check([range](const std::string& text) -> std::string {
        if (read_number(text, range)) return "";
        return fmt::format("'{}' is not a number from {} to {}", text, range.least, range.most);
      });
}

}  // namespace fogctl::cli
