#include "cli/options.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.hpp"
#include "base/size.hpp"
#include "net/address.hpp"
#include "queue/redis_password.hpp"
#include "task/task.hpp"

namespace fogctl::cli {
namespace {

constexpr const char* password_variable = "FOGCTL_REDIS_PASSWORD";
constexpr std::string_view sentinel_scheme = "sentinel://";
constexpr std::size_t longest_socket_path = 107;  // sockaddr_un

/// "10.0.0.1:26379,10.0.0.2:26379/mymaster", of sentinel://…
Result<void> read_sentinels(const std::string& text, RedisAddress& address) {
  const auto wrong = [&](const std::string& why) {
    return failure(ErrorCode::invalid, fmt::format("'{}{}': {}; a master is named as "
                                                   "sentinel://HOST:PORT,HOST:PORT/MASTER",
                                                   sentinel_scheme, text, why));
  };
  const auto slash = text.rfind('/');
  if (slash == std::string::npos) return wrong("the name of the master is missing");
  address.master = text.substr(slash + 1);
  if (!is_valid_name(address.master)) return wrong("the master's name is not a name");
  std::string_view rest = std::string_view(text).substr(0, slash);
  while (true) {
    const auto comma = std::min(rest.find(','), rest.size());
    auto sentinel = parse_remote(rest.substr(0, comma));
    if (!sentinel) return wrong(sentinel.error().message);
    address.sentinels.push_back({std::move(sentinel->host), sentinel->port});
    if (comma == rest.size()) return {};
    rest.remove_prefix(comma + 1);
  }
}

/// Sets host and port, the socket's path, or the sentinels.
Result<void> read_address(const std::string& text, RedisAddress& address) {
  if (text.starts_with('/')) {
    if (text.size() > longest_socket_path) {
      return failure(ErrorCode::invalid, fmt::format("'{}' is longer than the {} bytes of a socket",
                                                     text, longest_socket_path));
    }
    address.socket_path = text;
    return {};
  }
  if (text.starts_with(sentinel_scheme)) {
    return read_sentinels(text.substr(sentinel_scheme.size()), address);
  }
  auto parsed = parse_remote(text);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  address.host = parsed->host;
  address.port = parsed->port;
  return {};
}

}  // namespace

void add_redis_flags(CLI::App& command, RedisFlags& flags) {
  command.add_option("--host", flags.host, "host of the Redis")->type_name("HOST");
  add_number(command, "--port", flags.port, {std::uint16_t{1}, std::uint16_t{65535}},
             "port of the Redis")
      ->type_name("PORT");
  command
      .add_option("--redis", flags.address,
                  "the Redis, any node of its cluster, or its "
                  "sentinels, instead of --host and --port")
      ->type_name("HOST:PORT|SOCKET|sentinel://HOST:PORT,.../MASTER")
      ->check([](const std::string& text) {
        RedisAddress address;
        const auto read = read_address(text, address);
        return read ? std::string() : read.error().message;
      });
  command.add_option("--redis-user", flags.user, "user at the Redis (default: its default user)")
      ->type_name("NAME");
  command
      .add_option("--redis-password-file", flags.password_file,
                  fmt::format("file with the password, read at each connect, instead of {}",
                              password_variable))
      ->type_name("FILE");
}

Result<RedisAddress> redis_address(const RedisFlags& flags) {
  RedisAddress address;
  address.host = flags.host;
  address.port = flags.port;
  address.user = flags.user;
  if (!flags.address.empty()) {
    auto read = read_address(flags.address, address);
    if (!read) return std::unexpected(std::move(read.error()));
  }
  if (!flags.password_file.empty()) {
    auto password = read_redis_password(flags.password_file);
    if (!password) return std::unexpected(std::move(password.error()));
    address.password = std::move(*password);
    address.password_file = flags.password_file;
  } else if (const char* password = std::getenv(password_variable)) {  // NOLINT(concurrency-*)
    address.password = password;  // nobody here ever sets a variable
  }
  return address;
}

std::string check_remote(const std::string& text) {
  const auto address = parse_remote(text);
  return address ? "" : address.error().message;
}

CLI::Option* add_duration(CLI::App& command, const std::string& name, Duration& value,
                          const std::string& help) {
  const auto set = [&value](const std::string& text) {
    if (const auto length = parse_duration(text)) value = *length;
  };
  return command.add_option_function<std::string>(name, set, help)
      ->type_name("TIME")
      ->default_str(format_duration(value))
      ->check([](const std::string& text) {
        const auto length = parse_duration(text);
        return length ? std::string() : length.error().message;
      });
}

CLI::Option* add_size(CLI::App& command, const std::string& name, std::size_t& value,
                      SizeRange range, const std::string& help) {
  const auto set = [&value](const std::string& text) {
    if (const auto size = parse_size(text)) value = *size;
  };
  return command.add_option_function<std::string>(name, set, help)
      ->type_name("SIZE")
      ->default_str(format_size(value))
      ->check([range](const std::string& text) {
        const auto size = parse_size(text);
        if (!size) return size.error().message;
        if (*size >= range.least && *size <= range.most) return std::string();
        return fmt::format("'{}' is not from {} to {}", text, format_size(range.least),
                           format_size(range.most));
      });
}

CLI::Option* add_choice(CLI::App& command, const std::string& name, std::string& value,
                        const std::vector<std::string>& choices, const std::string& help) {
  return command.add_option(name, value, help)
      ->type_name(fmt::format("{}", fmt::join(choices, "|")))
      ->check([choices](const std::string& text) {
        if (std::ranges::find(choices, text) != choices.end()) return std::string();
        return fmt::format("'{}' is none of {}", text, fmt::join(choices, ", "));
      });
}

void add_log_level(CLI::App& command) {
  const auto set = [](const std::string& name) {
    if (const auto level = parse_log_level(name)) set_log_level(*level);
  };
  command.add_option_function<std::string>("--log-level", set, "least severe log lines to print")
      ->type_name("debug|info|warning|error|off")
      ->default_str("info")
      ->check([](const std::string& name) {
        if (parse_log_level(name)) return std::string();
        return fmt::format("'{}' is none of debug, info, warning, error, off", name);
      });
}

void add_example(CLI::App& command, const std::string& lines) {
  std::string footer = "Example:";
  for (const std::string& line : CLI::detail::split(lines, '\n')) {
    if (!line.empty()) footer += "\n  " + line;
  }
  command.footer(footer);
}

}  // namespace fogctl::cli
