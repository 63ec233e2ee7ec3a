// The sandbox of a task's program: bubblewrap (bwrap) gives it no network, no other processes to
// see, and a file system that it can only read, but for its workdir and a /tmp of its own. Any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace fogctl {

/// The command inside a sandbox. `workdir`: writable; empty: nothing is, but /tmp. `tmp_bytes`:
/// what /tmp holds at most.
[[nodiscard]] std::vector<std::string> sandboxed(const std::vector<std::string>& command,
                                                 const std::string& workdir,
                                                 std::uint64_t tmp_bytes);

/// Starts one to see that it works here. Error: unavailable, saying what is missing and what to do.
[[nodiscard]] Result<void> check_sandbox();

}  // namespace fogctl
