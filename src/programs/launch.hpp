// Starts a program: a session and process group of its own, the environment as given, another user,
// limits, nothing of this process left open. For a keeper, which has one thread.
#pragma once

#include <sys/types.h>

#include "base/file_descriptor.hpp"
#include "base/result.hpp"
#include "programs/child.hpp"

namespace fogctl {

/// The program's stdin, stdout and stderr.
struct StandardFiles {
  FileDescriptor in, out, err;
};

struct LaunchLimits {
  /// Of the control group that it joins; -1: none does, and memory and processes are bounded by
  /// rlimits, which hold a single process, and a user, each.
  int group_procs = -1;
  /// Processes and threads that its user runs already; for the rlimit.
  std::uint64_t users_processes = 0;
};

/// The program runs, or cannot be started. It ends with this process. Error: failed, saying why.
[[nodiscard]] Result<pid_t> launch(const ChildSpec& spec, const StandardFiles& files,
                                   const LaunchLimits& limits);

}  // namespace fogctl
