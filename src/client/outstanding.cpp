#include "client/outstanding.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace fogctl {

std::uint64_t Outstanding::add(std::size_t stream, Instant now) {
  slots_.push_back({.sent = now, .stream = stream});
  ++size_;
  return first_id_ + slots_.size() - 1;
}

Outstanding::Answer Outstanding::take(std::uint64_t id) {
  if (id == 0 || id >= first_id_ + slots_.size()) return {Match::unknown};
  if (id < first_id_) return {was_given_up(id) ? Match::late : Match::repeated};
  Slot& slot = slots_[id - first_id_];
  if (!slot.is_open) return {Match::repeated};
  const Answer answer{Match::first, {id, slot.stream, slot.sent}, slot.node, slot.other};
  slot.is_open = false;
  --size_;
  drop_closed_front();
  return answer;
}

std::optional<Outstanding::Open> Outstanding::find(std::uint64_t id) const {
  if (id < first_id_ || id >= first_id_ + slots_.size()) return std::nullopt;
  const Slot& slot = slots_[id - first_id_];
  if (!slot.is_open) return std::nullopt;
  return Open{{id, slot.stream, slot.sent}, slot.node, slot.other, slot.is_accepted};
}

bool Outstanding::give_to(std::uint64_t id, NodeIndex node) {
  Slot& slot = open_slot(id);
  slot.node = node;
  slot.is_accepted = false;
  if (slot.times_sent == 2) return false;
  return ++slot.times_sent == 2;
}

void Outstanding::hedge_to(std::uint64_t id, NodeIndex other) {
  open_slot(id).other = other;
}

void Outstanding::note_accepted(std::uint64_t id, NodeIndex node) {
  Slot& slot = open_slot(id);
  slot.node = node;
  slot.other = no_node;
  slot.is_accepted = true;
}

bool Outstanding::take_back(std::uint64_t id) {
  Slot& slot = open_slot(id);
  slot.node = std::exchange(slot.other, no_node);
  slot.is_accepted = false;
  return slot.node != no_node;
}

std::vector<std::uint64_t> Outstanding::take_all_back(NodeIndex node) {
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].is_open) continue;
    const std::uint64_t id = first_id_ + i;
    if (slots_[i].other == node) slots_[i].other = no_node;
    if (slots_[i].node == node && !take_back(id)) ids.push_back(id);
  }
  return ids;
}

std::optional<Instant> Outstanding::oldest_sent() const {
  if (slots_.empty()) return std::nullopt;
  return slots_.front().sent;
}

SentTask Outstanding::give_up_oldest() {
  FOGCTL_CHECK(!slots_.empty());
  const SentTask task{first_id_, slots_.front().stream, slots_.front().sent};
  if (!given_up_.empty() && given_up_.back().last + 1 == task.id) {
    given_up_.back().last = task.id;
  } else {
    given_up_.push_back({task.id, task.id});
  }
  slots_.front().is_open = false;
  --size_;
  drop_closed_front();
  return task;
}

Outstanding::Slot& Outstanding::open_slot(std::uint64_t id) {
  FOGCTL_CHECK(id >= first_id_ && id < first_id_ + slots_.size());
  Slot& slot = slots_[id - first_id_];
  FOGCTL_CHECK(slot.is_open);
  return slot;
}

void Outstanding::drop_closed_front() {
  while (!slots_.empty() && !slots_.front().is_open) {
    slots_.pop_front();
    ++first_id_;
  }
}

bool Outstanding::was_given_up(std::uint64_t id) const {
  const auto range = std::ranges::lower_bound(given_up_, id, {}, &IdRange::last);
  return range != given_up_.end() && range->first <= id;
}

}  // namespace fogctl
