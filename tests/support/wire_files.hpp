// The captured bytes of the original system's messages, one file of tests/support/wire each.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace fogctl::support {

/// Without the line break that an editor may have left at the end.
inline std::string wire_file(const std::string& name) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "wire" / (name + ".json");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path.string());
  std::string text{std::istreambuf_iterator<char>(file), {}};
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace fogctl::support
