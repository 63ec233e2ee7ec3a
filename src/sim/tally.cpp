#include "sim/tally.hpp"

#include <algorithm>
#include <bit>

namespace fogctl::sim {
namespace {

constexpr unsigned fraction_bits = 6;

/// Up to 2^fraction_bits one by one, then so many for each power of two.
std::size_t index_of_wait(std::uint64_t ns) {
  const unsigned width = static_cast<unsigned>(std::bit_width(ns));
  if (width <= fraction_bits + 1) return ns;
  const unsigned shift = width - fraction_bits - 1;
  return (static_cast<std::size_t>(shift) << fraction_bits) + (ns >> shift);
}

/// The middle of those that share an index.
std::uint64_t wait_at(std::size_t index) {
  if (index < (std::size_t{2} << fraction_bits)) return index;
  const std::size_t shift = (index >> fraction_bits) - 1;
  const std::uint64_t mantissa = index - (shift << fraction_bits);
  return (mantissa << shift) + ((std::uint64_t{1} << shift) >> 1);
}

}  // namespace

void WaitHistogram::add(Duration wait) {
  const auto index =
      index_of_wait(static_cast<std::uint64_t>(std::max<std::int64_t>(0, wait.count())));
  if (index >= counts_.size()) counts_.resize(index + 1);
  ++counts_[index];
}

void WaitHistogram::add(const WaitHistogram& other) {
  counts_.resize(std::max(counts_.size(), other.counts_.size()));
  for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
}

Duration WaitHistogram::quantile(double share) const {
  std::uint64_t total = 0;
  for (const std::uint64_t count : counts_) total += count;
  const double wanted = share * static_cast<double>(total);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen > 0 && static_cast<double>(seen) >= wanted) {
      return Duration(static_cast<std::int64_t>(wait_at(i)));
    }
  }
  return {};
}

void Tally::add_answer(const TracedTask& task, Duration requirement, Duration wait, RanAt where) {
  ClassTally& of_class = classes[index_of(task.weight)];
  ++of_class.tasks;
  if (wait <= requirement) ++of_class.in_time;
  ++ran[static_cast<std::size_t>(where)];
  waits.add(wait);
}

void Tally::add_lost(const TracedTask& task) {
  ++classes[index_of(task.weight)].tasks;
  ++lost;
}

void Tally::add(const Tally& other) {
  for (std::size_t i = 0; i < classes.size(); ++i) {
    classes[i].tasks += other.classes[i].tasks;
    classes[i].in_time += other.classes[i].in_time;
    ran[i] += other.ran[i];
  }
  waits.add(other.waits);
  lost += other.lost;
  messages += other.messages;
  all_tasks += other.all_tasks;
  executed += other.executed;
  wasted += other.wasted;
  events += other.events;
}

ClassTally Tally::all() const {
  ClassTally sum;
  for (const ClassTally& of_class : classes) {
    sum.tasks += of_class.tasks;
    sum.in_time += of_class.in_time;
  }
  return sum;
}

}  // namespace fogctl::sim
