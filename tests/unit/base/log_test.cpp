#include "base/log.hpp"

#include <doctest/doctest.h>

#include <unistd.h>
#include <string>

namespace fogctl {
namespace {

/// What is written to standard error while it lives.
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

TEST_CASE("A log level is known by its name alone") {
  CHECK(parse_log_level("debug") == LogLevel::debug);
  CHECK(parse_log_level("info") == LogLevel::info);
  CHECK(parse_log_level("warning") == LogLevel::warning);
  CHECK(parse_log_level("error") == LogLevel::error);
  CHECK(parse_log_level("off") == LogLevel::off);
  CHECK_FALSE(parse_log_level("Info"));
  CHECK_FALSE(parse_log_level(""));
}

TEST_CASE("A line says when, how grave and what, and lines below the level are not printed") {
  CaughtErrors errors;
  set_log_level(LogLevel::warning);
  log(LogLevel::info, "not {}", "this");
  log(LogLevel::warning, "lost {} of {}", 2, 3);
  const std::string text = errors.text();
  REQUIRE(text.size() > 25);
  CHECK(text.substr(4, 1) == "-");
  CHECK(text.substr(23) == "Z warning lost 2 of 3\n");
}

TEST_CASE("With the level off nothing is logged") {
  set_log_level(LogLevel::off);
  CHECK_FALSE(is_logged(LogLevel::error));
  set_log_level(LogLevel::debug);
  CHECK(is_logged(LogLevel::debug));
  set_log_level(LogLevel::info);
}

}  // namespace
}  // namespace fogctl
