// Text from the network, made fit for a terminal. Pure; any thread.
#pragma once

#include <string>

namespace fogctl {

/// Control characters, which a terminal would obey or break the line at, become question marks:
/// those of ASCII, and U+0080 to U+009F in UTF-8.
[[nodiscard]] std::string hide_controls(std::string text);

}  // namespace fogctl
