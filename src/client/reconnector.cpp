#include "client/reconnector.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "net/dialer.hpp"
#include "net/timer_length.hpp"

namespace fogctl {
namespace {

/// Shorter than at the start: there may be another node, and it is tried again.
constexpr Duration reconnect_budget = std::chrono::seconds(2);
constexpr Duration longest_believed = std::chrono::seconds(60);

}  // namespace

Duration back_off_after(Duration back_off) {
  return std::clamp(back_off * 2, first_back_off, longest_back_off);
}

Duration believed_pause(std::optional<Duration> said, Duration back_off) {
  return std::min(said.value_or(back_off), longest_believed);
}

Reconnector::Reconnector(asio::io_context& io, std::vector<HostPort> nodes, Random random)
    : io_(io), nodes_(std::move(nodes)), random_(random), timer_(io) {
  FOGCTL_CHECK(!nodes_.empty());
}

void Reconnector::try_each(std::vector<NodeIndex> order, Duration budget, Done done) {
  FOGCTL_CHECK(!is_busy() && !order.empty());
  order_ = std::move(order);
  next_ = 0;
  budget_ = budget;
  failures_.clear();
  done_ = std::move(done);
  dial_next();
}

void Reconnector::try_later(NodeIndex first, Done done) {
  FOGCTL_CHECK(!is_busy());
  done_ = std::move(done);
  back_off_ = back_off_after(back_off_);
  const double share = 0.5 + random_.unit() / 2;
  const Duration pause = from_seconds(to_seconds(back_off_) * share);
  timer_.expires_after(timer_length(pause));
  timer_.async_wait([this, first](asio::error_code error) {
    if (!error && is_busy())
      try_each(order_from(first), reconnect_budget, std::exchange(done_, {}));
  });
}

void Reconnector::stop() {
  timer_.cancel();
  done_ = {};
}

std::vector<NodeIndex> Reconnector::order_from(NodeIndex first) const {
  const auto count = static_cast<NodeIndex>(nodes_.size());
  std::vector<NodeIndex> order;
  order.reserve(nodes_.size());
  for (NodeIndex i = 0; i < count; ++i) order.push_back((first + i) % count);
  return order;
}

void Reconnector::dial_next() {
  const NodeIndex node = order_[next_++];
  dial(io_, nodes_[node], budget_, [this, node](Result<asio::ip::tcp::socket> socket) {
    if (!is_busy()) return;
    if (socket) return finish(Connected{node, std::move(*socket)});
    failures_ += (failures_.empty() ? "" : "; ") + socket.error().message;
    if (next_ < order_.size()) return dial_next();
    finish(failure(socket.error().code, failures_));
  });
}

void Reconnector::finish(Result<Connected> connected) {
  std::exchange(done_, {})(std::move(connected));
}

}  // namespace fogctl
