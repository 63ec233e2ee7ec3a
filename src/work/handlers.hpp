// What a node can run: handlers by task name. A table does not change; another one may take its
// place while workers run. Handlers run on worker threads.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "task/task.hpp"

namespace fogctl {

/// Why a run failed.
struct RunFailure : TaskError {
  RunFailure(TaskErrorCode error, std::string why, bool is_final = false)
      : TaskError{error, std::move(why), {}}, is_for_good(is_final) {}

  /// It would go no better another time; a failure other than task_failed never would.
  bool is_for_good = false;
  /// It did not begin, and is put off until then, which counts as no attempt. None: it ran.
  std::optional<Instant> put_off_until = {};
};

/// The result's content as JSON text, or why the run failed.
using HandlerOutcome = std::expected<std::string, RunFailure>;

/// One run of a task.
struct Run {
  std::stop_token stop;       // asks to end early: the task is given up, or the program exits
  std::uint32_t attempt = 1;  // counted from 1
  /// Tells those who wait how much is done, from 0 to 1. Null: nobody listens.
  std::function<void(double share)> progress = nullptr;
};

struct Handler {
  TaskClass weight = TaskClass::light;  // of a task that does not say
  std::function<HandlerOutcome(const Task& task, const Run& run)> run;
  int max_attempts = 0;       // of a task that does not say; 0: as many as the node allows
  int concurrency = 0;        // runs at a time in this process; 0: as many as there are workers
  bool is_base64 = false;     // its result is a string that stands for bytes
  bool is_exclusive = false;  // must not run twice at a time
};

class HandlerTable {
 public:
  void add(const std::string& name, Handler handler);
  [[nodiscard]] const Handler* find(std::string_view name) const;
  /// Runs the task's handler. Whatever it throws becomes task_failed.
  [[nodiscard]] HandlerOutcome run(const Task& task, const Run& run) const;
  [[nodiscard]] const std::map<std::string, Handler, std::less<>>& all() const { return handlers_; }

 private:
  std::map<std::string, Handler, std::less<>> handlers_;
};

/// The table in force. Any thread.
class Handlers {
 public:
  explicit Handlers(HandlerTable table)
      : table_(std::make_shared<const HandlerTable>(std::move(table))) {}

  /// Whoever uses it keeps it alive: what runs ends with the handler that it began with.
  [[nodiscard]] std::shared_ptr<const HandlerTable> table() const {
    const std::lock_guard lock(mutex_);
    return table_;
  }
  void replace(HandlerTable table) {
    auto next = std::make_shared<const HandlerTable>(std::move(table));
    const std::lock_guard lock(mutex_);
    table_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const HandlerTable> table_;
};

/// light, medium, heavy and add (whole powers, with GMP, as the original computes them), echo,
/// sleep, sum, mean, and fail, whose first content runs fail.
[[nodiscard]] HandlerTable built_in_handlers();

}  // namespace fogctl
