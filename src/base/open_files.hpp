// How many files this process may have open at a time, sockets and pipes among them ('ulimit -n').
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace fogctl {

/// Raises the limit as far as this process may, to 1,048,576 at most, and says what it is then.
/// Before any program is started.
std::size_t raise_open_files();

/// Gives a process that this one started the limit that this one had before: programs that call
/// select(), or close every number that a file can have, do badly with a high one.
void restore_open_files(pid_t process);

}  // namespace fogctl
