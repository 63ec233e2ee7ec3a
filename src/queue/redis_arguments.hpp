// The arguments of one Redis command, written once, in the protocol's bytes. Large batches are
// built in place: no copy between a task's record and the socket. Belongs to one thread.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fogctl {

inline void append_redis_number(std::string& out, char tag, std::size_t number) {
  std::array<char, 24> digits{};
  digits[0] = tag;
  char* end = std::to_chars(digits.data() + 1, digits.data() + 21, number).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(digits.data(), end);
}

inline void append_redis_text(std::string& out, std::string_view text) {
  append_redis_number(out, '$', text.size());
  out += text;
  out += "\r\n";
}

class RedisArguments {
 public:
  explicit RedisArguments(std::size_t expected_bytes = 256) { bytes_.reserve(expected_bytes); }

  void add(std::string_view text) {
    append_redis_text(bytes_, text);
    ++count_;
  }
  void add_number(std::int64_t number) {
    std::array<char, 24> digits{};
    const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    add(std::string_view(digits.data(), end));
  }
  /// An argument of exactly `size` bytes, which the caller appends to what this returns; then
  /// close() it.
  [[nodiscard]] std::string& open(std::size_t size) {
    append_redis_number(bytes_, '$', size);
    return bytes_;
  }
  void close() {
    bytes_ += "\r\n";
    ++count_;
  }

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t count_ = 0;
};

}  // namespace fogctl
