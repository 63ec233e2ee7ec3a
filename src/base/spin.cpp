#include "base/spin.hpp"

#include <thread>

namespace fogctl {

SpinWait::SpinWait(const Clock& clock)
    : clock_(clock), is_possible_(std::thread::hardware_concurrency() > 1) {}

void SpinWait::pause() {
#if defined(__x86_64__)
  for (int i = 0; i < 8; ++i) __builtin_ia32_pause();
#endif
}

}  // namespace fogctl
