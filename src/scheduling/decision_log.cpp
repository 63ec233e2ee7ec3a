#include "scheduling/decision_log.hpp"

#include <utility>

#include "base/check.hpp"

namespace fogctl {

Decision& DecisionLog::add(Instant now) {
  FOGCTL_CHECK(is_on());
  if (decided_ == 0) {  // pages that are not written yet cost nothing
    kept_.reserve(most_);
    places_.reserve(most_places);
  }
  const std::size_t at = decided_++ % most_;
  if (at == kept_.size()) kept_.emplace_back();
  Kept& kept = kept_[at];
  kept.own = {.first = seen_, .size = 0, .at = now};
  kept.neighbours = {};
  kept.decision.at = now;
  kept.decision.is_last = true;
  kept.decision.shadow.reset();
  kept.decision.ending.reset();
  return kept.decision;
}

void DecisionLog::see(const SeenPlace& place) {
  Block& own = last().own;
  FOGCTL_CHECK(own.first + own.size == seen_);
  ++own.size;
  append(place);
}

void DecisionLog::see_neighbours(std::span<const SeenPlace> neighbours) {
  neighbours_ = {seen_, static_cast<std::uint32_t>(neighbours.size()), last().decision.at};
  for (const SeenPlace& place : neighbours) append(place);
  last().neighbours = neighbours_;
}

Decision* DecisionLog::find(std::uint64_t number) {
  if (number == 0 || number + most_ <= decided_) return nullptr;
  return &kept_[(number - 1) % most_].decision;
}

void DecisionLog::append_to(std::vector<SeenPlace>& places, const Block& block, Instant at) const {
  for (std::uint32_t i = 0; i < block.size; ++i) {
    places.push_back(places_[(block.first + i) % most_places]);
    places.back().age += static_cast<float>(to_seconds(at - block.at));
  }
}

std::vector<DecisionLog::Found> DecisionLog::of(std::string_view uid, Instant now) const {
  std::vector<Found> all;
  const std::uint64_t first = decided_ > most_ ? decided_ - most_ : 0;
  for (std::uint64_t number = first; number < decided_; ++number) {
    const Kept& kept = kept_[number % most_];
    const Decision& decision = kept.decision;
    if (decision.uid.text() != uid || now - decision.at > longest_memory) continue;
    if (!is_whole(kept.own) || !is_whole(kept.neighbours)) continue;
    Found found{decision, {}};
    append_to(found.places, kept.own, decision.at);
    append_to(found.places, kept.neighbours, decision.at);
    all.push_back(std::move(found));
  }
  return all;
}

}  // namespace fogctl
