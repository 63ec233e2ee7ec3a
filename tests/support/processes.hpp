// What tests of programs need: where a descriptor or a child would leak, and waiting for what
// another process does.
#pragma once

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <functional>
#include <string>

#include "base/time.hpp"
#include "work/process_tree.hpp"

namespace fogctl {

/// False: not within `patience`.
inline bool wait_until(const std::function<bool()>& is_so,
                       Duration patience = std::chrono::seconds(10)) {
  const SystemClock clock;
  const Instant deadline = clock.now() + patience;
  while (!is_so()) {
    if (clock.now() > deadline) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

inline std::size_t descendants() {
  return descendants_of(::getpid(), all_processes()).size();
}

/// Dead ones that nobody waited for yet count as gone.
inline bool is_running(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  const auto name_end = text.rfind(')');
  return name_end != std::string::npos && text.substr(name_end + 2, 1) != "Z";
}

/// The whole of a file; "" where there is none yet.
inline std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace fogctl
