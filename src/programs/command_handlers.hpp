// Task files become handlers: the table of all that this process can run, the built-in tasks and
// one's own, and the same again when the files have changed. One thread at a time; handlers() may
// be used by any.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "programs/own_tasks.hpp"
#include "programs/task_spec.hpp"
#include "work/handlers.hpp"

namespace fogctl {

/// How the tasks of one's own are run, and what they may ask for.
struct CommandRunner {
  std::function<Handler(const TaskSpec& spec)> handler;
  std::function<Result<void>()> check_sandbox;
};
/// Under keepers of this executable.
[[nodiscard]] CommandRunner program_runner();

class CommandHandlers {
 public:
  /// With the built-in tasks alone, before the first read().
  CommandHandlers(TaskSources sources, CommandRunner runner)
      : sources_(std::move(sources)), runner_(std::move(runner)), handlers_(built_in_handlers()) {}

  /// Reads the task files, puts their tasks in force and logs what is new. A task that is as it was
  /// before keeps its handler, and so what that has running. Error: invalid, a line for each
  /// mistake; all stays as it was.
  [[nodiscard]] Result<void> read();

  /// Likewise; a mistake is logged, and so is what the machine lacked. Returns whether it is done.
  bool reread();

  [[nodiscard]] const Handlers& handlers() const { return handlers_; }

 private:
  struct Made {
    TaskSpec spec;
    Handler handler;
  };

  const TaskSources sources_;
  const CommandRunner runner_;
  std::map<std::string, Made> made_;  // of the files as they were last read
  Handlers handlers_;
};

}  // namespace fogctl
