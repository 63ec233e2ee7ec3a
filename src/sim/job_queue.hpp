// Jobs that wait, in the order in which the memory queue of production serves them: its own
// ReadyOrder. A job is a number of its owner's. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "queue/ready_order.hpp"

namespace fogctl::sim {

class JobQueue {
 public:
  using Job = std::uint32_t;
  struct Waiting {
    Job job = 0;
    Instant start_by;
    Instant arrival;
  };
  /// A waiting job's place: valid until the job has left.
  struct Place {
    std::uint32_t slot = 0;
    std::uint64_t ticket = 0;
  };

 private:
  struct Slot {
    Waiting waiting;
    std::uint64_t ticket = 0;  // 0: free
  };
  auto is_queued() const {
    return [this](const ReadyOrder::Item& item) { return slots_[item.slot].ticket == item.ticket; };
  }

 public:
  explicit JobQueue(QueueOrder order) : order_(order) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  void clear() { *this = JobQueue(order_); }

  Place push(const Waiting& waiting) {
    std::uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    slots_[slot] = {waiting, ++last_ticket_};
    ready_.push(waiting.start_by, waiting.arrival, last_ticket_, slot);
    ++size_;
    return {slot, last_ticket_};
  }

  /// The one whose turn it is at `now`, removed.
  std::optional<Waiting> pop(Instant now) {
    if (size_ == 0) return std::nullopt;
    const auto item = ready_.front(order_, now, is_queued());
    if (!item) return std::nullopt;
    const Waiting waiting = slots_[item->slot].waiting;
    leave(item->slot);
    return waiting;
  }

  /// False: it has left before.
  bool remove(const Place& place) {
    if (slots_[place.slot].ticket != place.ticket) return false;
    leave(place.slot);
    return true;
  }

 private:
  void leave(std::uint32_t slot) {
    slots_[slot].ticket = 0;
    free_.push_back(slot);
    --size_;
    ready_.tidy(size_, is_queued());
  }

  QueueOrder order_;
  ReadyOrder ready_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace fogctl::sim
