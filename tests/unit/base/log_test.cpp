#include "base/log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
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

TEST_CASE("Lines that nobody reads hold up nobody, and their number is told") {
  CaughtErrors errors;
  const std::string text(1000, 'x');
  constexpr std::ptrdiff_t lines = 200;  // more than a pipe holds
  for (std::ptrdiff_t i = 0; i < lines; ++i) log(LogLevel::warning, "{}", text);
  const auto whole = std::ranges::count(errors.take(), '\n');
  REQUIRE(whole < lines);
  log(LogLevel::info, "and on");
  const std::string later = errors.text();
  CHECK(
      later.contains(fmt::format(" warning {} log lines lost: nobody read them\n", lines - whole)));
  CHECK(later.ends_with(" and on\n"));
}

TEST_CASE("A line is cut where it may no longer come whole") {
  CaughtErrors errors;
  log(LogLevel::info, "{}", std::string(5000, 'x'));
  const std::string text = errors.text();
  CHECK(text.size() == 4096);
  CHECK(text.ends_with("xx...\n"));
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
