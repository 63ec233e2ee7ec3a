// The vocabulary: what a task is, and what came of it. Plain values, no behaviour, any thread.
// Fields are protocol.md's; what passes through unread keeps the bytes it came with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace fogctl {

enum class TaskClass : std::uint8_t { light, medium, heavy };
inline constexpr std::size_t task_class_count = 3;
inline constexpr std::array<TaskClass, task_class_count> task_classes = {
    TaskClass::light, TaskClass::medium, TaskClass::heavy};

[[nodiscard]] constexpr std::size_t index_of(TaskClass weight) {
  return static_cast<std::size_t>(weight);
}
[[nodiscard]] std::string_view to_string(TaskClass weight);
[[nodiscard]] std::optional<TaskClass> parse_task_class(std::string_view name);

/// Task names, uids, node names and queue names: 1 to 64 of [A-Za-z0-9_.-].
[[nodiscard]] bool is_valid_name(std::string_view name);

/// A member of a JSON object that nobody here reads: kept to be passed on.
struct RawField {
  std::string name;   // decoded
  std::string value;  // JSON text
  bool operator==(const RawField&) const = default;
};

struct Task {
  std::string uid;          // globally unique; see is_valid_name
  bool uid_chosen = false;  // by the client: its result is kept, and it may send the task again
  std::string name;         // which handler runs it
  TaskClass weight = TaskClass::light;
  std::string content = "null";  // JSON text, as it came
  bool cloud_processing = false;
  Duration time_requirement = std::chrono::seconds(10000);  // the longest waiting time
  int max_offload = 4;
  int max_attempts = 0;             // runs that may begin; 0: as many as the node allows
  int attempts = 0;                 // runs that may have begun before it came to this node
  std::optional<Duration> expires;  // with `waited`: after it nothing more is tried; none: never
  bool exclusive = false;           // must not run twice: it is never copied
  bool is_copy = false;             // waits at the node that handed it on as well
  bool is_unreadable = false;       // its queue holds more of it, which is of another version
  int offload_times = 0;
  std::vector<std::string> offloading_fog;    // addresses of the nodes that handed it on
  std::vector<std::string> offloading_nodes;  // ... and their ids, of fogctl's
  Duration waited{};                          // before it came to this node

  // Numbers that travel on as JSON text, so that no digit changes.
  std::string time_requirement_text = "10000";
  std::string sending_time = "0";
  std::string distribution_time = "0";

  double estimated_queuing_time = 0;    // s, by the node that placed it
  double estimated_execution_time = 0;  // s, likewise
  std::string process_by = "f";
  std::vector<RawField> other_fields;  // unknown here
};

/// A task that was accepted never changes: every thread and container shares the one value.
using TaskPtr = std::shared_ptr<const Task>;

/// Latest instant at which the task still starts in time when it came at `arrival`; saturates.
[[nodiscard]] Instant start_by(const Task& task, Instant arrival);

/// From when on nothing more is tried for a task that came at `arrival`; none: never.
[[nodiscard]] std::optional<Instant> expiry(const Task& task, Instant arrival);

/// Why a task failed for good (protocol.md part 3).
enum class TaskErrorCode : std::uint8_t {
  unknown_task,
  invalid_task,
  task_failed,
  timed_out,
  expired,
  cancelled,
  overloaded,
  unavailable,
  unplaceable,
  unauthorized,
};
[[nodiscard]] std::string_view to_string(TaskErrorCode code);
[[nodiscard]] std::optional<TaskErrorCode> parse_task_error_code(std::string_view name);

struct TaskError {
  TaskErrorCode code = TaskErrorCode::task_failed;
  std::string message;
  std::optional<Duration> retry_after = {};  // it may be sent again after so long
  bool operator==(const TaskError&) const = default;
};

/// Why a task failed of which so many runs, 1 at least, began and none ended.
[[nodiscard]] std::string lost_runs(std::uint32_t runs);

struct TaskResult {
  std::string uid;
  std::string content = "null";  // JSON text
  bool is_base64 = false;        // the content is a string that stands for bytes
  std::optional<TaskError> error;
  Duration execution_time{};
  Duration queuing_time{};  // from this node's queue to a worker
  std::string node;         // name of the node that ran it
  bool operator==(const TaskResult&) const = default;
};

/// The task was not run, for a reason that may pass: the same task may be sent again.
[[nodiscard]] bool is_refused(const TaskResult& result);

/// What becomes of a task that was given up.
[[nodiscard]] TaskResult cancelled_result(const std::string& uid);

}  // namespace fogctl
