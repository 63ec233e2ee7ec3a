// Which of the words that are known was probably meant by one that is not. Any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fogctl {

/// The candidate that was probably meant: a few slips away, or begun by what was written; leading
/// dashes do not count. The first of several that are as near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view written,
                                                 std::span<const std::string> candidates);

/// "; did you mean 'X'?", or nothing: for the end of a message.
[[nodiscard]] std::string suggestion(std::string_view written,
                                     std::span<const std::string> candidates);

}  // namespace fogctl
