// The queue that a command for people looks at: one in Redis, or that of a running node, which is
// asked over the network. Main thread.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/node_flags.hpp"
#include "queue/desk.hpp"

namespace fogctl::cli {

struct QueueAccessFlags {
  QueueFlags queue;
  std::string node;  // --connect HOST:PORT; empty: the Redis
};
void add_queue_access_flags(CLI::App& command, QueueAccessFlags& flags);

/// Blocks, at most for some seconds. The answer, one JSON object after the other.
[[nodiscard]] std::expected<std::vector<std::string>, CommandFailure> ask_queue(
    const QueueAccessFlags& flags, const QueueRequest& request);

}  // namespace fogctl::cli
