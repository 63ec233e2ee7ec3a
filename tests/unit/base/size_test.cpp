#include "base/size.hpp"

#include <doctest/doctest.h>

namespace fogctl {
namespace {

TEST_CASE("a size is a number of bytes, or of a unit of 1024 times the one before") {
  struct Written {
    const char* text;
    std::uint64_t bytes;
  };
  const Written cases[] = {{"0", 0},           {"4096", 4096},      {"1B", 1},
                           {"64KiB", 65536},   {"1.5MiB", 1572864}, {"4MiB", 4194304},
                           {"2GiB", 1U << 31}, {"1TiB", 1ULL << 40}};
  for (const Written& test : cases) {
    CAPTURE(test.text);
    const auto bytes = parse_size(test.text);
    REQUIRE(bytes.has_value());
    CHECK(*bytes == test.bytes);
  }
}

TEST_CASE("what is no size is refused by its name") {
  for (const char* text : {"", "MiB", "-1", "4MB", "4 MiB", "0.3B", "inf", "nan", "1e30", "12x"}) {
    CAPTURE(text);
    const auto bytes = parse_size(text);
    REQUIRE(!bytes.has_value());
    CHECK(bytes.error().message.starts_with("'" + std::string(text) + "' is not a size"));
  }
}

TEST_CASE("a size is told in the largest unit that it fills") {
  CHECK(format_size(0) == "0B");
  CHECK(format_size(1023) == "1023B");
  CHECK(format_size(1536) == "1.5KiB");
  CHECK(format_size(std::uint64_t{256} << 20) == "256MiB");
}

}  // namespace
}  // namespace fogctl
