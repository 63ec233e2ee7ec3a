// What tests of programs need: where a descriptor or a child would leak, and waiting for what
// another process does.
#pragma once

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/file_descriptor.hpp"
#include "base/time.hpp"
#include "programs/process_tree.hpp"

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

/// While it lives, no descriptor can be opened.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit fewer = before_;
    fewer.rlim_cur = std::min<rlim_t>(before_.rlim_cur, 128);
    ::setrlimit(RLIMIT_NOFILE, &fewer);
    for (int one = ::dup(STDERR_FILENO); one >= 0; one = ::dup(STDERR_FILENO)) {
      taken_.emplace_back(one);
    }
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
  std::vector<FileDescriptor> taken_;
};

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
