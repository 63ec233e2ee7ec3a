// What the program writes to standard error, caught by a test that looks at it. One at a time.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>

#include "base/log.hpp"

namespace fogctl {

/// What is written to standard error until it is asked for, at most 4 KiB.
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
    std::string out(4096, '\0');
    const auto size = ::read(pipe_[0], out.data(), out.size());
    out.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
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
