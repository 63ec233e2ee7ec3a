// Holds a program and all that it started to its limits where no control group does: looks at them
// now and then. A short run is never looked at. Belongs to a keeper's one thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "programs/control_group.hpp"
#include "programs/process_tree.hpp"
#include "programs/task_spec.hpp"

namespace fogctl {

/// "it used more than 256 MiB of memory" and the like, for ChildExit::limit.
[[nodiscard]] std::string over_memory(std::uint64_t bytes);
[[nodiscard]] std::string over_cpu_time(Duration limit);

class TreeWatch {
 public:
  /// Of what descends from `ancestor` and began at `now`. With a `group`, that one bounds memory
  /// and processes, and counts the CPU time; it outlives this. `wrappers`: processes of those that
  /// do not count.
  TreeWatch(const RunLimits& limits, std::uint64_t wrappers, pid_t ancestor,
            const ControlGroup* group, Instant now);

  /// When to look next; none: there is nothing to watch.
  [[nodiscard]] std::optional<Instant> due() const;
  /// The limit that they went over, for people; none: none. The next look comes so late that
  /// looking takes little of the time.
  [[nodiscard]] std::optional<std::string> look(const Clock& clock);

 private:
  [[nodiscard]] std::optional<std::string> look_at_all();
  [[nodiscard]] std::optional<std::string> look_at_tree();
  [[nodiscard]] bool holds_too_much(const std::vector<ProcessEntry>& tree) const;

  RunLimits limits_;
  std::uint64_t wrappers_;
  pid_t ancestor_;
  const ControlGroup* group_;
  Instant due_;
  bool is_suspect_ = false;  // it held too much memory at the last look
};

}  // namespace fogctl
