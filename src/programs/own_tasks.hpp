// The tasks of one's own that a process has: which task files these stand in, and all of them read
// as one set. Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "programs/task_file.hpp"

namespace fogctl {

struct TaskSources {
  /// Files, and folders whose *.toml are read in the order of their names.
  std::vector<std::string> paths;
  /// Where there are none: fogctl.toml and tasks.d of this folder, if they exist.
  std::string settings = "/etc/fogctl";
};

struct OwnTasks {
  std::vector<OwnTask> tasks;
  std::vector<std::string> files;
};

/// Error: invalid; its message has a line for each mistake, up to ten of them.
[[nodiscard]] Result<OwnTasks> read_own_tasks(const TaskSources& sources, const TaskChecks& checks);

}  // namespace fogctl
