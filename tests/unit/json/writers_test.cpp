// What the writers of json.hpp write is pure ASCII on one line, and means what went in: a second
// JSON library reads it back.
#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "base/random.hpp"
#include "json/json.hpp"

namespace fogctl::json {
namespace {

bool is_one_ascii_line(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
}

std::string written_string(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

std::string plain(std::string_view value) {
  std::string out;
  append_plain(out, value);
  return out;
}

std::string written_number(double value) {
  std::string out;
  append_number(out, value);
  return out;
}

const std::string texts[] = {
    "",
    "plain",
    "\"quoted\" and \\ and /",
    "braces { } and more }{",
    "\b\f\n\r\t\x01\x1f\x7f",
    std::string("a null \0 byte", 13),
    "\xc3\xa9\xe2\x82\xac\xef\xbf\xbf",
    "\xf0\x9f\x8c\xab \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf",
    "\\u0041 is no escape here",
};

TEST_CASE("A string is written as ASCII and reads back the same") {
  for (const std::string& text : texts) {
    CAPTURE(text);
    const std::string written = written_string(text);
    CHECK(is_one_ascii_line(written));
    CHECK(written.find_first_of("{}") == std::string::npos);
    CHECK(boost::json::parse(written).as_string() == text);
    CHECK(read_string(written) == text);
  }
}

TEST_CASE("A string's escapes are those that the original's peers know") {
  CHECK(written_string("{}") == R"("\u007b\u007d")");
  CHECK(written_string("\xc3\xa9") == R"("\u00e9")");
  CHECK(written_string("\xf0\x9f\x8c\xab") == R"("\ud83c\udf2b")");
  CHECK(written_string("a\"\\\n\x1f") == R"("a\"\\\n\u001f")");
}

TEST_CASE("Every character that there is survives writing and reading") {
  std::string text;
  for (unsigned code = 1; code < 0x110000; code += code < 0x1000 ? 1 : 97) {
    if (code >= 0xD800 && code < 0xE000) continue;
    const auto put = [&](unsigned byte) { text.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xC0 | (code >> 6)), put(0x80 | (code & 63));
    } else if (code < 0x10000) {
      put(0xE0 | (code >> 12)), put(0x80 | ((code >> 6) & 63)), put(0x80 | (code & 63));
    } else {
      put(0xF0 | (code >> 18)), put(0x80 | ((code >> 12) & 63));
      put(0x80 | ((code >> 6) & 63)), put(0x80 | (code & 63));
    }
  }
  const std::string written = written_string(text);
  CHECK(is_one_ascii_line(written));
  CHECK((boost::json::parse(written).as_string() == text));
  CHECK((read_string(written) == text));
}

TEST_CASE("Bytes that are no UTF-8 become U+FFFD, one for each, and swallow nothing") {
  struct Row {
    const char* name;
    std::string bytes;
    const char* written;
  };
  const Row rows[] = {
      {"a byte that continues nothing", "\x80z", R"("\ufffdz")"},
      {"a character cut off by a quote", "\xc3\"", R"("\ufffd\"")"},
      {"a character cut off by the end", "a\xe2\x82", R"("a\ufffd\ufffd")"},
      {"overlong", "\xc0\xaf", R"("\ufffd\ufffd")"},
      {"overlong, three bytes", "\xe0\x80\xaf", R"("\ufffd\ufffd\ufffd")"},
      {"a surrogate", "\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")"},
      {"beyond U+10FFFF", "\xf4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},
      {"a byte that no character has", "\xff\xc3\xa9", R"("\ufffd\u00e9")"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(written_string(row.bytes) == row.written);
    CHECK(check_value(written_string(row.bytes)));
  }
}

TEST_CASE("Random bytes always give a string that is JSON") {
  Random random(5);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    for (std::uint64_t size = random.below(12); size > 0; --size) {
      bytes.push_back(static_cast<char>(random.below(256)));
    }
    const std::string written = written_string(bytes);
    CHECK(is_one_ascii_line(written));
    CHECK(check_value(written));
  }
}

TEST_CASE("A value that is plain already keeps its bytes") {
  for (const char* value : {"1", "1795412135.51897031", "-0.0", "1e999", "\"a \\u00e9 \\n\"",
                            "[1,  2,\t3]", "null", "\"\\u007b\"", "[]"}) {
    CAPTURE(value);
    CHECK(plain(value) == value);
  }
}

TEST_CASE("A value becomes ASCII and one line, and means the same") {
  struct Row {
    const char* value;
    const char* written;
  };
  const Row rows[] = {
      {"{\"a\":1}", "{\"a\":1}"},
      {"{\"a{\":\"}\"}", "{\"a\\u007b\":\"\\u007d\"}"},
      {"[\"\xc3\xa9\", {\"\xf0\x9f\x8c\xab\":{}}]", "[\"\\u00e9\", {\"\\ud83c\\udf2b\":{}}]"},
      {"{\"a\":\"\\\"}\\\\\",\"b\":\"{\"}", "{\"a\":\"\\\"\\u007d\\\\\",\"b\":\"\\u007b\"}"},
      {"[1,\n 2,\r\n\t3]", "[1,  2,  \t3]"},
      {"{\n  \"a\": \"x\\ny\"\n}", "{   \"a\": \"x\\ny\" }"},
      {"[1,\n2]", "[1, 2]"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    CHECK(plain(row.value) == row.written);
    CHECK(boost::json::parse(plain(row.value)) == boost::json::parse(row.value));
  }
}

TEST_CASE("Numbers read back the same, in the shortest digits") {
  for (const double value : {0.0, 0.1, 0.2, 1e-9, 5e-324, 1795412135.5189703, 1e22, -2.5,
                             std::numeric_limits<double>::max(), 1.0 / 3.0}) {
    CAPTURE(value);
    const std::string written = written_number(value);
    CHECK(read_number(written) == value);
    CHECK(check_value(written));
  }
  CHECK(written_number(0) == "0");
  CHECK(written_number(0.2) == "0.2");
  CHECK(written_number(3) == "3");
}

TEST_CASE("Random numbers and whole numbers read back the same") {
  Random random(11);
  for (int i = 0; i < 2000; ++i) {
    const double value =
        std::ldexp(random.unit() - 0.5, static_cast<int>(random.below(2000)) - 1000);
    CHECK(read_number(written_number(value)) == value);
    const auto whole = static_cast<std::int64_t>(random.next());
    std::string out;
    append_integer(out, whole);
    CHECK(read_integer(out) == whole);
  }
}

}  // namespace
}  // namespace fogctl::json
