// One code point at a time, to and from UTF-8. A part of json/ alone. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fogctl::json {

inline void append_utf8(std::string& out, unsigned code) {
  const auto put = [&](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

/// The code point at `at`, which begins with a byte from 0x80; moves `at` behind it. None, and one
/// byte further, where that is no UTF-8.
inline std::optional<unsigned> read_utf8(std::string_view text, std::size_t& at) {
  const unsigned lead = static_cast<unsigned char>(text[at]);
  const unsigned length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  unsigned code = lead & (0xFFU >> (length + 1));
  bool is_good = lead >= 0xC2 && lead <= 0xF4 && text.size() - at >= length;
  for (unsigned i = 1; is_good && i < length; ++i) {
    const unsigned byte = static_cast<unsigned char>(text[at + i]);
    is_good = (byte & 0xC0) == 0x80;
    code = (code << 6) | (byte & 0x3F);
  }
  const bool is_surrogate = code >= 0xD800 && code < 0xE000;
  const bool is_overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  is_good = is_good && !is_surrogate && !is_overlong && code < 0x110000;
  at += is_good ? length : 1;
  return is_good ? std::optional(code) : std::nullopt;
}

}  // namespace fogctl::json
