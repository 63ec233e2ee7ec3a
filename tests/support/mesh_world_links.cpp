// What goes between the nodes of a MeshWorld: the links and the cloud.
#include <algorithm>
#include <utility>

#include "support/mesh_node.hpp"
#include "support/mesh_original.hpp"
#include "support/mesh_world.hpp"

namespace fogctl::support {

// Finding each other.

/// Whoever has no link to a node that it wants dials it; one that was heard under a new id at once.
void MeshWorld::look_after_links(Node node) {
  for (const Node other : places_[node]->wanted) {
    if (!has_link(node, other)) dial(node, other);
  }
  after(node, drawn(std::chrono::milliseconds(100), std::chrono::seconds(1)),
        [this, node] { look_after_links(node); });
}

bool MeshWorld::has_link(Node node, Node other) const {
  return std::ranges::any_of(places_[node]->links, [&](const auto& item) {
    const Link& link = links_[item.second.link];
    const std::size_t far = 1 - item.second.side;
    return link.ends[far] == other && link.lives[far] == places_[other]->life;
  });
}

/// A frozen node's kernel takes the connection; what is said over it waits.
void MeshWorld::dial(Node dialler, Node target) {
  Place& from = *places_[dialler];
  Place& to = *places_[target];
  if (!from.is_up || !to.is_up || is_cut(dialler, target)) return;
  Link link;
  link.ends = {dialler, target};
  link.peers = {from.next_peer++, to.next_peer++};
  link.lives = {from.life, to.life};
  link.open = {true, true};
  link.delay = drawn(options_.longest_link / 10, options_.longest_link);
  const std::size_t number = links_.size();
  links_.push_back(std::move(link));
  for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
    const MeshOpened opened{links_[number].peers[side], links_[number].ends[1 - side], side == 0};
    places_[links_[number].ends[side]]->links[opened.peer] = {number, side};
    // The dialler has it after one round trip, the other one when the answer to that comes.
    const Duration opens_after = (side == 0 ? 2 : 3) * links_[number].delay;
    after(links_[number].ends[side], opens_after, [this, number, side, opened] {
      if (links_[number].open[side]) {
        places_[links_[number].ends[side]]->peer->on_opened(opened);
      }
    });
  }
}

std::size_t MeshWorld::links_between(Node node, Node other) {
  std::size_t links = 0;
  for (const auto& [peer, end] : places_[node]->links) {
    const Link& link = links_[end.link];
    const std::size_t far = 1 - end.side;
    if (link.ends[far] != other || link.lives[far] != places_[other]->life) continue;
    links += static_cast<std::size_t>(
        std::ranges::count_if(scheduler(node).neighbours(), [&](const Neighbour& neighbour) {
          return neighbour.link == peer && !neighbour.is_retired && neighbour.has_state;
        }));
  }
  return links;
}

/// Each node of fogctl has exactly one link to each node that it wants or that wants it.
bool MeshWorld::is_whole() {
  for (Node node = 0; node < places_.size(); ++node) {
    for (const Node other : places_[node]->wanted) {
      for (const auto& [one, two] : {std::pair(node, other), std::pair(other, node)}) {
        if (places_[one]->node == nullptr) continue;
        if (!is_up(one) || links_between(one, two) != 1) return false;
      }
    }
  }
  return true;
}

// Messages.

void MeshWorld::send(Node from, PeerId peer, MeshMessage message) {
  const auto end = places_[from]->links.find(peer);
  if (end == places_[from]->links.end()) return;
  const auto [number, side] = end->second;
  Link& link = links_[number];
  if (!link.open[side]) return;
  const Place& far = *places_[link.ends[1 - side]];
  if (far.is_up && far.life != link.lives[1 - side] && !is_cut(link.ends[0], link.ends[1])) {
    return after(from, 2 * link.delay, [this, from, peer] { close(from, peer, false); });  // reset
  }
  link.wire[side].push_back(std::move(message));
  after(link.ends[1 - side], link.delay, [this, number, side] { arrive(number, side); });
}

/// What is on its way over a cable that was cut is sent again when it is mended.
void MeshWorld::arrive(std::size_t number, std::size_t from) {
  Link& link = links_[number];
  if (is_cut(link.ends[0], link.ends[1])) {
    ++link.stalled[from];
    return;
  }
  if (link.wire[from].empty()) return;  // lost with its link
  const MeshMessage message = std::move(link.wire[from].front());
  link.wire[from].pop_front();
  take(number, 1 - from, message);
}

