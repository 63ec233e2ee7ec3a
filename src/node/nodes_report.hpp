// What a node says of itself and the neighbours that it knows, as a JSON object's members. Pure;
// any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduling/decision_log.hpp"
#include "scheduling/neighbours.hpp"
#include "scheduling/predictions.hpp"
#include "wire/messages.hpp"

namespace fogctl {

struct NodesReportInput {
  struct Cloud {
    std::string address;
    Duration link_delay{};
    bool is_original = false;
  };
  struct Known {
    const Neighbour* neighbour = nullptr;
    std::string address;  // HOST:PORT
  };
  wire::NodeIdentity self;
  NodeState state;
  bool is_ready = true;  // else workers do not get the tasks that wait, or the queue is broken
  std::optional<Cloud> cloud;
  std::vector<Known> neighbours;
  std::size_t dropped_results = 0;  // that came late, or twice
  const Predictions* predictions = nullptr;
  std::string_view shadow = {};  // the policy's name; empty: there is none
  ShadowCounts shadow_counts = {};
};

/// Times in seconds; null where a node takes no task, or nothing is known yet.
[[nodiscard]] std::string nodes_report(const NodesReportInput& input, Instant now);

}  // namespace fogctl
