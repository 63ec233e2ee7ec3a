// A descriptor that becomes readable when a stop is asked for: poll() for stop tokens. Made and
// destroyed by the thread that waits.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <stop_token>

#include "base/file_descriptor.hpp"

namespace fogctl {

class StopDescriptor {
 public:
  explicit StopDescriptor(const std::stop_token& stop)
      : event_(stop.stop_possible() ? ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1),
        callback_(stop, Raise{event_.get()}) {}

  /// -1 where no stop can be asked for.
  [[nodiscard]] int get() const { return event_.get(); }

 private:
  struct Raise {
    int event;
    void operator()() const {
      constexpr std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);
    }
  };

  FileDescriptor event_;
  std::stop_callback<Raise> callback_;  // ends before the descriptor
};

}  // namespace fogctl
