#include "base/log.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/caught_errors.hpp"

namespace fogctl {
namespace {

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
