// A session's part about tasks that another node gets too, since the first did not say in time that
// it has accepted them; and the connection that is kept for that.
#include <algorithm>
#include <asio/post.hpp>
#include <vector>

#include "client/session.hpp"
#include "json/json.hpp"
#include "net/timer_length.hpp"

namespace fogctl {
namespace {

/// A node says first who it is; one of the original system may not.
constexpr Duration first_word_within = std::chrono::milliseconds(200);
constexpr Duration between_searches = std::chrono::seconds(1);
constexpr Duration search_budget = std::chrono::seconds(2);

}  // namespace

/// Whether it is of fogctl is to be known before the first task goes there.
void Session::await_first_word() {
  awaits_first_word_ = false;
  word_timer_.cancel();
  if (!hedging_.is_on() || has_spoken_[current_]) return;
  awaits_first_word_ = true;
  word_until_ = clock_.now() + first_word_within;
  arm_word_timer(std::min(first_word_within, hedging_.shortest_patience()));
}

/// Where another node has spoken, it is waited no longer than for a task to be accepted.
void Session::arm_word_timer(Duration length) {
  word_timer_.expires_after(timer_length(length));
  word_timer_.async_wait([this](asio::error_code error) {
    if (error || ended_ || !awaits_first_word_) return;
    const NodeIndex other = node_other_than(current_);
    const Duration left = word_until_ - clock_.now();
    if (other == no_node && left > Duration::zero()) return arm_word_timer(left);
    if (other != no_node) current_ = last_ = other;
    on_first_word();
  });
}

void Session::on_first_word() {
  awaits_first_word_ = false;
  word_timer_.cancel();
  flush();
}

/// One of fogctl's that is connected to; a node may have several addresses.
NodeIndex Session::node_other_than(NodeIndex node) const {
  for (NodeIndex other = 0; other < links_.size(); ++other) {
    const bool is_fogctl = links_[other] && !ids_[other].empty();
    if (other != node && is_fogctl && ids_[other] != ids_[node]) return other;
  }
  return no_node;
}

/// Any of the others, so that not all clients of a node choose the same one; and the next one where
/// that turns out to be of no use, or says nothing.
void Session::seek_other() {
  if (!hedging_.is_on() || ended_ || current_ == no_node || seeker_.is_busy()) return;
  if (node_other_than(current_) != no_node) return;
  std::vector<NodeIndex> order;
  for (NodeIndex node = 0; node < links_.size(); ++node) {
    if (!links_[node]) order.push_back(node);
  }
  if (order.empty()) return;
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random_.below(i)]);
  seeker_.try_each(std::move(order), search_budget, [this](auto found) {
    if (ended_) return;
    if (found && !links_[found->node]) open_link(std::move(*found));
    seek_other_later();
  });
}

void Session::seek_other_later() {
  seek_timer_.expires_after(timer_length(between_searches));
  seek_timer_.async_wait([this](asio::error_code error) {
    if (!error) seek_other();
  });
}

/// One timer for all, for the task that is due first.
void Session::arm_hedge_timer() {
  const auto due = hedging_.next_due();
  if (ended_ || !due || (hedge_timer_at_ && *hedge_timer_at_ <= *due)) return;
  hedge_timer_at_ = due;
  hedge_timer_.expires_after(timer_length(*due - clock_.now()));
  hedge_timer_.async_wait([this](asio::error_code error) {
    if (error || ended_) return;
    // Where this process itself was late, what it was told meanwhile is heard first.
    asio::post(hedge_timer_.get_executor(), [this] {
      if (ended_) return;
      hedge_timer_at_.reset();
      hedge_due();
    });
  });
}

void Session::hedge_due() {
  const Instant now = clock_.now();
  while (const auto id = hedging_.take_due(now)) {
    const auto open = outstanding_.find(*id);
    const bool is_alone = open && open->node != no_node && open->other == no_node;
    if (is_alone && !open->is_accepted) hedge(open->task, node_other_than(open->node));
  }
  leave_full();
  for (const auto& link : links_) {
    if (link) link->flush();
  }
  arm_hedge_timer();
}

/// A node that accepts nothing and reads nothing gets no more.
void Session::leave_full() {
  const NodeIndex other = current_ != no_node && is_full() ? node_other_than(current_) : no_node;
  if (other != no_node && links_[other]->unsent_bytes() <= full_bytes) current_ = last_ = other;
}

void Session::hedge(const SentTask& task, NodeIndex other) {
  if (other == no_node || links_[other]->unsent_bytes() > full_bytes) return;
  out_.clear();
  events_.write_task(out_, task, {.wants_accept = true, .is_copy = true});
  links_[other]->send(out_);
  outstanding_.hedge_to(task.id, other);
  hedging_.on_hedged(task, other);
}

void Session::on_accepted(NodeIndex node, const wire::Accepted& accepted) {
  const auto number = json::read_integer(accepted.task_id);
  if (!number || *number <= 0) return;
  const auto id = static_cast<std::uint64_t>(*number);
  const auto open = outstanding_.find(id);
  if (!open) return hedging_.on_accepted_late(id, node, clock_.now());
  if (node != open->other) hedging_.on_accepted(clock_.now() - open->task.sent);
  if (open->is_accepted || (node != open->node && node != open->other)) return;
  outstanding_.note_accepted(id, node);
  if (open->other != no_node) give_up_at(node == open->node ? open->other : open->node, open->task);
}

/// Another node has it, or has answered it.
void Session::give_up_at(NodeIndex node, const SentTask& task) {
  if (node == no_node || !links_[node] || ids_[node].empty()) return;
  out_.clear();
  events_.write_give_up(out_, task);
  links_[node]->send(out_);
  links_[node]->flush();
}

/// An error of a node that does not have the task, or not alone: the one that has it is the one to
/// say what becomes of it.
bool Session::is_error_of_other(NodeIndex node, std::uint64_t id,
                                const wire::ResultMessage& message) {
  if (!hedging_.is_known(id) || !message.result.error) return false;
  const auto open = outstanding_.find(id);
  if (!open || open->node == node) return false;
  if (open->other == node) outstanding_.hedge_to(id, no_node);
  return true;
}

}  // namespace fogctl
