// The order of queued tasks in memory: two heaps over slots of a store, by start-by and by arrival.
// A slot that left the queue stays in its heaps until it comes to the top or they are rebuilt, so
// that no call searches. Belongs to the store, under its lock.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "base/time.hpp"
#include "queue/task_queue.hpp"

namespace fogctl {

class ReadyOrder {
 public:
  struct Item {
    Instant key;
    std::uint64_t ticket = 0;  // ties in arrival order
    std::uint32_t slot = 0;
  };

  void push(Instant start_by, Instant arrival, std::uint64_t ticket, std::uint32_t slot) {
    add(by_start_, {start_by, ticket, slot});
    add(by_age_, {arrival, ticket, slot});
  }

  /// The next in this order for which `is_queued` (of an item) still holds; it stays.
  template <typename IsQueued>
  [[nodiscard]] std::optional<Item> front(QueueOrder order, Instant now, IsQueued is_queued) {
    if (order == QueueOrder::start_by) {
      // What became late is left to the other heap: there the oldest comes first.
      while (!by_start_.empty() && (by_start_.front().key < now || !is_queued(by_start_.front()))) {
        drop_front(by_start_);
      }
      if (!by_start_.empty()) return by_start_.front();
    }
    while (!by_age_.empty() && !is_queued(by_age_.front())) drop_front(by_age_);
    if (by_age_.empty()) return std::nullopt;
    return by_age_.front();
  }

  /// Call after slots left the queue: rebuilds the heaps when most of them is stale.
  template <typename IsQueued>
  void tidy(std::size_t queued, IsQueued is_queued) {
    for (auto* heap : {&by_start_, &by_age_}) {
      if (queued == 0) heap->clear();
      if (heap->size() <= 2 * queued + 64) continue;
      std::erase_if(*heap, [&](const Item& item) { return !is_queued(item); });
      std::make_heap(heap->begin(), heap->end(), later);
    }
  }

 private:
  static bool later(const Item& a, const Item& b) {
    return std::tie(a.key, a.ticket) > std::tie(b.key, b.ticket);
  }
  static void add(std::vector<Item>& heap, const Item& item) {
    heap.push_back(item);
    std::push_heap(heap.begin(), heap.end(), later);
  }
  static void drop_front(std::vector<Item>& heap) {
    std::pop_heap(heap.begin(), heap.end(), later);
    heap.pop_back();
  }

  std::vector<Item> by_start_;
  std::vector<Item> by_age_;
};

}  // namespace fogctl
