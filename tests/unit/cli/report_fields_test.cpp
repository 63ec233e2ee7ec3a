#include "cli/report_fields.hpp"

#include <doctest/doctest.h>

namespace fogctl::cli {
namespace {

json::Object parsed(std::string_view text) {
  json::Object object;
  REQUIRE(object.parse(text).has_value());
  return object;
}

TEST_CASE("A report's fields are read, and what is missing or of another kind stands as nothing") {
  const json::Object report =
      parsed(R"({"name":"a","wait":0.25,"tasks":3,"ready":true,"cloud":null,"sub":{"x":1}})");
  CHECK(text_of(report, "name") == "a");
  CHECK(number_of(report, "wait") == 0.25);
  CHECK(length_of(report, "wait") == "250ms");
  CHECK(count_of(report, "tasks") == 3);
  CHECK(flag_of(report, "ready"));
  CHECK(count_of(*object_of(report, "sub"), "x") == 1);
  for (const char* other : {"none", "cloud", "name", "sub"}) {
    CAPTURE(other);
    CHECK_FALSE(number_of(report, other).has_value());
    CHECK(length_of(report, other, "?") == "?");
    CHECK(count_of(report, other) == 0);
    CHECK_FALSE(flag_of(report, other));
    CHECK(objects_of(report, other).empty());
  }
  CHECK(text_of(report, "wait", "none") == "none");
  CHECK_FALSE(object_of(report, "cloud").has_value());
  CHECK(count_of(parsed(R"({"tasks":-1})"), "tasks") == 0);
}

TEST_CASE("What a terminal would obey in a report is not passed on") {
  CHECK(text_of(parsed(R"({"name":"a\u001b[2J\u007f\né"})"), "name") == "a?[2J??é");
  const std::vector<std::string> wanted = {"a?", "b"};
  CHECK(texts_of(parsed(R"({"names":["a\u001b","b"]})"), "names") == wanted);
}

TEST_CASE("A report's objects are read in order, their names decoded, others left out") {
  const json::Object report =
      parsed(R"({"all":[{"\u006e":1},7,{"\u006e":2},null,{"n":3},{"\u006e":4}]})");
  std::uint64_t next = 1;
  for (const json::Object& one : objects_of(report, "all")) CHECK(count_of(one, "n") == next++);
  CHECK(next == 5);
}

}  // namespace
}  // namespace fogctl::cli
