#include "base/hide_controls.hpp"

#include <cstddef>

namespace fogctl {

std::string hide_controls(std::string text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i, ++size) {
    const bool is_ascii_control = byte(i) < 0x20 || byte(i) == 0x7F;
    const bool is_longer = byte(i) == 0xC2 && i + 1 < text.size();
    const bool is_late_control = is_longer && byte(i + 1) >= 0x80 && byte(i + 1) < 0xA0;
    text[size] = is_ascii_control || is_late_control ? '?' : text[i];
    if (is_late_control) ++i;
  }
  text.resize(size);
  return text;
}

}  // namespace fogctl
