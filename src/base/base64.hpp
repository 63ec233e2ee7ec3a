// Bytes as base64 text: RFC 4648, section 4, padded. Pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fogctl {

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// None where the text is not base64: a foreign character, white space included, or a length or
/// padding that no bytes have.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace fogctl
