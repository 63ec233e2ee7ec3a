// Reads scenarios as people write them, in TOML (fogctl-simulate(1) describes it). Whatever is left
// out has its default; a key that is not known is an error. Pure; any thread.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "sim/scenario.hpp"

namespace fogctl::sim {

/// `path` is for errors, and its last part without ".toml" the scenario's name. Error: invalid,
/// with the line and what is to be there.
[[nodiscard]] Result<Scenario> read_scenario(std::string_view text, std::string_view path);

}  // namespace fogctl::sim
