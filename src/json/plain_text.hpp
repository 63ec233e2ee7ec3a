// Which bytes of a JSON text mean something, and how to get to the next of them fast. A part of
// json/ alone. Any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace fogctl::json {

/// White space between values.
[[nodiscard]] constexpr bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// Eight bytes at a time. Where some byte is `c`, the lowest bit set in the answer is that of the
/// first of them (H. S. Warren, Hacker's Delight, 6-1).
[[nodiscard]] constexpr std::uint64_t find_byte(std::uint64_t bytes, char c) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  const std::uint64_t rest = bytes ^ (ones * static_cast<unsigned char>(c));
  return (rest - ones) & ~rest & (ones << 7);
}

/// Position of the first quote or backslash at or after `from`, or the end.
[[nodiscard]] inline std::size_t end_of_plain_text(std::string_view text, std::size_t from) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t bytes = 0;
  for (; from + sizeof bytes <= text.size(); from += sizeof bytes) {
    std::memcpy(&bytes, text.data() + from, sizeof bytes);
    const std::uint64_t found = find_byte(bytes, '"') | find_byte(bytes, '\\');
    if (found != 0) return from + static_cast<std::size_t>(std::countr_zero(found)) / 8;
  }
  while (from < text.size() && text[from] != '"' && text[from] != '\\') ++from;
  return from;
}

}  // namespace fogctl::json
