// Decisions as JSON, for people: every place that was thought of, what the policy held of it, and
// what came of the decision. Pure; any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduling/scheduler.hpp"

namespace fogctl {

/// What the places are called.
struct DecisionNames {
  std::string_view policy;
  std::string_view shadow;  // the policy that decides beside it; empty: none
  std::string_view here;    // this node's name
  std::string_view cloud;   // its name, or address
  std::function<const NeighbourIdentity*(PeerId link)> who_is;  // null: not known any more
};

/// One decision as a JSON object's members; times in seconds, null where nothing is known.
[[nodiscard]] std::string decision_members(const DecisionView& view, const DecisionNames& names,
                                           Instant now);

/// All about one task, likewise: `task_uid`, and `decisions`, the oldest first.
[[nodiscard]] std::string explanation_members(std::string_view uid,
                                              const std::vector<DecisionView>& views,
                                              const DecisionNames& names, Instant now);

}  // namespace fogctl
