// A task that is a program, as its task file describes it. Plain values, any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "task/task.hpp"

namespace fogctl {

enum class RunMode : std::uint8_t {
  once,    // a process for each task
  stream,  // kept processes: a line in, a line out
};
enum class InputKind : std::uint8_t { json, raw, base64 };
enum class OutputKind : std::uint8_t { json, text, base64 };

/// What a run may use; 0: no bound of its own.
struct RunLimits {
  std::uint64_t memory = 0;  // bytes
  std::uint64_t processes = 0;
  std::uint64_t open_files = 0;
  Duration cpu_time{};                                // CPU seconds, not the time that passes
  std::uint64_t max_output = std::uint64_t{1} << 20;  // bytes of stdout, or of a stream's line

  bool operator==(const RunLimits&) const = default;
};

struct TaskSpec {
  std::string name;
  TaskClass weight = TaskClass::light;
  std::vector<std::string> command;  // at least the program
  RunMode mode = RunMode::once;
  InputKind input = InputKind::json;
  OutputKind output = OutputKind::json;
  Duration timeout = std::chrono::seconds(60);
  Duration kill_after = std::chrono::seconds(1);  // from SIGTERM to SIGKILL
  RunLimits limits;
  int max_attempts = 0;               // 0: as many as the node allows
  std::vector<int> retry_exit_codes;  // any other but 0 fails for good
  int concurrency = 0;                // runs at a time; 0: as many as there are workers
  std::map<std::string, std::string> env;
  std::string workdir;  // empty: the node's own
  std::string user;     // empty: the node's own
  bool sandbox = false;
  bool exclusive = false;  // must never run twice at once: no copies
  // Of a stream's processes:
  Duration idle = std::chrono::seconds(60);  // ended after so long without a task
  std::uint64_t max_tasks = 0;               // replaced after so many; 0: never

  bool operator==(const TaskSpec&) const = default;
};

}  // namespace fogctl
