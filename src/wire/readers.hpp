// One reader for each message type; see parse_message(). A part of wire/ alone. Any thread.
#pragma once

#include "wire/messages.hpp"

namespace fogctl::wire {

[[nodiscard]] Result<Message> read_task(const json::Object& object);
[[nodiscard]] Result<Message> read_result(const json::Object& object);

}  // namespace fogctl::wire
