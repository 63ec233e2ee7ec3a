#include "scheduling/neighbours.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace fogctl {
namespace {

/// How much of its workers' time a neighbour has for what one node hands to it. With none, what was
/// handed to it a while ago would count for ever; by simulation .1 to .3 bring as many in time.
constexpr double share_for_one = .2;

std::size_t index_of_slack(Duration slack) {
  const auto found = std::ranges::lower_bound(wait_slacks, slack);
  return found == wait_slacks.end() ? wait_slacks.size() - 1
                                    : static_cast<std::size_t>(found - wait_slacks.begin());
}

auto order_of(const Neighbour& neighbour) {
  return std::tuple<std::string_view, PeerId>(neighbour.who.id(), neighbour.link);
}

void retire(Neighbour& neighbour, Instant now) {
  neighbour.is_retired = true;
  neighbour.retired_at = now;
}

}  // namespace

void Neighbour::note_sent(Duration slack, Duration execution) {
  sent_work[index_of_slack(slack)] += to_seconds(execution);
}

WaitEstimate Neighbour::start_wait(Duration slack, Instant now) const {
  const std::size_t index = index_of_slack(slack);
  // One that does not say how its waits spread is taken to spread by half of the mean.
  const Duration told = state.expected_wait.value_or(Duration::zero());
  WaitEstimate wait = state.waits ? (*state.waits)[index] : WaitEstimate{told, told / 2};
  const double sent = std::accumulate(sent_work.begin(), sent_work.begin() + index + 1, 0.0);
  const auto workers = static_cast<double>(std::max<std::size_t>(1, state.workers));
  const double left = sent / workers - share_for_one * to_seconds(now - state_at);
  if (left > 0) wait.mean = add_saturating(wait.mean, from_seconds(left));
  return wait;
}

void Neighbours::add(PeerId link, NeighbourIdentity who, Instant now) {
  Neighbour added;
  added.link = link;
  added.heard_at = now;
  if (Neighbour* older = find(std::string_view(who.id()))) {
    Neighbour& second = newer_stays(*older, who) ? *older : added;
    second.is_second = true;
    retire(second, now);
  }
  added.who = std::move(who);
  const auto place = std::ranges::lower_bound(neighbours_, order_of(added), {}, order_of);
  neighbours_.insert(place, std::move(added));
  ++version_;
}

/// Both ends answer alike: each knows both ids and who opened which link.
bool Neighbours::newer_stays(const Neighbour& older, const NeighbourIdentity& newer) const {
  if (newer.is_original() || newer.is_opened_here == older.who.is_opened_here) return true;
  const bool is_own_smaller = rules_.own_node < newer.node;
  return newer.is_opened_here == is_own_smaller;
}

void Neighbours::remove(PeerId link) {
  const auto removed = std::ranges::find(neighbours_, link, &Neighbour::link);
  if (removed == neighbours_.end()) return;
  const std::string id = removed->who.id();
  const bool was_active = !removed->is_retired;
  neighbours_.erase(removed);
  ++version_;
  const auto second = std::ranges::find_if(neighbours_, [&](const Neighbour& neighbour) {
    return neighbour.is_second && neighbour.who.id() == id;
  });
  if (was_active && second != neighbours_.end()) second->is_retired = second->is_second = false;
}

Neighbour* Neighbours::find(PeerId link) {
  const auto found = std::ranges::find(neighbours_, link, &Neighbour::link);
  return found == neighbours_.end() ? nullptr : &*found;
}

Neighbour* Neighbours::find(std::string_view id) {
  const auto id_of = [](const Neighbour& neighbour) -> std::string_view {
    return neighbour.who.id();
  };
  auto found = std::ranges::lower_bound(neighbours_, id, {}, id_of);
  while (found != neighbours_.end() && found->who.id() == id && found->is_retired) ++found;
  return found == neighbours_.end() || found->who.id() != id ? nullptr : &*found;
}

bool Neighbours::is_silent(const Neighbour& neighbour, Instant now) const {
  return now - neighbour.heard_at > longest_age(neighbour);
}

void Neighbours::forgive(Duration gap, Instant now) {
  for (Neighbour& neighbour : neighbours_) {
    neighbour.heard_at = std::min(now, neighbour.heard_at + gap);
  }
}

/// The same for the life of both nodes, and different for every pair: some links go far, so that
/// near ones do not fall apart into islands.
bool Neighbours::is_spared(const Neighbour& neighbour) const {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto mix = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  };
  mix(std::min(rules_.own_node, neighbour.who.node));
  mix(std::max(rules_.own_node, neighbour.who.node));
  return (hash >> 32) % 4 == 0;
}

Neighbour* Neighbours::retire_surplus(Instant now) {
  std::size_t active = 0;
  Neighbour* farthest = nullptr;
  const auto rank = [this](const Neighbour& neighbour) {
    return std::tuple(!is_spared(neighbour), neighbour.delay.value_or(Duration::zero()));
  };
  for (Neighbour& neighbour : neighbours_) {
    if (neighbour.is_retired || neighbour.who.is_original()) continue;
    ++active;
    if (farthest == nullptr || rank(*farthest) < rank(neighbour)) farthest = &neighbour;
  }
  if (active <= rules_.most) return nullptr;
  retire(*farthest, now);
  return farthest;
}

}  // namespace fogctl
