// How a node ends, in bounded time whatever the queue does.
#include <algorithm>
#include <asio/post.hpp>
#include <system_error>

#include "base/log.hpp"
#include "net/timer_length.hpp"
#include "node/node.hpp"
#include "node/signals.hpp"

namespace fogctl {
namespace {

/// For the peers to read what was said to them at the very end.
constexpr Duration last_words = std::chrono::milliseconds(250);

}  // namespace

void Node::wait_for_signal() {
  signals_.async_wait([this](asio::error_code error, int) {
    if (error) return;
    signals_.clear();
    end_at_next_signal();
    drain();
  });
}

/// Stopping: 1. no new connection and no new task, and the neighbours are told; 2. what runs is
/// finished, what is queued is handed on, what is away is waited for, and all of it is answered;
/// 3. the rest goes back to the queue; 4. what still waits for an answer that cannot come is told
/// so; 5. the connections close once all is written. A thread that hangs in a call to the queue,
/// which cannot be ended while it connects, is left behind.
void Node::drain() {
  log(LogLevel::info, "stopping: finishing what runs, at most {}",
      format_duration(options_.drain_timeout));
  is_draining_ = true;
  listener_.close();
  mesh_.stop_looking();
  scheduler_.on_drain(clock_.now(), actions_);
  perform();
  const Instant deadline = drain_end(clock_.now(), options_.drain_timeout);
  leave_behind_at(deadline + longest_leaving);
  try {
    drainer_ = std::jthread([this, deadline] { leave_by(deadline, true); });
  } catch (const std::system_error& error) {
    log(LogLevel::warning, "no thread can be had to stop on: {}", error.code().message());
    leave_by(deadline, false);
  }
}

/// On the network thread (not `is_apart`), which then reads nothing meanwhile, what is away or
/// queued is not waited for.
void Node::leave_by(Instant deadline, bool is_apart) {
  crew_.stop_leasing(deadline);
  if (is_apart) {
    asio::post(io_, [this] {  // not before: what was leased ahead is queued again now
      may_hand_over_ = true;
      scheduler_.return_to_senders(clock_.now(), actions_);
      hand_over();
      perform();
    });
  }
  const bool is_drained = crew_.drain(deadline);
  if (is_apart) {
    nothing_away_.get_future().wait_for(std::max(deadline - clock_.now(), Duration::zero()));
  }
  crew_.leave();
  asio::post(io_, [this, is_drained] { say_goodbye(is_drained); });
}

void Node::leave_behind_at(Instant end) {
  ends_at_ = end;
  ending_timer_.expires_after(timer_length(end - clock_.now()));
  ending_timer_.async_wait([this](asio::error_code error) {
    if (error || is_goodbye_) return;
    log(LogLevel::warning,
        "the queue could not be left: what is held comes back when the lease runs out");
    say_goodbye(false);
  });
}

/// Connections whose peers take longer are left behind, too.
void Node::end_at(Instant end) {
  ending_timer_.expires_after(timer_length(end - clock_.now()));
  ending_timer_.async_wait([this](asio::error_code error) {
    if (error) return;
    is_drained_ = false;
    io_.stop();
  });
}

void Node::say_goodbye(bool is_drained) {
  if (is_goodbye_) return;
  is_goodbye_ = true;
  end_at(ends_at_ + last_words);
  scheduler_.on_stop(queue_.blocks(), actions_);
  perform();
  const bool is_lane_done = lane_.stop(ends_at_);
  is_drained_ = is_drained && is_lane_done;
  if (cloud_) cloud_->stop();
  if (connections_.empty()) return io_.stop();
  connections_.close_when_written();
}

}  // namespace fogctl
