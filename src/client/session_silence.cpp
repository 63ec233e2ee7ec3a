// A session's part about nodes that keep their connections and say nothing: they are frozen, or
// something between is.
#include "client/session.hpp"

namespace fogctl {
namespace {

constexpr auto between_looks = std::chrono::seconds(1);
/// So many looks at which nothing had come, before a node is asked, and before it is given up.
/// Looks, not time: where this process itself was frozen, what came meanwhile is heard first.
constexpr int looks_before_question = 5;
constexpr int looks_before_loss = 10;
constexpr Duration speaker_budget = std::chrono::seconds(2);

}  // namespace

void Session::arm_silence_timer() {
  silence_timer_.expires_after(between_looks);
  silence_timer_.async_wait([this](asio::error_code error) {
    if (error || ended_) return;
    look_for_silence();
    if (!ended_) arm_silence_timer();
  });
}

/// What is still on its way there may be long, and the link slow: the kernel watches that.
bool Session::is_silent(NodeIndex node) const {
  return silence_[node].is_fogctl && links_[node]->read_bytes() == silence_[node].heard &&
         links_[node]->is_delivered();
}

/// Nothing ever came from the node that gets the tasks, and there are others to try.
bool Session::is_mute(NodeIndex node) const {
  return node == current_ && links_.size() > 1 && !silence_[node].is_fogctl &&
         links_[node]->read_bytes() == 0;
}

void Session::look_for_silence() {
  for (NodeIndex node = 0; node < links_.size(); ++node) {
    if (!links_[node]) continue;
    Silence& silence = silence_[node];
    const bool is_quiet = is_silent(node) || is_mute(node);
    silence.looks = is_quiet && !outstanding_.is_empty() ? silence.looks + 1 : 0;
    silence.heard = links_[node]->read_bytes();
    if (is_mute(node)) {
      leave_mute(node);
    } else if (silence.looks == looks_before_question && !ids_[node].empty()) {
      question(node);
    } else if (silence.looks >= looks_before_loss) {
      const std::string why = "it says nothing, though it was asked";
      links_[node]->close(why);
      lose_link(node, why, false);
    }
  }
}

void Session::question(NodeIndex node) {
  out_.clear();
  events_.write_question(out_);
  links_[node]->send(out_);
  links_[node]->flush();
}

/// What it is nobody knows, so it cannot be asked; one that speaks is better.
void Session::leave_mute(NodeIndex node) {
  if (silence_[node].looks < looks_before_question) return;
  const NodeIndex best = best_link();
  if (!has_spoken_[best]) return seek_speaker();
  if (silence_[node].looks < looks_before_loss) return;
  const std::string why = "it says nothing";
  links_[node]->close(why);
  lose_link(node, why, false);
}

/// The others in turn: one that is connected to may say nothing either.
void Session::seek_speaker() {
  if (seeker_.is_busy()) return;
  auto order = reconnector_.order_from((sought_ + 1) % static_cast<NodeIndex>(links_.size()));
  std::erase_if(order, [this](NodeIndex node) { return static_cast<bool>(links_[node]); });
  if (order.empty()) return;
  seeker_.try_each(std::move(order), speaker_budget, [this](auto found) {
    if (ended_ || !found) return;
    sought_ = found->node;
    if (!links_[sought_]) open_link(std::move(*found));
  });
}

}  // namespace fogctl
