// A decision, as a node tells it in JSON, as text for people. Main thread.
#pragma once

#include <string>
#include <string_view>

#include "json/json.hpp"

namespace fogctl::cli {

/// A signed length of seconds, for people: "+1.2ms", "-30us".
[[nodiscard]] std::string signed_length(double seconds);

/// Where the task went, or is to go, and why; then a table of the places, then what came of it.
[[nodiscard]] std::string decision_text(const json::Object& decision);

}  // namespace fogctl::cli
