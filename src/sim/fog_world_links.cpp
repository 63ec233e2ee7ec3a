// The links of a simulated fog, and what befalls its nodes.
#include <algorithm>
#include <utility>

#include "sim/fog_world.hpp"

namespace fogctl::sim {

PeerId FogWorld::id_of(const Link& link) const {
  const auto number = static_cast<PeerId>(&link - links_.data()) + 1;
  return PeerId{link.life} << 32 | number;
}

FogWorld::Link* FogWorld::link_at(std::uint32_t node, PeerId id) {
  Link& link = links_[(id & 0xffff'ffffU) - 1];
  const bool is_up = link.up[link.ends.a == node ? 0 : 1];
  return is_up && link.life == id >> 32 ? &link : nullptr;
}

std::uint32_t FogWorld::other_end(const Link& link, std::uint32_t node) {
  return link.ends.a == node ? link.ends.b : link.ends.a;
}

void FogWorld::send(std::uint32_t from, Kind kind, Message message, Instant now) {
  const Link* link = link_at(from, message.link);
  if (link == nullptr) return;
  ++tally_.messages;
  events_.push(now + link->ends.delay,
               {kind, other_end(*link, from), messages_.put(std::move(message))});
}

/// A new connection, where both ends are there.
void FogWorld::open(Link& link, Instant now) {
  const std::array<std::uint32_t, 2> ends = {link.ends.a, link.ends.b};
  const bool are_there = nodes_[ends[0]].scheduler && nodes_[ends[1]].scheduler;
  if (!are_there || link.up[0] || link.up[1] || link.cut_until > now) return;
  ++link.life;
  link.up = {true, true};
  for (std::size_t side = 0; side < 2; ++side) {
    NeighbourIdentity who;
    who.node = who.name = who.address = names_[ends[1 - side]];
    who.own_address = names_[ends[side]];
    who.is_opened_here = side == 0;
    tell(ends[side], now, [&](Scheduler& scheduler) {
      scheduler.on_peer_up(id_of(link), who, now, actions_);
      scheduler.on_peer_delay(id_of(link), 2 * link.ends.delay);
    });
  }
}

/// The node sees that the link is gone.
void FogWorld::lose(std::uint32_t node, Link& link, Instant now) {
  link.up[link.ends.a == node ? 0 : 1] = false;
  tell(node, now,
       [&](Scheduler& scheduler) { (void)scheduler.on_peer_lost(id_of(link), now, actions_); });
}

void FogWorld::redial(std::uint32_t number, Instant now) {
  constexpr Duration pause = std::chrono::seconds(1);
  Link& link = links_[number];
  open(link, now);
  const bool is_whole = link.up[0] && link.up[1];
  const bool are_there = nodes_[link.ends.a].scheduler && nodes_[link.ends.b].scheduler;
  if (!is_whole && are_there) events_.push(now + pause, {Kind::redial, 0, number});
}

void FogWorld::befall(std::uint32_t number, Instant now) {
  const TimedEvent& event = trace_.events[number];
  events_.push(now + event.length, {Kind::end_of_misfortune, 0, number});
  switch (event.kind) {
    case TimedEvent::Kind::die:
      for (const std::uint32_t node : event.nodes) {
        if (nodes_[node].dead++ == 0) die(node, now);
      }
      return;
    case TimedEvent::Kind::stall:
    case TimedEvent::Kind::freeze:
      for (const std::uint32_t node : event.nodes) stop(node, event, now);
      return;
    case TimedEvent::Kind::cut:
      return cut(event, now);
    case TimedEvent::Kind::join:
      return;
    case TimedEvent::Kind::cloud_away:
      if (cloud_away_++ > 0) return;
      ++cloud_life_;
      for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
        if (!nodes_[node].scheduler) continue;
        tell(node, now, [&](Scheduler& scheduler) { scheduler.on_cloud_down(now, actions_); });
      }
  }
}

void FogWorld::recover(const TimedEvent& event, Instant now) {
  if (event.kind == TimedEvent::Kind::die || event.kind == TimedEvent::Kind::join) {
    for (const std::uint32_t node : event.nodes) {
      if (--nodes_[node].dead == 0) rise(node, now);
    }
  }
  if (event.kind != TimedEvent::Kind::cloud_away || --cloud_away_ > 0) return;
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
    if (!nodes_[node].scheduler || !scenario_.cloud_round_trip) continue;
    tell(node, now, [&](Scheduler& scheduler) {
      scheduler.on_cloud_up(false, no_limit, now, actions_);
      scheduler.on_cloud_delay(*scenario_.cloud_round_trip);
    });
  }
}

/// What runs ends later by as much; nothing new begins.
void FogWorld::stop(std::uint32_t number, const TimedEvent& event, Instant now) {
  FogNode& node = nodes_[number];
  const Instant until = now + event.length;
  if (event.kind == TimedEvent::Kind::freeze) {
    node.frozen_until = std::max(node.frozen_until, until);
  }
  const Duration more = until - std::max(now, node.stalled_until);
  if (more <= Duration::zero()) return;
  node.stalled_until = until;
  for (std::uint32_t i = 0; i < node.workers.size(); ++i) {
    Running& running = node.workers[i];
    if (!running.is_busy) continue;
    running.finish_at += more;
    events_.push(running.finish_at, {Kind::finish, number, i});
  }
  events_.push(until, {Kind::resume, number, 0});
}

/// The host is gone: neighbours hear nothing, not even that.
void FogWorld::die(std::uint32_t number, Instant now) {
  FogNode& node = nodes_[number];
  node.scheduler.reset();
  node.queue.clear();
  node.places.clear();
  node.tick_at.reset();
  for (Running& running : node.workers) {
    if (!std::exchange(running.is_busy, false)) continue;
    tally_.executed += now - running.started;
    tally_.wasted += now - running.started;
  }
  node.busy = 0;
  for (const std::uint32_t link : node.links) {
    links_[link].up[links_[link].ends.a == number ? 0 : 1] = false;
  }
  leave_dead(number, now);
}

void FogWorld::rise(std::uint32_t number, Instant now) {
  FogNode& node = nodes_[number];
  node.first_tick = {};
  node.stalled_until = node.frozen_until = {};
  for (const std::uint32_t index : node.links) {
    Link& link = links_[index];
    const std::uint32_t other = other_end(link, number);
    const bool is_seen_as_up = link.up[link.ends.a == other ? 0 : 1];
    if (is_seen_as_up && nodes_[other].scheduler) lose(other, link, now);
    link.up = {false, false};
  }
  start(number, now);
}

void FogWorld::cut(const TimedEvent& event, Instant now) {
  const auto is_in = [&](std::uint32_t node) {
    return std::ranges::find(event.nodes, node) != event.nodes.end();
  };
  for (Link& link : links_) {
    if (is_in(link.ends.a) == is_in(link.ends.b)) continue;
    link.cut_until = std::max(link.cut_until, now + event.length);
  }
}

}  // namespace fogctl::sim
