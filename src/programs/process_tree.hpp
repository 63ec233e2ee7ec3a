// The processes that descend from one, as /proc shows them: what they use, and their end. Any
// thread; each look reads /proc anew, some 10 µs a process of the machine.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "base/time.hpp"

namespace fogctl {

struct ProcessEntry {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t session = 0;
  bool is_dead = false;  // but not waited for
  std::uint64_t threads = 0;
  std::uint64_t resident = 0;  // bytes, pages that it shares with others included
  Duration cpu_time{};         // with that of its children that are gone
};

/// All that the machine runs and this process may see.
[[nodiscard]] std::vector<ProcessEntry> all_processes();

/// Which of them stand below `ancestor`.
[[nodiscard]] std::vector<ProcessEntry> descendants_of(pid_t ancestor,
                                                       const std::vector<ProcessEntry>& all);

/// Bytes that a process holds, each shared page counted by its share, or as a whole where shares
/// are not told. 0: it has ended.
[[nodiscard]] std::uint64_t proportional_memory(const ProcessEntry& process);

/// SIGKILL to all that `look` finds, called until it finds nothing new, each being stopped first:
/// what forks without end is outrun. They may still be there, dying, when this returns.
void kill_all(const std::function<std::vector<ProcessEntry>()>& look);

}  // namespace fogctl
