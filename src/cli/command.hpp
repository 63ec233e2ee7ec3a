// What every subcommand gives to main: a name, a line of help, and a function that adds its flags
// and returns what to run. Main thread.
#pragma once

#include <expected>
#include <functional>
#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
}

namespace fogctl::cli {

/// Exit codes, the same for every subcommand (fogctl(1), "Exit status").
namespace exit_code {
inline constexpr int ok = 0;
inline constexpr int failed = 1;       // it ran, and something failed or was lost
inline constexpr int usage = 2;        // wrong flags
inline constexpr int unreachable = 3;  // nothing to connect to: a node, a Redis
inline constexpr int late = 5;         // a task not in time
}  // namespace exit_code

struct CommandFailure {
  int exit_code = exit_code::failed;
  std::string message;
};

/// The exit code, or what to print as "fogctl: …" on standard error and exit with.
using CommandResult = std::expected<int, CommandFailure>;
using Run = std::function<CommandResult()>;

struct Command {
  const char* name;
  const char* summary;
  Run (*add)(CLI::App& command);
};

// One file each, named after the subcommand.
Run add_fog(CLI::App& command);
Run add_cloud(CLI::App& command);
Run add_worker(CLI::App& command);
Run add_client(CLI::App& command);
Run add_nodes(CLI::App& command);
Run add_explain(CLI::App& command);
Run add_plan(CLI::App& command);
Run add_queue(CLI::App& command);
Run add_tasks(CLI::App& command);
Run add_simulate(CLI::App& command);
Run add_redis_check(CLI::App& command);
Run add_find_port(CLI::App& command);

}  // namespace fogctl::cli
