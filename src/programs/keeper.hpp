// The keeper's side of child.hpp: the process that runs programs, one at a time, as its fogctl
// orders over a socket, and lets nothing that they started outlive them, or fogctl.
#pragma once

#include <optional>

namespace fogctl {

/// The argument by which fogctl starts itself as a keeper; the socket is then keeper_socket, and a
/// control group may follow.
inline constexpr const char* keeper_name = "task-keeper";  // pkill fogctl is to spare it
inline constexpr const char* keeper_argument = "keeper-of-programs";
inline constexpr int keeper_socket = 3;

/// To be called first in main: where the arguments are a keeper's, keeps until fogctl is gone, and
/// returns the exit code. None: this is another kind of process.
[[nodiscard]] std::optional<int> run_if_keeper(int argc, const char* const* argv);

}  // namespace fogctl
