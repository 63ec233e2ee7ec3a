#include "scheduling/decision_log.hpp"

#include <utility>

#include "base/check.hpp"

namespace fogctl {

std::string_view to_string(DecidedCopy::Fate fate) {
  switch (fate) {
    case DecidedCopy::Fate::planned:
      return "planned";
    case DecidedCopy::Fate::sent:
      return "sent";
    case DecidedCopy::Fate::began:
      return "began";
    case DecidedCopy::Fate::turned_away:
      return "turned_away";
  }
  return {};
}

DecidedCopy* Decision::copy_at(PeerId link) {
  for (std::size_t i = copy_count; i > 0; --i) {
    if (copies[i - 1].link == link) return &copies[i - 1];
  }
  return nullptr;
}

Decision& DecisionLog::add(Instant now) {
  FOGCTL_CHECK(is_on());
  if (decided_ == 0) kept_.reserve(most_);  // pages that are not written yet cost nothing
  const std::size_t at = decided_++ % most_;
  if (at == kept_.size()) kept_.emplace_back();
  Kept& kept = kept_[at];
  kept.own = {.first = seen_, .size = 0, .at = now};
  kept.neighbours = {};
  kept.decision.at = now;
  kept.decision.is_last = true;
  kept.decision.copy_count = 0;
  kept.decision.shadow.reset();
  kept.decision.ending.reset();
  needed_from_ = first_place_of(decided_ < most_ ? kept_.front() : kept_[decided_ % most_]);
  return kept.decision;
}

/// Those of later decisions do not come before it.
std::uint64_t DecisionLog::first_place_of(const Kept& kept) const {
  const bool has_neighbours = kept.neighbours.size > 0;
  return has_neighbours ? std::min(kept.own.first, kept.neighbours.first) : kept.own.first;
}

void DecisionLog::grow() {
  constexpr std::size_t first_size = 1024;
  std::vector<SeenPlace> more(places_.empty() ? first_size : 2 * places_.size());
  const std::uint64_t first = seen_ - std::min<std::uint64_t>(seen_, places_.size());
  for (std::uint64_t number = first; number < seen_; ++number) {
    more[number % more.size()] = places_[number % places_.size()];
  }
  places_ = std::move(more);
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
    places.push_back(places_[(block.first + i) % places_.size()]);
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
