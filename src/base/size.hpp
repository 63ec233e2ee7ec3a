// Sizes in bytes, as people write and read them. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace fogctl {

/// "4096", "64KiB", "1.5MiB", "2GiB": bytes. The error names the text.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);
/// For people, and for parse_size where it is a whole number of a unit: "4MiB", "1.5KiB", "17B".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace fogctl
