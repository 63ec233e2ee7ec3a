// Runs a program from its start to its end: writes its input, reads its output, and sees to it that
// it ends in time. Whatever the program reads, writes or closes, or not, nothing waits for ever.
// Any thread, which waits.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "programs/child.hpp"

namespace fogctl {

struct ProgramRules {
  std::string_view input;  // all that it gets to read
  Duration timeout = Duration::max();
  Duration kill_after{};         // from SIGTERM to SIGKILL
  std::uint64_t max_output = 0;  // bytes of stdout; 0: no bound
  std::stop_token stop;
};

/// Why a run was ended, if it was.
enum class Cut : std::uint8_t { none, timed_out, stopped, output };

struct ProgramRun {
  ChildExit exit;
  Cut cut = Cut::none;
  std::string output;  // at most max_output
  std::string errors;  // the last of stderr, at most 4 KiB
};

/// Error: failed, saying why it could not be started. Throws std::system_error where there is no
/// descriptor left to hear of a stop by.
[[nodiscard]] Result<ProgramRun> run_program(Keepers& keepers, const ChildSpec& spec,
                                             const ProgramRules& rules);

}  // namespace fogctl
