// The node's part about why tasks went where they went, and about writing down what happens.
#include <utility>

#include "node/decision_report.hpp"
#include "node/node.hpp"

namespace fogctl {

DecisionNames Node::decision_names() const {
  DecisionNames names;
  names.policy = options_.policy->name;
  if (options_.shadow) names.shadow = options_.shadow->name;
  names.here = options_.name;
  names.cloud = cloud_ && !cloud_->name().empty() ? std::string_view(cloud_->name()) : "cloud";
  names.who_is = [this](PeerId link) { return scheduler_.who_is(link); };
  return names;
}

/// What the workers tell when a run begins; none while nothing is written down.
std::function<void(const Task& task)> Node::begin_event() {
  return [this](const Task& task) {
    if (options_.recorder != nullptr) options_.recorder->on_started(task);
    on_begun(task);
  };
}

void Node::begin_record() {
  if (options_.recorder == nullptr) return;
  options_.recorder->on_node(
      {options_.policy->name, options_.workers, options_.sharing_interval, options_.is_cloud});
}

void Node::on_message(PeerId peer, const wire::ExplainQuery& query) {
  perform_all();  // a task that is asked about may have just come
  const Instant now = clock_.now();
  const auto decisions = scheduler_.decisions_about(query.uid, now);
  buffer_.clear();
  if (decisions.empty()) {
    wire::append_error(buffer_, "not_found",
                       "no decision about task '" + query.uid + "' is remembered here");
  } else {
    const DecisionNames names = decision_names();
    wire::append_explanation(buffer_, explanation_members(query.uid, decisions, names, now));
  }
  connections_.send(peer, buffer_);
}

void Node::on_message(PeerId peer, wire::PlanQuery query) {
  perform_all();
  const Instant now = clock_.now();
  Task& task = query.task.task;
  if (!query.task.has_class) task.weight = scheduler_.class_of(task.name);
  const DecisionView plan = scheduler_.plan(std::move(task), now);
  buffer_.clear();
  std::string members = decision_members(plan, decision_names(), now);
  members += plan.is_refused ? R"(,"error":"unplaceable")" : R"(,"error":null)";
  wire::append_plan(buffer_, members);
  connections_.send(peer, buffer_);
}

}  // namespace fogctl
