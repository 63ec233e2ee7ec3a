// What a task's program is started with and given: from a TaskSpec, and from one task. Any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "programs/child.hpp"
#include "task/task.hpp"
#include "work/handlers.hpp"

namespace fogctl {

/// Where programs are looked up, unless a task's own PATH says otherwise.
inline constexpr std::string_view clean_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The program as it starts for every task: a clean environment (PATH, HOME, LANG=C.UTF-8) with the
/// spec's own, in a sandbox if it wants one. A user that does not exist shows when it is started.
[[nodiscard]] ChildSpec program_of(const TaskSpec& spec);

/// FOGCTL_TASK_UID, _NAME, _CLASS, _ATTEMPT, _DEADLINE_MS (what remains), and TRACEPARENT where the
/// task has such a member.
void add_task_environment(std::vector<std::string>& environment, const Task& task, const Run& run,
                          Duration remaining);

/// The bytes for stdin. Error: invalid_task, naming the field.
[[nodiscard]] std::expected<std::string, RunFailure> input_bytes(const Task& task, InputKind kind);

/// The result's content from the bytes of stdout. Error: task_failed for good, saying what is wrong
/// with them.
[[nodiscard]] HandlerOutcome output_content(std::string_view bytes, OutputKind kind);

/// "exit code 3", "SIGSEGV (segmentation fault)": how it ended, for people.
[[nodiscard]] std::string describe(const ChildExit& exit);

/// The last lines of stderr as one line of UTF-8, of at most `longest` bytes; empty where there is
/// none.
[[nodiscard]] std::string last_lines(std::string_view errors, std::size_t longest = 300);

}  // namespace fogctl
