// Which tasks can be run in the mesh, as a JSON array: for people. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "task/kinds.hpp"

namespace fogctl {

/// One node, and what it can run.
struct NodeKinds {
  std::string name;  // for people
  TaskKinds kinds;
};

/// An object for each task, sorted by its name: `task_name`, `class` (the first node's that has
/// it), `time` (in seconds, over all runs; null where none ended), `runs`, `nodes`.
[[nodiscard]] std::string kinds_report(const std::vector<NodeKinds>& nodes);

}  // namespace fogctl
