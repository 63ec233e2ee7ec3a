#include "node/mesh.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/log.hpp"
#include "json/json.hpp"
#include "net/dialer.hpp"

namespace fogctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration connect_budget = seconds(2);
/// One that was dialled says that it is a fog node within this, or it is none.
constexpr Duration longest_silence = seconds(3);
constexpr Duration gossip_interval = seconds(10);
constexpr Duration hello_gap = seconds(1);
/// A neighbour that does not acknowledge what it gets is gone; most are found silent before.
constexpr Duration longest_silence_of_link = seconds(5);
/// Objects for an original peer go out this far apart: it loses one that a read splits.
constexpr Duration original_gap = milliseconds(1);

NodeState state_of(const wire::State& state) {
  NodeState read;
  if (state.task_time < wire::takes_no_task) read.expected_wait = state.task_time;
  read.workers = static_cast<std::size_t>(state.workers);
  read.queued = static_cast<std::size_t>(state.queued);
  read.running = static_cast<std::size_t>(state.running);
  read.sequence = static_cast<std::uint64_t>(state.sequence);
  read.steals = state.steals;
  if (state.sharing_interval > Duration::zero()) read.sharing_interval = state.sharing_interval;
  read.takes_copies = state.takes_copies;
  if (state.waits.size() == 2 * wait_slacks.size()) {
    WaitProfile& waits = read.waits.emplace();
    for (std::size_t i = 0; i < waits.size(); ++i) {
      waits[i] = {state.waits[2 * i], state.waits[2 * i + 1]};
    }
  }
  return read;
}

wire::State message_of(const NodeState& state) {
  wire::State message;
  message.task_time =
      std::min<Duration>(state.expected_wait.value_or(wire::takes_no_task), wire::takes_no_task);
  message.workers = static_cast<int>(state.workers);
  message.queued = static_cast<int>(state.queued);
  message.running = static_cast<int>(state.running);
  message.sequence = static_cast<std::int64_t>(state.sequence);
  message.sharing_interval = state.sharing_interval;
  message.takes_copies = state.takes_copies;
  message.steals = state.steals;
  if (state.waits) {
    for (const auto& [mean, deviation] : *state.waits) {
      message.waits.insert(message.waits.end(), {mean, deviation});
    }
  }
  return message;
}

}  // namespace

Mesh::Mesh(asio::io_context& io, MeshOptions options, Connections& connections,
           Scheduler& scheduler, Actions& actions, const Clock& clock, Events events)
    : io_(io),
      options_(std::move(options)),
      connections_(connections),
      scheduler_(scheduler),
      actions_(actions),
      clock_(clock),
      events_(std::move(events)) {}

void Mesh::start(wire::NodeIdentity self) {
  self_ = std::move(self);
  if (const auto listen = parse_host_port(self_.listen)) own_port_ = listen->port;
  book_.emplace(self_.node, Random(entropy()));
  is_looking_ = true;
  for (const HostPort& peer : options_.peers) book_->add_static(to_string(peer), clock_.now());
  if (options_.discovery) {
    Multicast::Events events;
    events.on_text = [this](std::string_view text, const asio::ip::address& from) {
      on_datagram(text, from);
    };
    events.on_new_interface = [this] {
      multicast_->send_to_new(wire::fog_hello({own_port_, self_}, false));
      // Not once more at the next tick: an original node opens a connection at every hello.
      announce_at_ = std::max(announce_at_, clock_.now() + hello_gap);
    };
    multicast_.emplace(io_, *options_.discovery, std::move(events));
    multicast_->start();
  }
  dial_due();
}

void Mesh::stop_looking() {
  is_looking_ = false;
  if (multicast_) multicast_->stop();
}

void Mesh::tick() {
  const Instant now = clock_.now();
  std::vector<PeerId> silent;
  for (auto& [peer, link] : links_) {
    const Connection* connection = connections_.find(peer);
    if (connection == nullptr) continue;
    // What it says of itself may wait behind an object that takes long to come.
    const std::uint64_t read = connection->read_bytes();
    if (link.who && read != std::exchange(link.read_bytes, read)) {
      scheduler_.on_peer_heard(peer, now);
    }
    if (!link.who && now - link.since > longest_silence) silent.push_back(peer);
    const Duration round_trip = connection->round_trip();
    if (link.who && round_trip > Duration::zero()) scheduler_.on_peer_delay(peer, round_trip);
  }
  for (const PeerId peer : silent) drop(peer, "it does not say that it is a fog node");
  if (!is_looking_) return;
  dial_due();
  announce_when_due(now);
  if (now < gossip_at_) return;
  gossip_at_ = now + gossip_interval;
  for (const auto& [peer, link] : links_) tell_known_nodes(peer);
}

// Dialling.

