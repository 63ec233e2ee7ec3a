#include "client/hedging.hpp"

#include <algorithm>

namespace fogctl {
namespace {

constexpr Duration least_patience = std::chrono::milliseconds(1);
/// An answer from the other node crosses the word that it is not needed, if it comes at all.
constexpr std::size_t most_known = 10'000;
/// So often the median is worked out anew, and each time among the first.
constexpr std::size_t between_medians = 16;

}  // namespace

Hedging::Hedging(double share, const std::vector<Duration>& requirements) : is_on_(share > 0) {
  for (const Duration requirement : requirements) {
    const Duration patience = from_seconds(to_seconds(requirement) * share);
    streams_.push_back({std::max(patience, least_patience), {}});
  }
}

Duration Hedging::shortest_patience() const {
  Duration least = Duration::max();
  for (const Stream& stream : streams_) least = std::min(least, stream.patience);
  return least;
}

void Hedging::on_sent(std::uint64_t id, std::size_t stream, Instant now) {
  streams_[stream].sent.push_back({id, now});
}

void Hedging::drop_settled(std::size_t stream, const Outstanding& outstanding) {
  std::deque<Sent>& sent = streams_[stream].sent;
  while (!sent.empty()) {
    const auto open = outstanding.find(sent.front().id);
    if (open && !open->is_accepted) return;
    sent.pop_front();
  }
}

void Hedging::on_accepted(Duration took) {
  took_[accepted_++ % took_.size()] = took;
  if (accepted_ > between_medians && accepted_ % between_medians != 0) return;
  const std::size_t count = std::min(accepted_, took_.size());
  auto sorted = took_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(count));
  usual_ = *middle;
}

/// Else where the other node is always faster nothing would be learnt of this one.
void Hedging::on_accepted_late(std::uint64_t id, NodeIndex node, Instant now) {
  const auto hedged = known_.find(id);
  if (hedged != known_.end() && hedged->second.other != node) {
    on_accepted(now - hedged->second.sent);
  }
}

Instant Hedging::due_of(const Stream& stream) const {
  return stream.sent.front().at + std::max(stream.patience, 2 * usual_);
}

std::optional<Instant> Hedging::next_due() const {
  std::optional<Instant> next;
  for (const Stream& stream : streams_) {
    if (!stream.sent.empty() && (!next || due_of(stream) < *next)) next = due_of(stream);
  }
  return next;
}

std::optional<std::uint64_t> Hedging::take_due(Instant now) {
  for (Stream& stream : streams_) {
    if (stream.sent.empty() || due_of(stream) > now) continue;
    const std::uint64_t id = stream.sent.front().id;
    stream.sent.pop_front();
    return id;
  }
  return std::nullopt;
}

void Hedging::on_hedged(const SentTask& task, NodeIndex other) {
  ++hedged_;
  if (!known_.insert_or_assign(task.id, Hedged{task.sent, other}).second) return;
  known_order_.push_back(task.id);
  if (known_order_.size() <= most_known) return;
  known_.erase(known_order_.front());
  known_order_.pop_front();
}

}  // namespace fogctl
