// Tasks and results as bytes, for a store: a version byte, fixed-width little-endian numbers, and
// strings with their length before them. What is read back is checked at every step, since a
// store may hand out anything. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "queue/task_queue.hpp"
#include "task/task.hpp"

namespace fogctl {

/// Appends the task's record to `out`.
void append_record(std::string& out, const Task& task);
void append_record(std::string& out, const TaskResult& result);

/// How many bytes append_record adds.
[[nodiscard]] std::size_t record_size(const Task& task);
[[nodiscard]] std::size_t record_size(const TaskResult& result);

/// Error: invalid, when the bytes are not one whole record of this version.
[[nodiscard]] Result<TaskPtr> read_task(std::string_view record);
[[nodiscard]] Result<TaskResult> read_result(std::string_view record);

/// How far a task is, `reply_to` apart. Error: invalid, likewise.
[[nodiscard]] std::string progress_record(const TaskProgress& progress);
[[nodiscard]] Result<TaskProgress> read_progress(std::string_view record);

/// A number for what a uid stands for, equal on every machine: tells a task that is sent again
/// from another one under the same uid. Not proof against a sender that seeks collisions.
[[nodiscard]] std::uint64_t content_digest(const Task& task);

/// The eight little-endian bytes of a number; 0 when there are fewer to read.
void append_fixed(std::string& out, std::uint64_t number);
[[nodiscard]] std::uint64_t read_fixed(std::string_view bytes);

}  // namespace fogctl