void MeshWorld::take(std::size_t number, std::size_t side, const MeshMessage& message) {
  Link& link = links_[number];
  if (!link.open[side]) return;
  Place& place = *places_[link.ends[side]];
  mix(static_cast<std::uint64_t>(message.kind));
  if (message.kind != MeshMessage::Kind::end) {
    return place.peer->on_message(link.peers[side], message);
  }
  close(link.ends[side], link.peers[side], true);
}

/// `in_order`: what was said before still comes, from both sides. Else the link breaks.
void MeshWorld::close(Node node, PeerId peer, bool in_order) {
  Place& place = *places_[node];
  const auto found = place.links.find(peer);
  if (found == place.links.end()) return;
  const auto [number, side] = found->second;
  Link& link = links_[number];
  if (!std::exchange(link.open[side], false)) return;
  if (!in_order) link.wire[1 - side].clear();
  lose(number, side);
  after(node, Duration::zero(), [this, node, peer] {
    places_[node]->links.erase(peer);
    places_[node]->peer->on_closed(peer);
  });
}

/// The other side hears that this one has closed.
void MeshWorld::lose(std::size_t number, std::size_t side) {
  Link& link = links_[number];
  if (!link.open[1 - side]) return;
  if (!is_calm_ && chance(30)) link.wire[side].clear();  // a reset takes with it what was not read
  MeshMessage end;
  end.kind = MeshMessage::Kind::end;
  link.wire[side].push_back(end);
  const Node other = link.ends[1 - side];
  after(other, link.delay, [this, number, side] { arrive(number, side); });
}

Duration MeshWorld::round_trip(Node node, PeerId peer) const {
  return 2 * links_[places_[node]->links.at(peer).link].delay;
}

// Cables.

bool MeshWorld::is_cut(Node a, Node b) const {
  return cuts_.contains({std::min(a, b), std::max(a, b)});
}

void MeshWorld::partition(const std::vector<Node>& some, const std::vector<Node>& others) {
  for (const Node a : some) {
    for (const Node b : others) cuts_.emplace(std::min(a, b), std::max(a, b));
  }
}

void MeshWorld::heal() {
  cuts_.clear();
  for (std::size_t number = 0; number < links_.size(); ++number) {
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      Link& link = links_[number];
      for (std::size_t i = std::exchange(link.stalled[side], 0); i > 0; --i) {
        if (link.lives[1 - side] != places_[link.ends[1 - side]]->life) break;
        after(link.ends[1 - side], link.delay, [this, number, side] { arrive(number, side); });
      }
    }
  }
}

// The cloud: it has room for everything.

void MeshWorld::cloud_comes() {
  if (std::exchange(cloud_is_up_, true)) return;
  for (Node node = 0; node < places_.size(); ++node) tell_of_cloud(node);
}

void MeshWorld::cloud_goes() {
  if (!std::exchange(cloud_is_up_, false)) return;
  for (Node node = 0; node < places_.size(); ++node) tell_of_cloud(node);
}

/// Each node notices in its own time.
void MeshWorld::tell_of_cloud(Node node) {
  Place& place = *places_[node];
  if (place.node == nullptr || !place.is_up) return;
  ++place.cloud_link;  // what is on its way is lost
  after(node, drawn(cloud_delay(), 4 * cloud_delay()), [this, node] {
    Place& told = *places_[node];
    if (told.knows_cloud) {
      told.knows_cloud = false;
      told.node->on_cloud(false, cloud_is_original_);
    }
    if (!cloud_is_up_) return;
    told.knows_cloud = true;
    told.node->on_cloud(true, cloud_is_original_);
  });
}

void MeshWorld::send_to_cloud(Node node, const HandOn& task) {
  if (!cloud_is_up_) return;  // it will hear of it
  if (cloud_is_original_ && fault(options_.peers_lose)) return;
  const Duration there = run_time(task.task->weight) + 2 * cloud_delay();
  after(node, there,
        [this, node, task, link = places_[node]->cloud_link] { cloud_answers(node, task, link); });
}

void MeshWorld::cloud_answers(Node node, const HandOn& task, std::uint64_t link) {
  const Place& place = *places_[node];
  if (place.cloud_link != link || !place.knows_cloud) return;
  TaskResult result;
  result.uid = task.task->uid;
  result.content = "3";
  result.node = "cloud";
  result.execution_time = options_.run_times[index_of(task.task->weight)];
  if (fault(options_.tasks_fail)) result.error = TaskError{TaskErrorCode::unavailable, "stopping"};
  const bool can_run =
      std::ranges::find(cloud_kinds_, task.task->name, &TaskKind::name) != cloud_kinds_.end();
  if (!cloud_is_original_ && !can_run) {
    result.error = TaskError{TaskErrorCode::unplaceable, "no node in reach can run it"};
  }
  place.node->on_cloud_result(task.id, std::move(result));
}

}  // namespace fogctl::support
