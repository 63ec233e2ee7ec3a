// Tasks that are a program's run: a process for each, its input on stdin, its result on stdout.
#pragma once

#include <memory>

#include "programs/child.hpp"
#include "programs/task_spec.hpp"
#include "work/handlers.hpp"

namespace fogctl {

/// Of a spec whose mode is once. Exit code 0: what the program wrote is the result. Errors:
/// invalid_task, the content is not of the input's kind; task_failed, with the exit code or signal
/// and the last lines of stderr, for good unless it crashed or the exit code is to be retried;
/// timed_out; cancelled. When a run ends, nothing that the program started is left.
[[nodiscard]] Handler once_handler(TaskSpec spec, std::shared_ptr<Keepers> keepers);

}  // namespace fogctl
