// What a node tells others of the tasks that it can run. Plain values, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "task/task.hpp"

namespace fogctl {

/// A task name that a node can run.
struct TaskKind {
  std::string name;
  TaskClass weight = TaskClass::light;  // of a task that does not say
  std::optional<Duration> time;         // what a run there is expected to take; none: none ended
  std::uint64_t runs = 0;               // that ended well, of which the node knows
  bool operator==(const TaskKind&) const = default;
};
using TaskKinds = std::vector<TaskKind>;  // each name once

/// A node tells of no more names than this, and others believe in no more.
inline constexpr std::size_t most_kinds = 1000;

/// Those of a node of the original system: light, medium and heavy.
[[nodiscard]] const TaskKinds& original_kinds();
/// Those of a fogctl node that does not tell: what the first ones could run.
[[nodiscard]] const TaskKinds& first_kinds();

}  // namespace fogctl
