// The sandbox of a task's program: bubblewrap (bwrap) gives it no network, no other processes to
// see, and a file system that it can only read, but for its workdir and a /tmp of its own. Any
// thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "programs/task_spec.hpp"

namespace fogctl {

/// The spec's command inside a sandbox. Writable are the workdir, if it has one, and /tmp, which
/// holds as much as the task's memory.
[[nodiscard]] std::vector<std::string> sandboxed(const TaskSpec& spec);

/// The spec's environment as arguments of bwrap. In bwrap's own environment it could have that do
/// anything outside the sandbox.
[[nodiscard]] std::vector<std::string> sandboxed_environment(const TaskSpec& spec);

/// Starts one to see that it works here. Error: unavailable, saying what is missing and what to do.
[[nodiscard]] Result<void> check_sandbox();

}  // namespace fogctl
