#include "json/scanner.hpp"

namespace fogctl::json {
namespace {

/// Position of the first quote or backslash at or after `from`, or the end.
std::size_t end_of_plain_text(std::string_view bytes, std::size_t from) {
  while (from < bytes.size() && bytes[from] != '"' && bytes[from] != '\\') ++from;
  return from;
}

}  // namespace

ObjectScanner::Step ObjectScanner::next(std::string_view bytes) {
  std::size_t i = position_;
  while (i < bytes.size()) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
        ++i;
        continue;
      }
      i = end_of_plain_text(bytes, i);
      if (i == bytes.size()) break;
      if (bytes[i] == '"') in_string_ = false;
      if (bytes[i] == '\\') escaped_ = true;
      ++i;
      continue;
    }
    const char c = bytes[i];
    if (depth_ == 0 && c != '{') {
      if (!is_space(c)) return {Outcome::lost, i, i};
      ++i;
      continue;
    }
    if (c == '"') in_string_ = true;
    if (c == '{' && depth_++ == 0) begin_ = i;
    ++i;
    if (c == '}' && --depth_ == 0) {
      position_ = i;
      return {Outcome::object, begin_, i};
    }
  }
  position_ = i;
  return {Outcome::incomplete, depth_ == 0 ? i : begin_, i};
}

void ObjectScanner::discard(std::size_t count) {
  position_ -= count;
  begin_ = begin_ > count ? begin_ - count : 0;
}

}  // namespace fogctl::json
