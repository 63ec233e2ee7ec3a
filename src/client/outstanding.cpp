#include "client/outstanding.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace fogctl {

std::uint64_t Outstanding::add(std::size_t stream, Instant now) {
  slots_.push_back({now, stream, true});
  ++size_;
  return first_id_ + slots_.size() - 1;
}

Outstanding::Answer Outstanding::take(std::uint64_t id) {
  if (id == 0 || id >= first_id_ + slots_.size()) return {Match::unknown, {}};
  if (id < first_id_) return {was_given_up(id) ? Match::late : Match::repeated, {}};
  Slot& slot = slots_[id - first_id_];
  if (!slot.is_open) return {Match::repeated, {}};
  const SentTask task{id, slot.stream, slot.sent};
  slot.is_open = false;
  --size_;
  drop_closed_front();
  return {Match::first, task};
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
