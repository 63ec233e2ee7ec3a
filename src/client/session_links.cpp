// The connections of a session: made, lost, and made again.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "client/session.hpp"
#include "net/timer_length.hpp"

namespace fogctl {
namespace {

constexpr Duration connect_budget = std::chrono::seconds(5);  // to each node
constexpr Duration original_peer_gap = std::chrono::milliseconds(1);
/// A fogctl node that does not acknowledge what was sent to it for so long is gone.
constexpr Duration longest_silence = std::chrono::seconds(10);
/// How often another node is looked for because of refusals.
constexpr Duration between_moves = std::chrono::seconds(1);

/// A client goes on reading however much it has to send: a node may write first and read then.
ConnectionOptions connection_options() {
  ConnectionOptions options;
  constexpr std::size_t longest_task = std::size_t{64} << 20;  // that any node takes
  options.max_message = longest_reply(longest_task);
  options.pause_bytes = std::numeric_limits<std::size_t>::max();
  options.drop_bytes = std::numeric_limits<std::size_t>::max();
  return options;
}

}  // namespace

Session::Session(asio::io_context& io, const Clock& clock, SessionOptions options, Random random)
    : clock_(clock),
      options_(std::move(options)),
      random_(random),
      reconnector_(io, options_.nodes, random),
      seeker_(io, options_.nodes, random),
      timer_(io),
      due_timer_(io),
      away_timer_(io),
      word_timer_(io),
      seek_timer_(io),
      hedge_timer_(io),
      silence_timer_(io),
      links_(options_.nodes.size()),
      has_spoken_(options_.nodes.size()),
      ids_(options_.nodes.size()),
      silence_(options_.nodes.size()),
      is_foreign_(options_.nodes.size()),
      hedging_(options_.hedge, options_.requirements) {}

void Session::start(Events events) {
  events_ = std::move(events);
  if (options_.retries) arm_silence_timer();
  reconnector_.try_each(reconnector_.order_from(0), std::min(connect_budget, options_.timeout),
                        [this](Result<Reconnector::Connected> connected) {
                          if (!connected) return end(connected.error());
                          on_attempt(std::move(connected));
                        });
}

void Session::on_attempt(Result<Reconnector::Connected> connected) {
  if (ended_) return;
  if (connected) return adopt(std::move(*connected));
  if (current_ != no_node) return;  // it was another node that was looked for
  reconnector_.try_later(last_, [this](auto next) { on_attempt(std::move(next)); });
}

void Session::adopt(Reconnector::Connected connected) {
  const NodeIndex node = connected.node;
  current_ = last_ = node;
  if (!links_[node]) open_link(std::move(connected));  // else it was connected to before
  hasten_refused();
  await_first_word();
  seek_other();
  if (++connects_ == 1) {
    events_.on_connected(options_.nodes[node]);
  } else {
    events_.on_note(fmt::format("connected to {}", name_of(node)));
  }
  flush();
}

void Session::open_link(Reconnector::Connected connected) {
  const NodeIndex node = connected.node;
  links_[node] = std::make_shared<Connection>(std::move(connected.socket), connection_options());
  has_spoken_[node] = false;
  ids_[node].clear();
  silence_[node] = {.is_fogctl = silence_[node].is_fogctl};
  links_[node]->set_pacing(original_peer_gap);
  links_[node]->start(events_of(node));
}

/// Those of a connection that was replaced do nothing.
Connection::Events Session::events_of(NodeIndex node) {
  const auto is_live = [this, node, link = links_[node].get()] {
    return !ended_ && links_[node].get() == link;
  };
  Connection::Events events;
  events.on_object = [this, node, is_live](std::string_view text) {
    if (is_live()) on_object(node, text);
  };
  events.on_batch = [this, is_live] {
    if (is_live()) events_.on_batch();
  };
  events.on_framing_lost = [this, node, is_live](const Error& why) {
    if (is_live()) on_framing_lost(node, why);
  };
  events.on_closed = [this, node, is_live](const std::string& why) {
    if (is_live()) lose_link(node, why);
  };
  return events;
}

/// Where none of them was ever heard, they are not what the user meant; else it is a break like
/// another.
void Session::on_framing_lost(NodeIndex node, const Error& why) {
  const std::string text = "does not speak the protocol of a fog node: " + why.message;
  is_foreign_[node] = !has_spoken_[node];
  const bool are_all = std::ranges::count(is_foreign_, false) == 0;
  if ((!was_heard_ && are_all) || !options_.retries) {
    return end({ErrorCode::invalid, fmt::format("{} {}", name_of(node), text)});
  }
  links_[node]->close("not the protocol");
  lose_link(node, is_foreign_[node] ? "it " + text : why.message);
}

/// It has no room for one more connection, and closes this one: it is not heard, so that it is
/// tried more and more seldom.
void Session::on_turned_away(NodeIndex node, const wire::ErrorMessage& error) {
  was_heard_ = true;
  links_[node]->close("turned away");
  lose_link(node, "it says: " + error.message);
}

void Session::lose_link(NodeIndex node, const std::string& why, bool is_tried_first) {
  std::string text = fmt::format("the connection to {} broke: {}", name_of(node), why);
  if (!options_.retries) return end({ErrorCode::unavailable, std::move(text)});
  links_[node].reset();
  const Instant now = clock_.now();
  for (const std::uint64_t id : outstanding_.take_all_back(node)) due_.emplace(now, id);
  // One that was connected to in case it is of use, and is of none.
  if (node != current_ && !has_spoken_[node]) {
    seek_other_later();
    return flush();
  }
  if (node == current_) {
    const bool is_next = !is_tried_first || !has_spoken_[node];
    current_ = best_link();
    last_ =
        current_ != no_node ? current_ : (node + is_next) % static_cast<NodeIndex>(links_.size());
  }
  if (current_ != no_node) {
    events_.on_note(text + "; going on at " + name_of(current_));
    hasten_refused();
    await_first_word();
    seek_other();
    return flush();
  }
  events_.on_note(text + "; connecting again");
  start_away_timer(text);
  // Where another node is being looked for, on_attempt() goes on from there.
  if (reconnector_.is_busy()) return;
  reconnector_.try_later(last_, [this](auto next) { on_attempt(std::move(next)); });
}

/// One that has spoken, else any; no_node where there is none.
NodeIndex Session::best_link() const {
  NodeIndex best = no_node;
  for (NodeIndex node = 0; node < links_.size(); ++node) {
    if (links_[node] && (best == no_node || (has_spoken_[node] && !has_spoken_[best]))) best = node;
  }
  return best;
}

/// The current node refuses tasks: the next one that can be connected to gets them.
void Session::move_on() {
  const Instant now = clock_.now();
  if (options_.nodes.size() == 1 || reconnector_.is_busy() || now < next_move_) return;
  next_move_ = now + between_moves;
  auto order = reconnector_.order_from(current_);
  order.erase(order.begin());
  if (links_[order.front()]) {
    current_ = last_ = order.front();
    hasten_refused();
    await_first_word();
    return seek_other();
  }
  std::erase_if(order, [this](NodeIndex node) { return static_cast<bool>(links_[node]); });
  reconnector_.try_each(std::move(order), connect_budget,
                        [this](auto next) { on_attempt(std::move(next)); });
}

void Session::start_away_timer(const std::string& why) {
  if (is_away_) return;
  is_away_ = true;
  away_timer_.expires_after(timer_length(options_.timeout));
  away_timer_.async_wait([this, why](asio::error_code error) {
    if (error || ended_ || !is_away_) return;
    is_away_ = false;
    if (current_ == no_node) events_.on_away({ErrorCode::unavailable, why});
  });
}

void Session::on_heard() {
  was_heard_ = true;
  reconnector_.forget_back_off();
  if (!is_away_) return;
  is_away_ = false;
  away_timer_.cancel();
}

void Session::learn_identity(NodeIndex node, const wire::NodeIdentity& identity) {
  if (!identity.is_original()) {
    ids_[node] = identity.node;
    silence_[node].is_fogctl = true;
    links_[node]->set_pacing(Duration::zero());
    if (options_.retries) links_[node]->set_patience(longest_silence);
  }
  seek_other();
}

const std::string& Session::name_of(NodeIndex node) const {
  return links_[node]->peer();
}

}  // namespace fogctl
