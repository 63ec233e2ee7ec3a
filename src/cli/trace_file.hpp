// A trace that nodes recorded (fogctl-trace(5)), read to be simulated again. Main thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "sim/scenario.hpp"

namespace fogctl::cli {

struct RecordedTrace {
  std::vector<sim::TracedTask> tasks;  // by arrival; each where it came first
  std::vector<std::string> nodes;      // that tasks came to: their numbers in `tasks`
  std::size_t fog_nodes = 0;           // these, and others that wrote into the file
  std::uint32_t workers = 0;           // of each: the most that one of them had; 0: not said
  Duration sharing_interval{};         // of the first that said; 0: not said
  std::size_t guessed = 0;   // tasks that did not run to their end: they take their name's mean
  std::size_t left_out = 0;  // ... of whose name and class none did
};

/// Error: failed, it cannot be read; invalid, with file, line and what is wrong there.
[[nodiscard]] Result<RecordedTrace> read_trace(const std::string& path);

}  // namespace fogctl::cli
