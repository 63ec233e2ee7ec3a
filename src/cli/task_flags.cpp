#include "cli/task_flags.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <utility>

namespace fogctl::cli {

void add_task_flags(CLI::App& command, TaskFlags& flags) {
  command
      .add_option("--tasks", flags.paths,
                  "file that names programs which run as tasks, or folder of such files; several "
                  "may be given, and SIGHUP has them read again")
      ->type_name("PATH")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->default_str("those of /etc/fogctl, where there are any");
}

CommandHandlers make_handlers(const TaskFlags& flags) {
  // It has them read again once TaskReload listens; before that it is no reason to end.
  std::signal(SIGHUP, SIG_IGN);
  TaskSources sources;
  sources.paths = flags.paths;
  return {std::move(sources), program_runner()};
}

CommandFailure task_failure(const Error& error) {
  return {exit_code::usage, "there are mistakes in the task files:\n" + error.message};
}

}  // namespace fogctl::cli
