// What a node or a queue says, read for people: the members of its JSON objects, and what stands
// where one is missing or of another kind. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"

namespace fogctl::cli {

/// Control characters, which a terminal would obey, become question marks.
[[nodiscard]] std::string text_of(const json::Object& object, std::string_view name,
                                  std::string_view none = "-");
/// Of an array of them; none where one is of another kind.
[[nodiscard]] std::vector<std::string> texts_of(const json::Object& object, std::string_view name);
[[nodiscard]] std::optional<double> number_of(const json::Object& object, std::string_view name);
/// At least 0.
[[nodiscard]] std::uint64_t count_of(const json::Object& object, std::string_view name);
/// A length in seconds, as people write it.
[[nodiscard]] std::string length_of(const json::Object& object, std::string_view name,
                                    std::string_view none = "-");
[[nodiscard]] bool flag_of(const json::Object& object, std::string_view name);

// Slices of the text that `object` was parsed from.
[[nodiscard]] std::optional<json::Object> object_of(const json::Object& object,
                                                    std::string_view name);
[[nodiscard]] std::vector<json::Object> objects_of(const json::Object& object,
                                                   std::string_view name);

}  // namespace fogctl::cli
