// A broken invariant ends the program, in release builds too: going on would hide it.
#pragma once

namespace fogctl {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace fogctl

#define FOGCTL_CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::fogctl::check_failed(#expression, __FILE__, __LINE__))
