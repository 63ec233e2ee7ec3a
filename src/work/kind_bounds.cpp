#include "work/kind_bounds.hpp"

#include <algorithm>
#include <utility>

namespace fogctl {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Duration soonest = milliseconds(10);
constexpr Duration latest = std::chrono::seconds(1);
constexpr Duration nearest_turns = microseconds(10);
constexpr Duration farthest_turns = milliseconds(1);

}  // namespace

bool KindBounds::begin(const std::string& kind, int bound) {
  if (bound == 0) return true;
  Kind& one = kinds_[kind];
  if (one.running >= bound) return false;
  ++one.running;
  return true;
}

std::vector<WaitingLease> KindBounds::end(const std::string& kind, int bound, Duration took) {
  Kind& one = kinds_[kind];
  --one.running;
  one.expected = one.expected == Duration::zero() ? took : (one.expected + took) / 2;
  const int room = bound == 0 ? static_cast<int>(one.at_hand.size()) : bound - one.running;
  std::vector<WaitingLease> next;
  for (int i = 0; i < room && !one.at_hand.empty(); ++i) {
    next.push_back(std::move(one.at_hand.front()));
    one.at_hand.pop_front();
  }
  return next;
}

bool KindBounds::keep(WaitingLease& waiting, int bound) {
  auto& at_hand = kinds_[waiting.lease.task->name].at_hand;
  if (at_hand.size() >= 2 * static_cast<std::size_t>(bound)) return false;
  at_hand.push_back(std::move(waiting));
  return true;
}

Instant KindBounds::put_off(const Lease& lease, int bound, Instant now) {
  Kind& kind = kinds_[lease.task->name];
  const Duration a_turn = kind.expected / bound;
  const auto before = static_cast<Duration::rep>(kind.at_hand.size());
  const Duration turn = std::clamp<Duration>(a_turn * before, soonest, latest);
  // Of a kind that never ended nothing is known: those put off must not keep the workers busy with
  // putting them off again.
  const bool is_unknown = kind.expected == Duration::zero();
  const Duration apart =
      is_unknown ? farthest_turns : std::clamp<Duration>(a_turn / 2, nearest_turns, farthest_turns);
  const Duration slack = start_by(*lease.task, lease.arrival) - now;
  const Instant until = std::min(std::max(kind.last_turn + apart, now + turn),
                                 now + std::max<Duration>(slack / 2, latest));
  kind.last_turn = std::max(kind.last_turn, until);
  return until;
}

std::vector<WaitingLease> KindBounds::take_if(
    const std::function<bool(const WaitingLease&)>& is_meant) {
  std::vector<WaitingLease> taken;
  for (auto& [name, kind] : kinds_) {
    std::erase_if(kind.at_hand, [&](WaitingLease& waiting) {
      if (!is_meant(waiting)) return false;
      taken.push_back(std::move(waiting));
      return true;
    });
  }
  return taken;
}

bool KindBounds::has(const LeaseRef& lease) const {
  return std::ranges::any_of(kinds_, [&](const auto& kind) {
    return std::ranges::any_of(kind.second.at_hand, [&](const WaitingLease& waiting) {
      return waiting.lease.number == lease.number && waiting.lease.task->uid == lease.uid;
    });
  });
}

}  // namespace fogctl
