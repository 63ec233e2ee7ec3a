#include "scheduling/steal_requests.hpp"

#include <algorithm>
#include <utility>

namespace fogctl {

std::int64_t StealRequests::add(PeerId link, Instant now) {
  asked_.push_back({link, ++last_, now + patience});
  return last_;
}

bool StealRequests::take(PeerId link, std::int64_t request) {
  const auto found = std::ranges::find(asked_, request, &Asked::request);
  if (found == asked_.end() || found->link != link) return false;
  asked_.erase(found);
  return true;
}

bool StealRequests::on_task(PeerId link, std::int64_t request) {
  if (!take(link, request)) return false;
  has_won_ = !asked_.empty();
  pause_ = shortest_pause;
  return true;
}

bool StealRequests::on_refusal(PeerId link, std::int64_t request, Instant now) {
  if (!take(link, request)) return false;
  end_round(now);
  return true;
}

void StealRequests::end_round(Instant now) {
  if (!asked_.empty() || std::exchange(has_won_, false)) return;
  ask_at_ = now + pause_;
  pause_ = std::min(2 * pause_, longest_pause);
}

std::vector<PeerId> StealRequests::give_up(Instant now) {
  std::vector<PeerId> silent;
  std::erase_if(asked_, [&](const Asked& one) {
    if (one.until <= now) silent.push_back(one.link);
    return one.until <= now;
  });
  if (!silent.empty()) end_round(now);
  return silent;
}

std::optional<Instant> StealRequests::next(Instant now) const {
  if (!asked_.empty()) return std::ranges::min(asked_, {}, &Asked::until).until;
  return ask_at_ > now ? std::optional(ask_at_) : std::nullopt;
}

}  // namespace fogctl
