#include "node/signals.hpp"

#include <unistd.h>

#include <csignal>

namespace fogctl {

void end_at_next_signal() {
  struct sigaction action{};
  action.sa_handler = [](int signal) { ::_exit(128 + signal); };
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

}  // namespace fogctl
