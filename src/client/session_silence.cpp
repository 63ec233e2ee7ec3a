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

void Session::look_for_silence() {
  for (NodeIndex node = 0; node < links_.size(); ++node) {
    if (!links_[node]) continue;
    Silence& silence = silence_[node];
    silence.looks = is_silent(node) && !outstanding_.is_empty() ? silence.looks + 1 : 0;
    silence.heard = links_[node]->read_bytes();
    if (silence.looks == looks_before_question && !ids_[node].empty()) {
      out_.clear();
      events_.write_question(out_);
      links_[node]->send(out_);
      links_[node]->flush();
    } else if (silence.looks >= looks_before_loss) {
      const std::string why = "it says nothing, though it was asked";
      links_[node]->close(why);
      lose_link(node, why, false);
    }
  }
}

}  // namespace fogctl
