// What a node of a MeshWorld does with its Scheduler's actions.
#include <algorithm>
#include <utility>

#include "support/mesh_node.hpp"
#include "support/mesh_world.hpp"

namespace fogctl::support {

void MeshNode::perform(const EnqueueTask& action) {
  if (action.start_by < action.arrival) world_.fail("start-by lies before the arrival");
  const bool has_own_hop =
      std::ranges::find(action.task->offloading_nodes, id_) != action.task->offloading_nodes.end();
  // One that was found in a shared queue may have come from here before.
  const bool may_have_hop = action.away || queue_->has_found_tasks();
  if (has_own_hop && !may_have_hop) world_.fail("a task that runs here counts a hop from here");
  // One that the queue was given before may lie there to be run: its worker refuses it.
  const bool is_new = enqueued_.insert(action.task->uid).second;
  if (!action.away && is_new && !can_run(*action.task)) {
    world_.fail("a task that cannot run here was queued to be run");
  }
  queue_->submit(action);
}

/// As a link that takes a while for each task.
void MeshNode::write_slowly(PeerId link, std::size_t bytes) {
  const std::size_t most = world_.options().most_unsent;
  if (most == 0) return;
  if (unsent_[link] > most) world_.fail("handed on over a link that is full");
  unsent_[link] += bytes;
  world_.after(number_, world_.drawn({}, std::chrono::milliseconds(300)), [this, link, bytes] {
    const auto unsent = unsent_.find(link);
    if (unsent == unsent_.end()) return;  // with its link
    unsent->second -= std::min(unsent->second, bytes);
    tell([&](Scheduler& scheduler, Instant now, Actions& out) {
      scheduler.on_unsent(link, unsent_[link], now, out);
    });
  });
}

void MeshNode::perform(const HandOn& action) {
  write_slowly(action.link, action.task->content.size());
  world_.mix(static_cast<std::uint64_t>(action.id));
  if (!ids_.insert(action.id).second) world_.fail("an id was given out twice");
  const std::string& uid = action.task->uid;
  if (action.task->is_copy && !queue_->is_known_queued(uid)) {
    world_.fail("copied before the queue had it");
  }
  if (action.task->is_copy && action.task->exclusive) world_.fail("an exclusive task was copied");
  if (!action.task->is_copy && queue_->is_known_up() && !queue_->is_known_away(uid)) {
    world_.fail("handed on before the queue held it as away");
  }
  if (action.link == cloud_link) {
    if (!cloud_is_up_) return world_.fail("sent to a cloud that is down");
    const TaskKinds& kinds = world_.cloud_kinds();
    const bool can_run =
        std::ranges::find(kinds, action.task->name, &TaskKind::name) != kinds.end();
    if (cloud_has_told_ && !can_run) world_.fail("sent to a cloud that cannot run it");
    return world_.send_to_cloud(number_, action);
  }
  check_handed_on(action);
  MeshMessage message;
  message.kind = MeshMessage::Kind::task;
  message.task = action.task;
  message.id = action.id;
  message.request.number = action.steal;
  world_.send(number_, action.link, message);
}

void MeshNode::check_handed_on(const HandOn& action) {
  const Task& task = *action.task;
  const auto link = links_.find(action.link);
  if (link == links_.end() || !link->second.is_up) return world_.fail("handed on to nobody");
  if (task.offload_times > task.max_offload) world_.fail("handed on more than max_offload times");
  const auto& path = link->second.is_original ? task.offloading_fog : task.offloading_nodes;
  if (std::ranges::find(path, link->second.id) != path.end()) {
    world_.fail("handed on to a node that had handed it on");
  }
  const bool is_counted = task.offload_times == static_cast<int>(task.offloading_fog.size()) &&
                          !task.offloading_nodes.empty() && task.offloading_nodes.back() == id_ &&
                          task.offloading_fog.back() == world_.address(number_) &&
                          task.process_by == "fog";
  if (!is_counted) world_.fail("the hop is not in the task's fields");
  for (const Neighbour& neighbour : scheduler_->neighbours()) {
    if (neighbour.link == action.link && neighbour.is_retired) {
      world_.fail("handed on over a retired link");
    }
  }
}

void MeshNode::perform(const ReturnResult& action) {
  if (action.origin.peer == nobody) return;
  if (waiting_[action.origin.peer].erase(action.origin.task_id) == 0) {
    return world_.fail("answered twice, or nobody");
  }
  --all_waiting_;
  const auto& error = action.result.error;
  const bool was_accepted = accepted_.erase({action.origin.peer, action.origin.task_id}) > 0;
  if (is_refused(action.result) && was_accepted && !is_stopping_) {
    world_.fail("an accepted task was refused: " + error->message);
  }
  if (action.result.uid != action.task->uid) world_.fail("an answer of another task");
  if (world_.answer_client(number_, action)) return;
  MeshMessage message;
  message.kind = MeshMessage::Kind::result;
  message.task_id = action.origin.task_id;
  message.result = action.result;
  world_.send(number_, action.origin.peer, message);
}

void MeshNode::perform(const TellAccepted& action) {
  accepted_.emplace(action.origin.peer, action.origin.task_id);
}

void MeshNode::perform(const GiveUp& action) {
  if (action.link == cloud_link) return;  // as one that it did not reach
  MeshMessage message;
  message.kind = MeshMessage::Kind::cancel;
  message.task_id = action.uid;
  world_.send(number_, action.link, message);
}

void MeshNode::perform(const TellStarted& action) {
  MeshMessage message;
  message.kind = MeshMessage::Kind::started;
  message.task_id = action.origin.task_id;
  world_.send(number_, action.origin.peer, message);
}

void MeshNode::perform(const CancelCopy& action) {
  MeshMessage message;
  message.kind = MeshMessage::Kind::copy_cancelled;
  message.task_id = action.uid;
  world_.send(number_, action.link, message);
}

void MeshNode::perform(const StealTask& action) {
  const auto link = links_.find(action.link);
  const bool is_there = link != links_.end() && link->second.is_up;
  if (!is_there) return world_.fail("asked nobody for a task");
  if (link->second.is_original) world_.fail("an original node was asked for a task");
  if (!asked_.emplace(action.link, action.request.number).second)
    world_.fail("a request was made twice");
  MeshMessage message;
  message.kind = MeshMessage::Kind::steal;
  message.request = action.request;
  world_.send(number_, action.link, message);
}

void MeshNode::perform(const RefuseSteal& action) {
  MeshMessage message;
  message.kind = MeshMessage::Kind::steal_refused;
  message.request.number = action.request;
  message.retry_after = action.retry_after;
  world_.send(number_, action.link, message);
}

void MeshNode::perform(const Withdraw& action) {
  queue_->submit(action);
}

void MeshNode::perform(const FinishAway& action) {
  queue_->submit(action);
}

void MeshNode::perform(const TakeBack& action) {
  queue_->submit(action);
}

void MeshNode::perform(const ShareState& action) {
  MeshMessage message;
  message.kind = MeshMessage::Kind::state;
  message.state = action.state;
  for (const PeerId peer : action.links) world_.send(number_, peer, message);
}

void MeshNode::perform(const ShareKinds& action) {
  MeshMessage message;
  message.kind = MeshMessage::Kind::kinds;
  message.kinds = action.kinds;
  for (const PeerId peer : action.links) {
    if (links_.at(peer).is_original) world_.fail("an original node was told kinds");
    world_.send(number_, peer, message);
  }
}

void MeshNode::perform(const CloseLink& action) {
  const bool in_order = action.why != CloseLink::Why::silent;
  const auto link = links_.find(action.link);
  if (link == links_.end()) return;
  for (const Neighbour& neighbour : scheduler_->neighbours()) {
    const bool is_this = in_order && neighbour.link == action.link;
    if (is_this && !neighbour.is_empty()) world_.fail("a link was closed with tasks on it");
  }
  MeshMessage leave;
  leave.kind = MeshMessage::Kind::leave;
  if (in_order && !link->second.is_original) world_.send(number_, action.link, leave);
  world_.close(number_, action.link, in_order);
}

}  // namespace fogctl::support
