// A descriptor that becomes readable when a stop is asked for: poll() for stop tokens. Made and
// destroyed by the thread that waits.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <stop_token>
#include <system_error>

#include "base/file_descriptor.hpp"

namespace fogctl {

/// Throws std::system_error where there is no descriptor left.
inline FileDescriptor make_event() {
  FileDescriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.is_open()) {
    throw std::system_error(errno, std::generic_category(), "no descriptor for an event");
  }
  return event;
}

/// It becomes readable. -1: nothing does.
inline void raise_event(int event) {
  constexpr std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);
}

/// It is readable no more. -1: it never was.
inline void lower_event(int event) {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto size = ::read(event, &ignored, sizeof ignored);
}

struct RaiseEvent {
  int event = -1;
  void operator()() const { raise_event(event); }
};

class StopDescriptor {
 public:
  /// Throws std::system_error where there is no descriptor left: nothing would end the wait.
  explicit StopDescriptor(const std::stop_token& stop)
      : event_(stop.stop_possible() ? make_event() : FileDescriptor()),
        callback_(stop, RaiseEvent{event_.get()}) {}

  /// -1 where no stop can be asked for.
  [[nodiscard]] int get() const { return event_.get(); }

 private:
  FileDescriptor event_;
  std::stop_callback<RaiseEvent> callback_;  // ends before the descriptor
};

}  // namespace fogctl
