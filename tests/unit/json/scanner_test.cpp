#include "json/scanner.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace fogctl::json {
namespace {

using Outcome = ObjectScanner::Outcome;

/// Reads a stream as a connection does: keeps an unfinished object, drops what is done with.
class Stream {
 public:
  void add(std::string_view bytes) {
    buffer_ += bytes;
    std::size_t done = 0;
    while (!is_lost) {
      const auto step = scanner_.next(buffer_);
      done = step.begin;
      if (step.outcome == Outcome::incomplete) break;
      is_lost = step.outcome == Outcome::lost;
      if (!is_lost) objects.push_back(buffer_.substr(step.begin, step.end - step.begin));
    }
    if (is_lost) return;
    buffer_.erase(0, done);
    scanner_.discard(done);
  }
  [[nodiscard]] std::size_t kept() const { return buffer_.size(); }

  std::vector<std::string> objects;
  bool is_lost = false;

 private:
  std::string buffer_;
  ObjectScanner scanner_;
};

const std::vector<std::string> objects = {
    R"({})",
    R"({"a":1})",
    R"({"a":"} { \" \\"})",
    R"({"a\"}":{"b":[{"c":"]}"},{}]}})",
    R"({"ends in a backslash":"\\"})",
    R"({"two quotes":"\"\"","u":"\u007b"})",
    "{\"utf-8\": \"\xc3\xa9\xf0\x9f\x8c\xab\", \"x\": {\n\t\"y\" : 1 }\r\n}",
    R"({not json, but [framed})",
};

std::string joined(std::string_view separator) {
  std::string all;
  for (const std::string& object : objects) all.append(object).append(separator);
  return all;
}

TEST_CASE("Objects come whole out of one buffer, whatever white space is between them") {
  for (const std::string separator : {"", "\n", " ", "\r\n\t "}) {
    CAPTURE(separator);
    Stream stream;
    stream.add(separator + joined(separator));
    CHECK(stream.objects == objects);
    CHECK(stream.kept() == 0);
  }
}

TEST_CASE("Objects come whole out of a stream that is cut in two at any byte") {
  const std::string all = joined("\n");
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    CAPTURE(cut);
    Stream stream;
    stream.add(all.substr(0, cut));
    stream.add(all.substr(cut));
    CHECK(stream.objects == objects);
    CHECK(stream.kept() == 0);
  }
}

TEST_CASE("Objects come whole out of a stream that comes in pieces of any size") {
  const std::string all = joined(" ");
  for (std::size_t size = 1; size < 40; ++size) {
    CAPTURE(size);
    Stream stream;
    for (std::size_t at = 0; at < all.size(); at += size) stream.add(all.substr(at, size));
    CHECK(stream.objects == objects);
  }
}

TEST_CASE("Bytes that are done with are not kept, and an unfinished object is") {
  Stream stream;
  stream.add("  \n {\"a\":1}  {\"b\":");
  CHECK(stream.objects.size() == 1);
  CHECK(stream.kept() == 5);
  stream.add("2}");
  CHECK(stream.kept() == 0);
  CHECK(stream.objects.back() == "{\"b\":2}");
}

TEST_CASE("Without discard the scanner goes on in a buffer that only grows") {
  ObjectScanner scanner;
  std::string buffer = "{\"a\":1}{\"b\"";
  auto step = scanner.next(buffer);
  REQUIRE(step.outcome == Outcome::object);
  CHECK(step.begin == 0);
  CHECK(step.end == 7);
  CHECK(scanner.next(buffer).outcome == Outcome::incomplete);
  buffer += ":\"}\"}";
  step = scanner.next(buffer);
  REQUIRE(step.outcome == Outcome::object);
  CHECK(buffer.substr(step.begin, step.end - step.begin) == "{\"b\":\"}\"}");
}

TEST_CASE("Bytes may also be taken away from in front of an unfinished object, a part at a time") {
  ObjectScanner scanner;
  CHECK(scanner.next("{} \n {\"a\"").end == 2);
  CHECK(scanner.next("{} \n {\"a\"").begin == 5);
  scanner.discard(3);
  auto step = scanner.next("\n {\"a\":");
  CHECK(step.begin == 2);
  scanner.discard(2);
  step = scanner.next("{\"a\":1}");
  CHECK(step.outcome == Outcome::object);
  CHECK(step.begin == 0);
  CHECK(step.end == 7);
}

TEST_CASE("An unfinished object says where it began, so that its size can be judged") {
  ObjectScanner scanner;
  const auto step = scanner.next("  {\"long\":\"");
  CHECK(step.outcome == Outcome::incomplete);
  CHECK(step.begin == 2);
  CHECK(step.end == 11);
}

TEST_CASE("Framing is lost by a byte that is neither white space nor the start of an object") {
  struct Row {
    const char* name;
    std::string bytes;
    std::size_t objects;  // before it is lost
    std::size_t at;       // the bad byte
  };
  const Row rows[] = {
      {"a word", "hello", 0, 0},
      {"an array", "[1]", 0, 0},
      {"a string", "\"{}\"", 0, 0},
      {"closing what was not opened", "}", 0, 0},
      {"one brace too many", "{}}", 1, 2},
      {"a comma between objects", "{},{}", 1, 2},
      {"a null byte", std::string("{}\0{}", 5), 1, 2},
      {"a byte order mark", "\xef\xbb\xbf{}", 0, 0},
      {"a form feed", " \f{}", 0, 1},
      {"a zero-width space", "{} \xe2\x80\x8b", 1, 3},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    ObjectScanner scanner;
    auto step = scanner.next(row.bytes);
    std::size_t found = 0;
    for (; step.outcome == Outcome::object; step = scanner.next(row.bytes)) ++found;
    CHECK(found == row.objects);
    CHECK(step.outcome == Outcome::lost);
    CHECK(step.begin == row.at);
    CHECK(scanner.next(row.bytes).outcome == Outcome::lost);
  }
}

TEST_CASE("An object that never ends is never whole") {
  for (const std::string bytes : {"{", "{\"a\":\"}}}", "{\"a\":\"\\\"}", "{{{}}", "{\"a\\"}) {
    CAPTURE(bytes);
    Stream stream;
    stream.add(bytes);
    CHECK(stream.objects.empty());
    CHECK_FALSE(stream.is_lost);
    CHECK(stream.kept() == bytes.size());
  }
}

}  // namespace
}  // namespace fogctl::json
