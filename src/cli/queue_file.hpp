// The queue of --queue-backend file: how it is opened, and what to do where it cannot be. Main
// thread.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cli/command.hpp"
#include "cli/node_flags.hpp"
#include "queue/task_queue.hpp"

namespace fogctl::cli {

/// --queue-file, or its default.
[[nodiscard]] std::string queue_file_of(const NodeFlags& flags);

[[nodiscard]] std::expected<std::unique_ptr<TaskQueue>, CommandFailure> open_file_queue(
    const NodeFlags& flags, const std::string& holder, const Clock& clock);

/// Why the queue in this file cannot be served, and what to do.
[[nodiscard]] CommandFailure queue_file_failure(const std::string& path, const Error& error);

}  // namespace fogctl::cli
