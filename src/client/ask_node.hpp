// One question to a node and its answer. Blocks the calling thread, at most for the budget.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "net/address.hpp"
#include "wire/messages.hpp"

namespace fogctl {

/// Connects, sends `question` (one object), and reads until an answer of the kind `is_answer`, or
/// an error message, comes. Error: unavailable or timed_out; invalid: the node does not
/// understand; not_found: it does not know what is asked about.
[[nodiscard]] Result<wire::Message> ask_node(const HostPort& node, std::string_view question,
                                             bool (*is_answer)(const wire::Message& message),
                                             Duration budget);

}  // namespace fogctl
