// --tasks: which tasks of one's own a role that runs tasks has. Main thread.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"
#include "programs/command_handlers.hpp"

namespace fogctl::cli {

struct TaskFlags {
  std::vector<std::string> paths;  // empty: those of /etc/fogctl, where there are any
};
void add_task_flags(CLI::App& command, TaskFlags& flags);

[[nodiscard]] CommandHandlers make_handlers(const TaskFlags& flags);
/// Of a first read of the task files: usage, with their mistakes.
[[nodiscard]] CommandFailure task_failure(const Error& error);

}  // namespace fogctl::cli
