// Values on their way, each under a small number that an event carries. One thread.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace fogctl::sim {

template <typename T>
class Slab {
 public:
  std::uint32_t put(T value) {
    if (free_.empty()) {
      values_.push_back(std::move(value));
      return static_cast<std::uint32_t>(values_.size() - 1);
    }
    const std::uint32_t number = free_.back();
    free_.pop_back();
    values_[number] = std::move(value);
    return number;
  }
  [[nodiscard]] const T& at(std::uint32_t number) const { return values_[number]; }
  T take(std::uint32_t number) {
    free_.push_back(number);
    return std::move(values_[number]);
  }

 private:
  std::vector<T> values_;
  std::vector<std::uint32_t> free_;
};

}  // namespace fogctl::sim
