#include "support/mesh_original.hpp"

#include <algorithm>
#include <utility>

#include "support/mesh_world.hpp"

namespace fogctl::support {
namespace {

constexpr PeerId own_client = 0;

}  // namespace

void OriginalNode::start() {
  share();
}

void OriginalNode::end() {
  links_.clear();
  queue_.clear();
  asked_.clear();
  is_running_ = false;
}

void OriginalNode::on_opened(const MeshOpened& opened) {
  links_[opened.peer] = Link{opened.other, false};
  MeshMessage ready;
  ready.sent = world_.now();
  world_.send(number_, opened.peer, ready);
}

void OriginalNode::on_message(PeerId peer, const MeshMessage& message) {
  using enum MeshMessage::Kind;
  Link& link = links_.at(peer);
  switch (message.kind) {
    case ready: {
      MeshMessage answer;
      answer.kind = ack;
      answer.sent = message.sent;
      return world_.send(number_, peer, answer);
    }
    case ack:
      link.has_ack = true;
      return;
    case state:
      if (!link.has_ack) world_.fail("an original node got a state before its fog_ready_ack");
      return;
    case task:
      return take(peer, message);
    case result: {
      const auto asked = asked_.find(std::stoll(message.task_id));
      if (asked == asked_.end() || asked->second.first != peer) {
        return world_.fail("an original node got a result under an id that it did not give");
      }
      const Work work = asked->second.second;
      asked_.erase(asked);
      return answer(work, message.result);
    }
    case cancel:
    case leave:
    case started:
    case copy_cancelled:
    case steal:
    case steal_refused:
      return world_.fail("an original node was sent what it does not know");
    case kinds:  // never said to an original one
    case end:
      return;
  }
}

/// It has forgotten what was with that neighbour, and answers for it never.
void OriginalNode::on_closed(PeerId peer) {
  links_.erase(peer);
  std::erase_if(asked_, [&](const auto& item) { return item.second.first == peer; });
}

void OriginalNode::share() {
  MeshMessage message;
  message.kind = MeshMessage::Kind::state;
  message.state.expected_wait = world_.options().run_times[1] * queue_.size();
  for (const auto& [peer, link] : links_) {
    if (link.has_ack) world_.send(number_, peer, message);
  }
  world_.after(number_, std::chrono::seconds(1), [this] { share(); });
}

void OriginalNode::take(PeerId peer, const MeshMessage& message) {
  if (!parse_task_class(message.task->name)) {
    return world_.fail("an original node got a task that it does not know");
  }
  if (world_.fault(world_.options().peers_lose)) return;
  Work work{peer, std::to_string(message.id), message.task};
  if (const auto other = other_for(*message.task, peer); other && queue_.size() > 1) {
    return hand_on(*other, std::move(work));
  }
  queue_.push_back(std::move(work));
  run_next();
}

/// By its addresses alone it tells where a task has been.
std::optional<PeerId> OriginalNode::other_for(const Task& task, PeerId from) {
  if (task.offload_times >= task.max_offload) return std::nullopt;
  for (const auto& [peer, link] : links_) {
    const auto& path = task.offloading_fog;
    const bool was_there = std::ranges::find(path, world_.address(link.other)) != path.end();
    if (link.has_ack && peer != from && !was_there) return peer;
  }
  return std::nullopt;
}

void OriginalNode::hand_on_own(Task task) {
  const auto to = other_for(task, own_client);
  if (to) hand_on(*to, {own_client, "1", std::make_shared<const Task>(std::move(task))});
}

void OriginalNode::hand_on(PeerId to, Work work) {
  Task task = *work.task;
  ++task.offload_times;
  task.offloading_fog.push_back(world_.address(number_));
  task.process_by = "fog";
  MeshMessage message;
  message.kind = MeshMessage::Kind::task;
  message.task = std::make_shared<const Task>(std::move(task));
  message.id = ++last_id_;
  asked_[last_id_] = {to, std::move(work)};
  world_.send(number_, to, message);
}

void OriginalNode::answer(const Work& work, TaskResult result) {
  if (work.from == own_client || !links_.contains(work.from)) return;
  MeshMessage message;
  message.kind = MeshMessage::Kind::result;
  message.task_id = work.task_id;
  message.result = std::move(result);
  world_.send(number_, work.from, message);
}

void OriginalNode::run_next() {
  if (is_running_ || queue_.empty()) return;
  is_running_ = true;
  TaskResult result;
  result.uid = queue_.front().task->uid;
  result.content = "3";
  result.execution_time = world_.run_time(queue_.front().task->weight);
  result.node = "node-" + std::to_string(number_);
  world_.after(number_, result.execution_time, [this, result] {
    is_running_ = false;
    const Work work = std::move(queue_.front());
    queue_.pop_front();
    answer(work, result);
    run_next();
  });
}

}  // namespace fogctl::support
