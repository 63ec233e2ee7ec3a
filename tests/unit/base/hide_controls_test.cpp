#include "base/hide_controls.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace fogctl {
namespace {

TEST_CASE("What a terminal would obey becomes question marks, and all else stays") {
  struct Row {
    const char* name;
    std::string text;
    std::string hidden;
  };
  const std::vector<Row> rows = {
      {"nothing", "", ""},
      {"plain text", "It's 20 % ~", "It's 20 % ~"},
      {"a colour", "\x1b[31mred", "?[31mred"},
      {"lines", "a\r\nb\tc", "a??b?c"},
      {"a zero and a delete", std::string("\0\x7f", 2), "??"},
      {"a control character beyond ASCII",
       "a\xc2\x9b"
       "31m",
       "a?31m"},
      {"letters beyond ASCII", "\xc3\x9b \xc2\xa0 \xe2\x82\xac", "\xc3\x9b \xc2\xa0 \xe2\x82\xac"},
      {"half a letter", "a\xc2", "a\xc2"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(hide_controls(row.text) == row.hidden);
  }
}

}  // namespace
}  // namespace fogctl
