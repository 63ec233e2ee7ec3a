// What happens next on virtual time: a heap of four children a parent, which takes fewer cache
// lines than one of two. Equal instants keep the order in which they were added. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.hpp"

namespace fogctl::sim {

template <typename Event>
class EventQueue {
 public:
  struct Item {
    Instant at;
    std::uint64_t order = 0;
    Event event;
  };

  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  /// Not when empty.
  [[nodiscard]] const Item& front() const { return items_.front(); }

  void push(Instant at, const Event& event) {
    std::size_t hole = items_.size();
    const Item added{at, next_order_++, event};
    items_.push_back(added);
    while (hole > 0) {
      const std::size_t parent = (hole - 1) / 4;
      if (!earlier(added, items_[parent])) break;
      items_[hole] = items_[parent];
      hole = parent;
    }
    items_[hole] = added;
  }

  /// The earliest, removed; not when empty.
  Item pop() {
    const Item earliest = items_.front();
    const Item last = items_.back();
    items_.pop_back();
    if (!items_.empty()) sink(last);
    return earliest;
  }

 private:
  static bool earlier(const Item& a, const Item& b) {
    return a.at < b.at || (a.at == b.at && a.order < b.order);
  }

  /// Puts `item` where it belongs, from the top down.
  void sink(const Item& item) {
    std::size_t hole = 0;
    while (true) {
      const std::size_t first = 4 * hole + 1;
      if (first >= items_.size()) break;
      const std::size_t end = std::min(first + 4, items_.size());
      std::size_t least = first;
      for (std::size_t child = first + 1; child < end; ++child) {
        if (earlier(items_[child], items_[least])) least = child;
      }
      if (!earlier(items_[least], item)) break;
      items_[hole] = items_[least];
      hole = least;
    }
    items_[hole] = item;
  }

  std::vector<Item> items_;
  std::uint64_t next_order_ = 0;
};

}  // namespace fogctl::sim
