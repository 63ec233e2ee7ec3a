// Lets a map with std::string keys be searched by a std::string_view. Any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace fogctl {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

}  // namespace fogctl
