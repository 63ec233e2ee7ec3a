// What people are told of a decision: where the task was to go, and what became of the other
// places. Plain values. Any thread.
#pragma once

#include <optional>
#include <vector>

#include "placement/verdict.hpp"
#include "scheduling/actions.hpp"
#include "scheduling/decision_log.hpp"

namespace fogctl {

/// A place that was thought of, and what the policy held of it. None: nothing is known.
struct Considered {
  Site site = Site::here;
  PeerId link = 0;  // a neighbour's
  PlaceVerdict verdict = PlaceVerdict::chosen;
  std::optional<Duration> wait = {};        // before the task would start there, the way apart
  std::optional<Duration> link_delay = {};  // a round trip
  std::optional<Duration> run = {};         // what the task is expected to take there
  std::optional<Duration> age = {};         // since the node said how busy it is
  std::optional<Duration> headroom = {};    // see Policy
};
struct DecisionView {
  Decision decision;
  std::vector<Considered> places;
  bool is_refused = false;  // of a plan: no node in reach can run the task
};

}  // namespace fogctl