void Mesh::dial_due() {
  if (!is_looking_) return;
  // One link in four is left for those who dial this node.
  const std::size_t wanted = std::max<std::size_t>(1, options_.max_neighbours * 3 / 4);
  const std::size_t have = links_.size() + dialling_;
  const std::size_t room = wanted > have ? wanted - have : 0;
  for (const std::string& address : book_->take_due(room, clock_.now())) {
    ++dialling_;
    dial(io_, *parse_host_port(address), connect_budget,
         [this, address](Result<asio::ip::tcp::socket> socket) {
           --dialling_;
           on_dialled(address, std::move(socket));
         });
  }
}

void Mesh::on_dialled(const std::string& address, Result<asio::ip::tcp::socket> socket) {
  if (!socket || !is_looking_) {
    if (!socket) note_missing(address, socket.error().message);
    return book_->on_unreachable(address, clock_.now());
  }
  const PeerId peer = events_.adopt(std::move(*socket));
  Link& link = links_[peer];
  link.is_opened_here = true;
  link.dialled = link.address = link.shown = address;
  link.since = clock_.now();
}

/// Says once that a named neighbour is not there; of the others they come and go.
void Mesh::note_missing(const std::string& address, const std::string& why) {
  const bool is_named = std::ranges::any_of(
      options_.peers, [&](const HostPort& peer) { return to_string(peer) == address; });
  if (!is_named) return log(LogLevel::debug, "{}", why);
  if (missing_.insert(address).second) {
    log(LogLevel::warning, "no neighbour: {}; trying again for ever", why);
  }
}

// Links.

void Mesh::on_message(PeerId peer, const wire::FogReady& ready) {
  buffer_.clear();
  wire::append_fog_ready_ack(buffer_, ready, self_);
  connections_.send(peer, buffer_);
  if (ready.identity.node == self_.node) {
    const auto link = links_.find(peer);
    if (link != links_.end() && !link->second.who) {
      book_->on_self(link->second.dialled);
      links_.erase(link);
    }
    if (Connection* connection = connections_.find(peer)) connection->close("it is this node");
    return;
  }
  Link& link = links_[peer];
  if (!link.who) join(peer, link, ready.identity);
}

void Mesh::join(PeerId peer, Link& link, const wire::NodeIdentity& who) {
  Connection* connection = connections_.find(peer);
  if (connection == nullptr) return;
  const Instant now = clock_.now();
  link.who = who;
  if (who.is_original()) {
    link.who->node.clear();
    link.who->name = connection->peer_host();
  }
  link.shown = connection->peer();
  NeighbourIdentity identity;
  identity.node = link.who->node;
  identity.address = connection->peer_host();
  identity.own_address = connection->own_host();
  identity.is_opened_here = link.is_opened_here;
  if (who.max_message > 0) identity.max_message = who.max_message;
  connection->set_patience(longest_silence_of_link);
  connection->set_longest(longest_reply(connections_.max_message()));
  connections_.keep_reading(peer);
  if (who.is_original()) connection->set_pacing(original_gap);
  if (const auto reached = reachable_address(who.listen, identity.address); !reached.empty()) {
    if (link.address.empty()) link.address = reached;
    book_->hear_of(reached, identity.node, AddressBook::Source::node_itself, now);
  }
  identity.name = link.who->name;
  book_->on_linked(link.dialled, identity.node, now);
  missing_.erase(link.dialled);
  if (!has_other_link(peer, *link.who)) {
    log(LogLevel::info, "neighbour {} ({}) joined", identity.name, address_of(peer));
    tell_of(link, peer);
  }
  scheduler_.on_peer_up(peer, std::move(identity), now, actions_);
  tell_known_nodes(peer);
}

void Mesh::on_message(PeerId peer, const wire::FogReadyAck& ack) {
  const double sent = json::read_number(ack.send_time).value_or(0);
  const double round_trip = to_seconds(clock_.wall_now()) - sent;
  constexpr double longest = 60;  // beyond it a clock was set meanwhile
  if (round_trip >= 0 && round_trip < longest) {
    scheduler_.on_peer_delay(peer, from_seconds(round_trip));
  }
}

void Mesh::on_message(PeerId peer, const wire::State& state) {
  if (Connection* connection = connections_.find(peer)) connection->acknowledge_now();
  scheduler_.on_state(peer, state_of(state), clock_.now(), actions_);
}

void Mesh::on_message(PeerId peer, const wire::Kinds& kinds) {
  scheduler_.on_kinds(peer, kinds.tasks, clock_.now(), actions_);
}

void Mesh::on_message(PeerId peer, const wire::KnownNodes& known) {
  if (!is_fogctl(peer) || !is_looking_) return;
  for (const wire::KnownNodes::Entry& entry : known.nodes) {
    const auto address = parse_host_port(entry.address);
    const bool is_usable = address && address->port != 0 && is_numeric(*address);
    if (!is_usable || !is_valid_name(entry.node)) continue;
    book_->hear_of(to_string(*address), entry.node, AddressBook::Source::hearsay, clock_.now());
  }
  dial_due();
}

