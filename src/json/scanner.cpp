#include "json/scanner.hpp"

#include "json/plain_text.hpp"

namespace fogctl::json {

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
