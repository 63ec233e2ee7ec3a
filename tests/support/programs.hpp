// Programs as tests of keepers run them.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "programs/run_program.hpp"
#include "programs/task_program.hpp"

namespace fogctl {

inline TaskSpec shell(const std::string& script) {
  TaskSpec spec;
  spec.command = {"sh", "-c", script};
  return spec;
}

inline ProgramRun run(const TaskSpec& spec, Duration timeout = std::chrono::seconds(20),
                      std::uint64_t max_output = 1 << 20) {
  ProgramRules rules;
  rules.timeout = timeout;
  rules.kill_after = std::chrono::milliseconds(200);
  rules.max_output = max_output;
  auto ended = run_program(*make_keepers(), program_of(spec), rules);
  REQUIRE(ended);
  return std::move(*ended);
}

}  // namespace fogctl
