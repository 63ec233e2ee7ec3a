// The node's part about stealing: what it asks of neighbours whose tasks wait, and is asked.
#include "node/node.hpp"

namespace fogctl {

void Node::on_message(PeerId peer, const wire::Steal& steal) {
  const StealRequest request{steal.request, static_cast<std::size_t>(steal.workers)};
  scheduler_.on_steal(peer, request, clock_.now(), actions_);
}

void Node::on_message(PeerId peer, const wire::StealRefused& refused) {
  scheduler_.on_steal_refused(peer, refused.request, refused.retry_after, clock_.now());
}

void Node::perform(StealTask& action, LaneWork&) {
  const wire::Steal steal{action.request.number, static_cast<int>(action.request.workers)};
  buffer_.clear();
  wire::append_steal(buffer_, steal);
  connections_.send(action.link, buffer_);
}

void Node::perform(RefuseSteal& action, LaneWork&) {
  const wire::StealRefused refused{action.request, action.retry_after};
  buffer_.clear();
  wire::append_steal_refused(buffer_, refused);
  connections_.send(action.link, buffer_);
}

}  // namespace fogctl
