// The node's part about what goes over links to other nodes, and how much of it waits to be sent. A
// node reads at all times what another one sends, so that each knows that the other lives and no
// two wait for each other. What bounds memory instead: the Scheduler hands on no more over a link
// that is full; past most_unread_results no task is taken over it; and past Connections::
// most_unread() a result is not sent but refused, so that the other node asks for it again later.
#include <algorithm>
#include <utility>

#include "node/node.hpp"

namespace fogctl {
namespace {

/// Tasks alone never come to so much.
constexpr std::size_t most_unread_results = std::size_t{16} << 20;

}  // namespace

void Node::perform(HandOn& action, LaneWork&) {
  sent_over_.push_back(action.link);
  if (action.link == cloud_link) return cloud_->send(*action.task, action.id);
  buffer_.clear();
  wire::append_task(buffer_, *action.task, std::to_string(action.id), {.steal = action.steal});
  connections_.send(action.link, buffer_);
}

void Node::perform(ReturnResult& action, LaneWork&) {
  const Origin& origin = action.origin;
  const Task& task = *action.task;
  const wire::ResultContext context{.task_id = origin.task_id,
                                    .weight = task.weight,
                                    .time_requirement = task.time_requirement_text,
                                    .sending_time = task.sending_time,
                                    .distribution_time = task.distribution_time,
                                    .offload_times = task.offload_times,
                                    .process_by = task.process_by,
                                    .extended = origin.extended,
                                    .has_uid = origin.has_uid};
  if (origin.is_neighbour) sent_over_.push_back(origin.peer);
  buffer_.clear();
  if (!has_room_for(action)) {
    TaskResult refused;
    refused.uid = action.result.uid;
    refused.node = options_.name;
    refused.error = {TaskErrorCode::unavailable, "too many results wait to be sent back"};
    wire::append_result(buffer_, refused, context);
  } else if (action.is_forwarded && forwarded_) {
    wire::append_forwarded_result(buffer_, *forwarded_, action.result, context);
  } else {
    wire::append_result(buffer_, action.result, context);
  }
  connections_.send(origin.peer, buffer_);
}

/// What must not run twice is sent all the same.
bool Node::has_room_for(const ReturnResult& action) {
  const Connection* connection = connections_.find(action.origin.peer);
  const bool may_be_refused = connection != nullptr && connection->keeps_reading() &&
                              action.origin.extended && !action.result.error &&
                              !action.task->exclusive;
  if (!may_be_refused || connection->unsent_bytes() == 0) return true;
  return connection->unsent_bytes() + action.result.content.size() <= connections_.most_unread();
}

/// The results that wait to be read there are enough.
bool Node::is_choked(PeerId peer) {
  const Connection* connection = connections_.find(peer);
  return connection != nullptr && connection->keeps_reading() &&
         connection->unsent_bytes() > most_unread_results;
}

void Node::tell_unsent(PeerId link) {
  if (link == cloud_link) {
    if (cloud_) scheduler_.on_unsent(link, cloud_->unsent_bytes(), clock_.now(), actions_);
  } else if (const Connection* connection = connections_.find(link)) {
    scheduler_.on_unsent(link, connection->unsent_bytes(), clock_.now(), actions_);
  }
}

void Node::tell_unsent() {
  std::ranges::sort(sent_over_);
  const auto [rest, end] = std::ranges::unique(sent_over_);
  sent_over_.erase(rest, end);
  for (const PeerId link : sent_over_) tell_unsent(link);
  sent_over_.clear();
}

void Node::on_written(PeerId link) {
  if (!scheduler_.is_full(link)) return;
  tell_unsent(link);
  perform();
}

}  // namespace fogctl