void Mesh::on_message(PeerId peer, const wire::Leave& leave) {
  if (!is_fogctl(peer)) return;
  scheduler_.on_peer_leaves(peer, clock_.now());
  if (leave.has_enough) book_->leave_alone(links_[peer].who->node, clock_.now());
}

void Mesh::on_message(PeerId peer, const wire::CloudReady&) {
  if (links_.contains(peer)) drop(peer, "it is a cloud: name it with --cloud");
}

/// It may have no room for one more connection.
void Mesh::on_message(PeerId peer, const wire::ErrorMessage& error) {
  const auto link = links_.find(peer);
  if (link == links_.end() || link->second.who) return;
  drop(peer, "it says: " + error.code + ": " + error.message);
}

/// Not a neighbour after all.
void Mesh::drop(PeerId peer, const std::string& why) {
  const auto link = links_.find(peer);
  note_missing(link->second.dialled, link->second.dialled + ": " + why);
  if (Connection* connection = connections_.find(peer)) connection->close(why);
}

void Mesh::on_closed(PeerId peer, const std::string& why) {
  const auto found = links_.find(peer);
  if (found == links_.end()) return;
  const Link link = std::move(found->second);
  links_.erase(found);
  const Instant now = clock_.now();
  if (!link.who) return book_->on_unreachable(link.dialled, now);
  book_->on_unlinked(link.dialled, link.who->node, now);
  const std::size_t placed_again = scheduler_.on_peer_lost(peer, now, actions_);
  if (!has_other_link(peer, *link.who)) {
    log(LogLevel::info, "neighbour {} ({}) left: {}", link.who->name,
        link.address.empty() ? link.shown : link.address, why);
  }
  if (placed_again > 0) log(LogLevel::info, "placed {} of its tasks again", placed_again);
  events_.perform();
}

bool Mesh::has_other_link(PeerId peer, const wire::NodeIdentity& who) const {
  return !who.node.empty() && std::ranges::any_of(links_, [&](const auto& item) {
    return item.first != peer && item.second.who && item.second.who->node == who.node;
  });
}

bool Mesh::is_fogctl(PeerId peer) const {
  const auto link = links_.find(peer);
  return link != links_.end() && link->second.who && !link->second.who->is_original();
}

std::string Mesh::address_of(PeerId peer) const {
  const auto link = links_.find(peer);
  if (link != links_.end() && !link->second.address.empty()) return link->second.address;
  const Connection* connection = connections_.find(peer);
  return connection == nullptr ? "" : connection->peer();
}

void Mesh::perform(const ShareState& action) {
  const wire::State state = message_of(action.state);
  for (const PeerId peer : action.links) {
    buffer_.clear();
    wire::append_state(buffer_, state, !is_fogctl(peer));
    connections_.send(peer, buffer_);
  }
}

void Mesh::perform(const ShareKinds& action) {
  buffer_.clear();
  wire::append_kinds(buffer_, action.kinds, "");
  for (const PeerId peer : action.links) connections_.send(peer, buffer_);
}

void Mesh::perform(const CloseLink& action) {
  constexpr std::string_view reasons[] = {"it was silent", "there is another link to it",
                                          "there are enough neighbours"};
  Connection* connection = connections_.find(action.link);
  if (connection == nullptr) return;
  if (action.why == CloseLink::Why::silent) {
    if (!is_fogctl(action.link)) {
      // It never forgets a neighbour's last state, and would go on handing tasks to nobody.
      buffer_.clear();
      wire::append_state(buffer_, {.task_time = wire::takes_no_task}, true);
      connection->send(buffer_);
      connection->flush();
    }
    return connection->close(std::string(reasons[0]));
  }
  if (is_fogctl(action.link)) {
    buffer_.clear();
    wire::append_leave(buffer_, {action.why == CloseLink::Why::surplus});
    connection->send(buffer_);
    if (action.why == CloseLink::Why::surplus) {
      book_->leave_alone(links_[action.link].who->node, clock_.now());
    }
  }
  connection->close_when_written();
}

// Telling of others.

void Mesh::tell_known_nodes(PeerId to) {
  if (!is_fogctl(to)) return;
  wire::KnownNodes known;
  for (const auto& [peer, link] : links_) {
    if (peer == to || !is_fogctl(peer) || link.address.empty()) continue;
    known.nodes.push_back({link.who->node, link.address});
  }
  if (known.nodes.empty()) return;
  buffer_.clear();
  wire::append_known_nodes(buffer_, known);
  connections_.send(to, buffer_);
}

void Mesh::tell_of(const Link& link, PeerId newcomer) {
  if (!is_fogctl(newcomer) || link.address.empty()) return;
  buffer_.clear();
  wire::append_known_nodes(buffer_, {{{link.who->node, link.address}}});
  for (const auto& [peer, other] : links_) {
    if (peer != newcomer && is_fogctl(peer)) connections_.send(peer, buffer_);
  }
}

}  // namespace fogctl
