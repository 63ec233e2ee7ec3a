// What a node can run: handlers by task name. A table is built before the workers start and does
// not change while they run; handlers run on worker threads.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>

#include "task/task.hpp"

namespace fogctl {

/// The result's content as JSON text, or why the task failed for good.
using HandlerOutcome = std::expected<std::string, TaskError>;

/// One run of a task.
struct Run {
  std::stop_token stop;       // asks to end early: the task is given up, or the program exits
  std::uint32_t attempt = 1;  // counted from 1
};

struct Handler {
  TaskClass weight = TaskClass::light;  // of a task that does not say
  /// task_failed: it may go better another time. Any other error is for good.
  std::function<HandlerOutcome(const Task& task, const Run& run)> run;
  int max_attempts = 0;  // of a task that does not say; 0: as many as the node allows
};

class HandlerTable {
 public:
  void add(const std::string& name, Handler handler);
  [[nodiscard]] const Handler* find(std::string_view name) const;
  /// Runs the task's handler. Whatever it throws becomes task_failed.
  [[nodiscard]] HandlerOutcome run(const Task& task, const Run& run) const;

 private:
  std::map<std::string, Handler, std::less<>> handlers_;
};

/// light, medium, heavy and add (whole powers, with GMP, as the original computes them), echo,
/// sleep, sum, mean, and fail, whose first content runs fail.
[[nodiscard]] HandlerTable built_in_handlers();

}  // namespace fogctl
