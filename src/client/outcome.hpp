// What became of one task, and how a client tells it. Plain values and text. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "client/statistics.hpp"
#include "task/task.hpp"

namespace fogctl {

struct Outcome {
  enum class Kind {
    done,
    failed,  // its result holds an error
    lost,    // no answer in time, or the connection ended
  };
  std::uint64_t id = 0;
  std::size_t stream = 0;  // which of the client's task names
  Kind kind = Kind::lost;
  std::optional<TaskClass> weight;  // as the result has it
  // Of a task that is done:
  std::string content;     // JSON text
  bool is_base64 = false;  // ... a string that stands for bytes
  std::string node;        // who ran it, where that is known
  Duration response{};
  Duration execution{};
  RanAt site = RanAt::local;
  // Of one that failed:
  TaskError error;
  // Of one that is lost because the user interrupted the client, else empty:
  std::string interrupted_uid;
};

/// "ran locally on fog-1: execution 81ms, waiting 1.2ms, response 82.2ms, in time (requirement
/// 2s)"; "task 'x' failed: unknown_task: …"; "task 'x' is lost: no answer"; "task 'x' was
/// interrupted, …". Control characters that a node sent are hidden.
[[nodiscard]] std::string outcome_text(const Outcome& outcome, std::string_view name,
                                       Duration requirement);

/// One JSON object on one line: `status`, then `content`, `content_encoding`, `process_by`, `node`,
/// `response_s`, `waiting_s`, `execution_s`, `in_time`, or `error`, or the `task_uid` of one that
/// was interrupted. Where the content went to a file, `output` is there in its place.
[[nodiscard]] std::string outcome_json(const Outcome& outcome, Duration requirement,
                                       std::string_view output = "");

/// What a file gets of a result: the bytes that a base64 string stands for, else the JSON and a
/// line feed. Error: invalid, where it is not base64 although the node says so.
[[nodiscard]] Result<std::string> content_bytes(const Outcome& outcome);

/// The content on one line; null for a task that has none.
[[nodiscard]] std::string content_line(const Outcome& outcome);

/// For a line that is redrawn: "sent 1200, done 1180, failed 0, lost 0, in flight 20, in
/// time 98.3%".
[[nodiscard]] std::string progress_text(const Statistics& so_far);

}  // namespace fogctl
