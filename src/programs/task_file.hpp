// One task file read: its TOML becomes TaskSpecs, and all that is wrong in it is named with its
// line. Which files there are, and what becomes of them, is for own_tasks.hpp. Any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "programs/task_spec.hpp"

namespace fogctl {

/// A task, and where it stands.
struct OwnTask {
  TaskSpec spec;
  std::string file;
  std::size_t line = 0;  // of its heading, from 1
};

struct TaskMistake {
  std::string file;
  std::size_t line = 0;  // from 1; 0: the file as a whole
  std::string text;      // "[task.NAME] KEY: expected …, got …"
};
/// "tasks.toml:7: [task.thumbnail] timeout: expected …".
[[nodiscard]] std::string to_string(const TaskMistake& mistake);

/// What of this program and machine a task must fit.
struct TaskChecks {
  std::function<bool(std::string_view name)> is_built_in;
  /// Whether `sandbox = true` can be kept here. The error says why not, and what to do.
  std::function<Result<void>()> sandbox;
};

struct TaskFile {
  std::vector<OwnTask> tasks;         // in the order of their lines; good only with no mistake
  std::vector<TaskMistake> mistakes;  // likewise
};

/// Reads a file's [task.NAME] tables. In one that is named fogctl.toml, other tables are left
/// alone.
[[nodiscard]] TaskFile read_task_file(const std::string& path, const TaskChecks& checks);

}  // namespace fogctl
