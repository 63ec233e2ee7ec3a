// What somebody who writes down what a node does wants to hear from its Scheduler, at once. Called
// by the Scheduler's thread, and must not call it.
#pragma once

#include <string_view>

#include "scheduling/decision_log.hpp"
#include "scheduling/neighbours.hpp"

namespace fogctl {

class DecisionWatch {
 public:
  virtual ~DecisionWatch() = default;
  /// A task came that this node does not know yet.
  virtual void on_arrival(const Task& task, Instant now) = 0;
  /// `to`: the neighbour that was chosen; null: none was.
  virtual void on_placed(const Decision& decision, const NeighbourIdentity* to) = 0;
  /// It is answered, whatever came of it.
  virtual void on_ended(const TaskResult& result, const TaskEnding& ending, Instant now) = 0;
};

}  // namespace fogctl
