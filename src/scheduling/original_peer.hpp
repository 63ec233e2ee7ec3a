// What may be handed to a peer of the original system (protocol.md part 2). Pure.
#pragma once

#include "task/task.hpp"

namespace fogctl {

/// It runs light, medium and heavy and answers nothing for any other; it loses an object that is
/// longer than what it reads at once.
[[nodiscard]] bool original_peer_takes(const Task& task);

/// Bytes of the task's message at most, once every byte that needs it is escaped.
[[nodiscard]] std::size_t largest_message(const Task& task);

}  // namespace fogctl
