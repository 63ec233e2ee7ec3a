#include "client/content.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace fogctl {
namespace {

TEST_CASE("Text that is JSON is sent as it is, other text as a string") {
  struct Case {
    std::string_view text;
    std::string_view content;
  };
  const Case cases[] = {
      {"1", "1"},
      {" 1.50 \n", "1.50"},
      {"-1e3", "-1e3"},
      {"null", "null"},
      {"[1, 2]", "[1, 2]"},
      {"{\n\"a\": \"}\"\r\n}", "{ \"a\": \"}\"  }"},
      {"\"quoted\"", "\"quoted\""},
      {"hello", "\"hello\""},
      {"", "\"\""},
      {"  ", "\"  \""},
      {"two words\n", "\"two words\\n\""},
      {"say \"hi\" \\", "\"say \\\"hi\\\" \\\\\""},
      {"{broken", "\"\\u007bbroken\""},
      {"01", "\"01\""},
      {"1 2", "\"1 2\""},
      {"caf\u00e9", "\"caf\\u00e9\""},
      {std::string_view("a\0b", 3), "\"a\\u0000b\""},
  };
  for (const Case& row : cases) {
    CAPTURE(row.text);
    const auto content = content_from_text(row.text);
    REQUIRE(content);
    CHECK(*content == row.content);
  }
}

TEST_CASE("Of a file what is no text, or all if it is to be, is sent as a base64 string") {
  CHECK(content_from_bytes("[1, 2]\n", false) == "[1, 2]");
  CHECK(content_from_bytes("hello", false) == "\"hello\"");
  CHECK(content_from_bytes("\xff\xd8\xff", false) == "\"/9j/\"");
  CHECK(content_from_bytes("[1]", true) == "\"WzFd\"");
  CHECK(content_from_bytes("", true) == "\"\"");
  CHECK_FALSE(content_from_bytes("\"\\ud800\"", false).has_value());
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST_CASE("JSON that no message can carry is refused, and not sent as a string") {
  struct Case {
    const char* name;
    std::string text;
    const char* message;
  };
  const Case cases[] = {
      {"one level too deep", nested(32), "nested deeper than 31"},
      {"much too deep", " " + nested(999) + "\n", "nested deeper than 31"},
      {"deeper than is looked", nested(100'000), "nested deeper than 31"},
      {"too deep in a member", "{\"a\":" + nested(31) + "}", "field 'a': nested deeper than 31"},
      {"half of a surrogate pair", R"("\ud800")", "lone surrogate \\ud800 (byte 1)"},
      {"too deep, and half of a pair in it",
       std::string(32, '[') + R"("\ud800")" + std::string(32, ']'), "nested deeper than 31"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.name);
    const auto content = content_from_text(row.text);
    REQUIRE_FALSE(content);
    CHECK(content.error().code == ErrorCode::invalid);
    CHECK(content.error().message == row.message);
  }
  CHECK(content_from_text(nested(31)) == nested(31));
  CHECK(content_from_text(std::string(40, '[')) == '"' + std::string(40, '[') + '"');
  CHECK(content_from_text(nested(40) + "x") == '"' + nested(40) + "x\"");
  CHECK(content_from_text(R"(\ud800)") == R"("\\ud800")");
}

TEST_CASE("Text that is not UTF-8 is refused") {
  for (const char* text : {"\xff", "caf\xe9", "\xed\xa0\x80"}) {
    const auto content = content_from_text(text);
    REQUIRE_FALSE(content);
    CHECK(content.error().code == ErrorCode::invalid);
  }
}

TEST_CASE("A CSV file is read as RFC 4180 says") {
  struct Case {
    const char* name;
    std::string_view text;
    CsvRows rows;
  };
  const Case cases[] = {
      {"nothing", "", {}},
      {"one line without an end", "a,b", {{"a", "b"}}},
      {"lines that end with LF", "a,b\nc,d\n", {{"a", "b"}, {"c", "d"}}},
      {"lines that end with CRLF", "a,b\r\nc,d\r\n", {{"a", "b"}, {"c", "d"}}},
      {"empty fields", ",\n\"\",x,\n", {{"", ""}, {"", "x", ""}}},
      {"a comma at the very end", "a,", {{"a", ""}}},
      {"empty lines", "\na\n\r\n\nb\n", {{"a"}, {"b"}}},
      {"spaces are part of a field", " a , b ", {{" a ", " b "}}},
      {"quoted commas and line breaks", "\"a,b\",\"c\r\nd\"\ne", {{"a,b", "c\r\nd"}, {"e"}}},
      {"doubled quotes", "\"say \"\"hi\"\"\",\"\"\"\"", {{"say \"hi\"", "\""}}},
      {"a quote inside a field is itself", "5\" pipe,x", {{"5\" pipe", "x"}}},
      {"a quoted field before CRLF", "\"a\"\r\n\"b\"", {{"a"}, {"b"}}},
      {"a byte-order mark",
       "\xEF\xBB\xBF"
       "a,b",
       {{"a", "b"}}},
      {"a lone carriage return is text", "a\rb\n", {{"a\rb"}}},
  };
  for (const Case& row : cases) {
    CAPTURE(row.name);
    const auto rows = parse_csv(row.text);
    REQUIRE(rows);
    CHECK(*rows == row.rows);
  }
}

TEST_CASE("A broken CSV file is refused with the line") {
  struct Case {
    std::string_view text;
    std::string_view message;
  };
  const Case cases[] = {
      {"a\n\"b", "line 2: a quote is opened and never closed"},
      {"\"", "line 1: a quote is opened and never closed"},
      {"\"a\nb\"\n\"c\"d\n", "line 3: text behind the quote that closes a field"},
      {"\"a\" ,b", "line 1: text behind the quote that closes a field"},
  };
  for (const Case& row : cases) {
    const auto rows = parse_csv(row.text);
    REQUIRE_FALSE(rows);
    CHECK(rows.error().message == row.message);
  }
}

TEST_CASE("A column is named behind the last colon") {
  struct Case {
    std::string_view text;
    std::string_view file;
    CsvColumn column;
  };
  const Case cases[] = {
      {"a.csv", "a.csv", std::size_t{1}},
      {"a.csv:3", "a.csv", std::size_t{3}},
      {"a.csv:price", "a.csv", std::string("price")},
      {"a.csv:unit price", "a.csv", std::string("unit price")},
      {"a:b.csv:2", "a:b.csv", std::size_t{2}},
      {"-", "-", std::size_t{1}},
  };
  for (const Case& row : cases) {
    CAPTURE(row.text);
    const auto source = parse_csv_source(row.text);
    REQUIRE(source);
    CHECK(source->file == row.file);
    CHECK(source->column == row.column);
  }
  for (const char* wrong : {"", ":2", "a.csv:", "a.csv:0", "a.csv:99999999999999999999"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_csv_source(wrong));
  }
}

TEST_CASE("A column by number has no header, one by name has") {
  const std::string_view text = "name,value\nx,1\ny,\"a,b\"\n";
  CHECK(contents_from_csv(text, std::size_t{2}) ==
        std::vector<std::string>{"\"value\"", "1", "\"a,b\""});
  CHECK(contents_from_csv(text, "value") == std::vector<std::string>{"1", "\"a,b\""});
}

TEST_CASE("What a CSV file lacks is named") {
  struct Case {
    const char* name;
    std::string_view text;
    CsvColumn column;
    std::string_view message;
  };
  const Case cases[] = {
      {"no rows", "\n", std::size_t{1}, "no rows"},
      {"only a header", "a,b\n", "b", "no rows below its header"},
      {"no such column", "a,b\n1,2\n", "c", "no column 'c'; its first row has: a, b"},
      {"a short row", "1,2\n3\n", std::size_t{2}, "row 2 has 1 column, not 2"},
      {"not UTF-8", "a\n1\n\xff\n", "a", "row 3: not UTF-8 text"},
      {"a broken quote", "a\n\"1\n", "a", "line 2: a quote is opened and never closed"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.name);
    const auto contents = contents_from_csv(row.text, row.column);
    REQUIRE_FALSE(contents);
    CHECK(contents.error().message == row.message);
  }
}

}  // namespace
}  // namespace fogctl
