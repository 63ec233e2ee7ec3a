// How the world's numbers are written where production has text: a task's number as its uid, a
// link's task id, the endpoints' peer. All fit a string that does not allocate. Any thread.
#pragma once

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "scheduling/actions.hpp"

namespace fogctl::sim {

/// A node's endpoints, as its Scheduler knows them; links have smaller numbers.
inline constexpr PeerId endpoints = nobody - 1;
inline constexpr std::string_view cloud_name = "cloud";

inline std::string uid_of(std::uint32_t task) {
  return fmt::format_int(task).str();
}

inline std::uint32_t number_of(std::string_view uid) {
  std::uint32_t number = 0;
  std::from_chars(uid.data(), uid.data() + uid.size(), number);
  return number;
}

inline std::string text_of_id(std::int64_t id) {
  std::array<char, 16> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), id, 16).ptr;
  return {text.data(), end};
}

inline std::int64_t id_of_text(std::string_view text) {
  std::int64_t id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id, 16);
  return id;
}

}  // namespace fogctl::sim
