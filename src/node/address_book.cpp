#include "node/address_book.hpp"

#include <algorithm>
#include <utility>

namespace fogctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration first_back_off = milliseconds(100);
constexpr Duration longest_back_off_of_living = seconds(2);
constexpr Duration longest_back_off = seconds(30);
constexpr Duration counts_as_alive = minutes(1);
constexpr Duration rest_after_leave = minutes(1);
/// Bounds what a peer that tells of ever new addresses can cost.
constexpr std::size_t most_entries = 4096;
constexpr std::size_t most_heard_of = most_entries * 3 / 4;

}  // namespace

void AddressBook::add_static(const std::string& address, Instant now) {
  Entry& entry = entries_[address];
  entry.is_static = true;
  entry.dial_at = now;
}

bool AddressBook::make_room(Source source) {
  if (source == Source::hearsay) return entries_.size() < most_heard_of;
  if (entries_.size() < most_entries) return true;
  const auto spare = std::ranges::find_if(entries_, [this](const auto& item) {
    const Entry& entry = item.second;
    return !entry.is_static && !entry.is_busy && !linked_.contains(entry.node);
  });
  if (spare == entries_.end()) return false;
  entries_.erase(spare);
  return true;
}

void AddressBook::hear_of(const std::string& address, const std::string& node, Source source,
                          Instant now) {
  if (!node.empty() && node == own_node_) return;
  if (!entries_.contains(address) && !make_room(source)) return;
  const auto [found, is_new] = entries_.try_emplace(address);
  Entry& entry = found->second;
  entry.alive_at = now;
  const bool is_other = !node.empty() && entry.node != node;
  if (is_other) entry.node = node;
  if (is_new || is_other || entry.back_off > longest_back_off_of_living) {
    entry.dial_at = source == Source::node_itself ? Instant{} : now;
    entry.back_off = Duration::zero();
  }
}

bool AddressBook::is_wanted(const Entry& entry) const {
  return !entry.is_busy && entry.node != own_node_ && !linked_.contains(entry.node);
}

std::vector<std::string> AddressBook::take_due(std::size_t room, Instant now) {
  std::erase_if(entries_, [&](const auto& item) {
    const Entry& entry = item.second;
    return !entry.is_static && !entry.is_busy && !linked_.contains(entry.node) &&
           now - entry.alive_at > counts_as_alive;
  });
  std::vector<std::pair<Instant, std::string>> due;
  for (const auto& [address, entry] : entries_) {
    if (is_wanted(entry) && entry.dial_at <= now) due.emplace_back(entry.dial_at, address);
  }
  std::ranges::sort(due);
  std::vector<std::string> taken;
  for (const auto& [dial_at, address] : due) {
    Entry& entry = entries_.find(address)->second;
    if (taken.size() >= room && !entry.is_static) continue;
    entry.is_busy = true;
    taken.push_back(address);
  }
  return taken;
}

/// With jitter: nodes that lost the same neighbour do not come back all at once.
void AddressBook::put_off(Entry& entry, Instant now) {
  const bool is_alive = now - entry.alive_at < counts_as_alive;
  entry.back_off = std::clamp(entry.back_off * 2, first_back_off,
                              is_alive ? longest_back_off_of_living : longest_back_off);
  const Duration pause = from_seconds(to_seconds(entry.back_off) * (0.5 + random_.unit() / 2));
  entry.dial_at = std::max(entry.dial_at, now + pause);
}

void AddressBook::on_unreachable(const std::string& address, Instant now) {
  const auto found = entries_.find(address);
  if (found == entries_.end()) return;
  found->second.is_busy = false;
  put_off(found->second, now);
}

void AddressBook::on_self(const std::string& address) {
  const auto found = entries_.find(address);
  if (found == entries_.end()) return;
  found->second.is_busy = false;
  found->second.node = own_node_;
}

void AddressBook::on_linked(const std::string& address, const std::string& node, Instant now) {
  if (!node.empty()) linked_.insert(node);
  const auto found = entries_.find(address);
  if (found == entries_.end()) return;
  found->second.is_busy = true;
  found->second.node = node;
  found->second.alive_at = now;
  found->second.back_off = Duration::zero();
}

void AddressBook::on_unlinked(const std::string& address, const std::string& node, Instant now) {
  if (const auto linked = linked_.find(node); linked != linked_.end()) linked_.erase(linked);
  for (auto& [key, entry] : entries_) {
    if (key != address && (node.empty() || entry.node != node)) continue;
    if (key == address) entry.is_busy = false;
    entry.alive_at = now;
    put_off(entry, now);
  }
}

void AddressBook::leave_alone(const std::string& node, Instant now) {
  for (auto& [address, entry] : entries_) {
    if (entry.node == node) entry.dial_at = now + rest_after_leave;
  }
}

std::optional<Instant> AddressBook::next_due() const {
  std::optional<Instant> next;
  for (const auto& [address, entry] : entries_) {
    if (is_wanted(entry) && (!next || entry.dial_at < *next)) next = entry.dial_at;
  }
  return next;
}

std::string AddressBook::address_of(const std::string& node) const {
  for (const auto& [address, entry] : entries_) {
    if (!node.empty() && entry.node == node) return address;
  }
  return {};
}

}  // namespace fogctl
