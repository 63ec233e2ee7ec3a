// What the program writes to standard error, caught by a test that looks at it. One at a time.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <string>

#include "base/log.hpp"

namespace fogctl {

/// What is written to standard error until it is asked for, as much as a pipe holds.
class CaughtErrors {
 public:
  CaughtErrors() {
    REQUIRE(::pipe(pipe_) == 0);
    saved_ = ::dup(STDERR_FILENO);
    REQUIRE(::dup2(pipe_[1], STDERR_FILENO) >= 0);
  }
  ~CaughtErrors() {
    restore();
    ::close(pipe_[0]);
    set_log_level(LogLevel::info);
  }
  CaughtErrors(const CaughtErrors&) = delete;
  CaughtErrors& operator=(const CaughtErrors&) = delete;

  std::string text() {
    restore();
    return take();
  }

  /// What was written so far; it is caught further on.
  std::string take() {
    std::string out;
    std::array<char, 4096> part;
    pollfd written{pipe_[0], POLLIN, 0};
    while (::poll(&written, 1, 0) > 0) {
      const auto size = ::read(pipe_[0], part.data(), part.size());
      if (size <= 0) break;
      out.append(part.data(), static_cast<std::size_t>(size));
    }
    return out;
  }

 private:
  void restore() {
    if (saved_ < 0) return;
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    ::close(pipe_[1]);
    saved_ = -1;
  }
  int pipe_[2] = {-1, -1};
  int saved_ = -1;
};

}  // namespace fogctl
