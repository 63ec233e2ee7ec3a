// What the readers of json.hpp take and what they refuse.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "json/json.hpp"

namespace fogctl::json {
namespace {

TEST_CASE("A string is read with its escapes resolved") {
  struct Row {
    const char* value;
    std::string text;
  };
  const Row rows[] = {
      {R"("")", ""},
      {R"("plain")", "plain"},
      {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
      {R"("\u0041\u00e9\u20ac")", "A\xc3\xa9\xe2\x82\xac"},
      {R"("\uD83C\uDF2B fog")", "\xf0\x9f\x8c\xab fog"},
      {R"("\u0000")", std::string(1, '\0')},
      {R"("\ud800\udc00\udbff\udfff")", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
      {"\"\xc3\xa9\\n\"", "\xc3\xa9\n"},
      {R"("ends in \\")", "ends in \\"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    REQUIRE(check_value(row.value));
    CHECK(read_string(row.value) == row.text);
  }
}

TEST_CASE("A whole number is read as far as 64 bits go, and as nothing else") {
  CHECK(read_integer("0") == 0);
  CHECK(read_integer("-0") == 0);
  CHECK(read_integer("-12") == -12);
  CHECK(read_integer("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(read_integer("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  for (const char* value : {"9223372036854775808", "-9223372036854775809", "1180591620717411303424",
                            "1.0", "1e3", "\"1\"", "true", "null", "[1]", "{}"}) {
    CAPTURE(value);
    CHECK_FALSE(read_integer(value));
  }
}

TEST_CASE("A number is read as the double next to it, and only when it is finite") {
  CHECK(read_number("0.2") == 0.2);
  CHECK(read_number("1795412135.5189703") == 1795412135.5189703);
  CHECK(read_number("5") == 5.0);
  CHECK(read_number("1E5") == 1e5);
  CHECK(read_number("1e+5") == 1e5);
  CHECK(read_number("1.7976931348623157e308") == std::numeric_limits<double>::max());
  REQUIRE(read_number("-0"));
  CHECK(std::signbit(*read_number("-0")));
  for (const char* value : {"1e999", "-1e999", "1e400", "\"1\"", "true", "null", "[1]", "{}"}) {
    CAPTURE(value);
    CHECK_FALSE(read_number(value));
  }
}

TEST_CASE("A number too small for a double is as good as 0, as in Python") {
  CHECK(read_number("1e-400") == 0.0);
  CHECK(read_number("-1e-999") == 0.0);
  CHECK(read_number("4.9e-324") == std::numeric_limits<double>::denorm_min());
  CHECK(read_number("0." + std::string(400, '0') + "1") == 0.0);
}

TEST_CASE("A boolean is true or false and nothing like it") {
  CHECK(read_bool("true") == true);
  CHECK(read_bool("false") == false);
  for (const char* value : {"1", "0", "\"true\"", "null", "[]"}) {
    CAPTURE(value);
    CHECK_FALSE(read_bool(value));
  }
}

TEST_CASE("An array is read when all its items are of the kind asked for") {
  using Strings = std::vector<std::string>;
  using Numbers = std::vector<double>;
  CHECK(read_strings("[]") == Strings{});
  CHECK(read_strings("[ ]") == Strings{});
  CHECK(read_strings(R"([ "a" , "b,]\"" ,"" ])") == Strings{"a", "b,]\"", ""});
  CHECK(read_numbers("[1, -2.5,3e2]") == Numbers{1, -2.5, 300});
  for (const char* value :
       {R"(["a",1])", R"(["a",["b"]])", R"("a")", "1", "{}", "null", "[null]"}) {
    CAPTURE(value);
    CHECK_FALSE(read_strings(value));
  }
  for (const char* value :
       {R"([1,"2"])", "[1,[2]]", "[1e999]", "1", "[true]", "[{}]", "[1,null]"}) {
    CAPTURE(value);
    CHECK_FALSE(read_numbers(value));
  }
}

TEST_CASE("A value's kind has a name for messages") {
  CHECK(kind_of("\"a\"") == "a string");
  CHECK(kind_of("{}") == "an object");
  CHECK(kind_of("[]") == "an array");
  CHECK(kind_of("true") == "a boolean");
  CHECK(kind_of("false") == "a boolean");
  CHECK(kind_of("null") == "null");
  CHECK(kind_of("-1") == "a number");
}

}  // namespace
}  // namespace fogctl::json
