// The node's part about which tasks can run where, and how far those are that run.
#include <asio/post.hpp>
#include <utility>

#include "json/json.hpp"
#include "node/kinds_report.hpp"
#include "node/node.hpp"

namespace fogctl {
namespace {

TaskKinds kinds_of(const HandlerTable& table) {
  TaskKinds kinds;
  for (const auto& [name, handler] : table.all()) kinds.push_back({name, handler.weight, {}, 0});
  return kinds;
}

}  // namespace

void Node::on_handlers_changed() {
  asio::post(io_, [this] {
    const auto table = handlers_.table();
    exclusive_.clear();
    for (const auto& [name, handler] : table->all()) {
      if (handler.is_exclusive) exclusive_.insert(name);
    }
    scheduler_.on_own_kinds(kinds_of(*table), clock_.now(), actions_);
    perform();
  });
}

/// A fog node asks its cloud so, at once, and people any node; all of these read at all times.
void Node::on_message(PeerId peer, const wire::KindsQuery&) {
  if (options_.is_cloud) connections_.keep_reading(peer);
  const TaskKinds own = scheduler_.own_kinds();
  std::vector<NodeKinds> nodes = {{options_.name, own}};
  const auto add = [&](const std::string& name, PeerId link) {
    const TaskKinds* kinds = scheduler_.kinds_of(link);
    if (kinds != nullptr) nodes.push_back({name, *kinds});
  };
  for (const Neighbour& neighbour : scheduler_.neighbours()) {
    if (!neighbour.is_retired) add(neighbour.who.name, neighbour.link);
  }
  if (cloud_ && cloud_->is_up()) {
    add(cloud_->name().empty() ? to_string(cloud_->address()) : cloud_->name(), cloud_link);
  }
  buffer_.clear();
  wire::append_kinds(buffer_, own, kinds_report(nodes));
  connections_.send(peer, buffer_);
}

void Node::on_link_progress(PeerId link, const wire::Progress& progress) {
  const auto id = json::read_integer(progress.task_id);
  if (!id) return;
  scheduler_.on_link_progress(link, *id, progress.share, clock_.now(), actions_);
}

void Node::on_progress(const std::vector<TaskProgress>& news) {
  for (const TaskProgress& one : news) scheduler_.on_progress(one.uid, one.share, actions_);
  perform();
}

void Node::perform(TellProgress& action, LaneWork&) {
  buffer_.clear();
  wire::append_progress(buffer_, {action.origin.task_id, action.uid, action.share});
  connections_.send(action.origin.peer, buffer_);
}

}  // namespace fogctl
