#include "base/open_files.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>

namespace fogctl {
namespace {

constexpr rlim_t most_of_use = rlim_t{1} << 20;

std::atomic<rlim_t>& before() {
  static std::atomic<rlim_t> soft{RLIM_INFINITY};  // infinity: it was not raised
  return soft;
}

}  // namespace

std::size_t raise_open_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit raised{std::min(limit.rlim_max, most_of_use), limit.rlim_max};
  if (raised.rlim_cur > limit.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
    before() = limit.rlim_cur;
    limit = raised;
  }
  return std::min(limit.rlim_cur, most_of_use);
}

void restore_open_files(pid_t process) {
  if (before() == RLIM_INFINITY) return;
  rlimit limit{};
  if (::prlimit(process, RLIMIT_NOFILE, nullptr, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(before(), limit.rlim_max);
  ::prlimit(process, RLIMIT_NOFILE, &limit, nullptr);
}

}  // namespace fogctl
