#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace fogctl {

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "fogctl: invariant broken: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace fogctl
