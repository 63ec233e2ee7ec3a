// Task files become handlers: the table of all that this process can run, the built-in tasks and
// one's own, and the same again when the files have changed. One thread at a time.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/result.hpp"
#include "work/handlers.hpp"
#include "work/own_tasks.hpp"
#include "work/task_spec.hpp"

namespace fogctl {

/// How the tasks of one's own are run, and what they may ask for.
struct CommandRunner {
  std::function<Handler(const TaskSpec& spec)> handler;
  std::function<Result<void>()> check_sandbox;
};

class CommandHandlers {
 public:
  CommandHandlers(TaskSources sources, CommandRunner runner)
      : sources_(std::move(sources)), runner_(std::move(runner)) {}

  /// Reads the task files. A task that is as it was before keeps its handler, and so what that has
  /// running. Error: invalid, a line for each mistake; all stays as it was.
  [[nodiscard]] Result<HandlerTable> read();

  /// Reads them again, puts the table in force and logs what is new. False: a mistake, which is
  /// logged; the table in force stays.
  bool reread(Handlers& handlers);

 private:
  struct Made {
    TaskSpec spec;
    Handler handler;
  };

  const TaskSources sources_;
  const CommandRunner runner_;
  std::map<std::string, Made> made_;  // of the files as they were last read
};

}  // namespace fogctl
