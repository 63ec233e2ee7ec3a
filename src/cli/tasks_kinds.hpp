// fogctl tasks kinds: which tasks can be run in the mesh of a running node, and where. Main thread.
#pragma once

#include "cli/node_address.hpp"

namespace fogctl::cli {

[[nodiscard]] CommandResult run_tasks_kinds(const NodeAddressFlags& node, bool json);

}  // namespace fogctl::cli
