// Quantiles of a stream of durations in bounded memory (at most 60 KB, whatever the number of
// values): buckets whose width grows with the value. Belongs to one thread.
//
// Values below 256 ns have a bucket each; above, every power of two is cut into 128 buckets. A
// quantile is the middle of its bucket, so it is at most 1/256 = 0.4 % off; mean, least and
// greatest are exact.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.hpp"

namespace fogctl {

class Histogram {
 public:
  /// A negative value counts as zero.
  void add(Duration value);
  void merge(const Histogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// The value that `share` (0 to 1) of all are not above, by nearest rank; zero when empty.
  [[nodiscard]] Duration quantile(double share) const;
  [[nodiscard]] Duration mean() const;
  [[nodiscard]] Duration greatest() const { return greatest_; }

 private:
  std::vector<std::uint64_t> buckets_;  // as many as the greatest value needed
  std::uint64_t count_ = 0;
  double sum_ns_ = 0;
  Duration least_ = Duration::max();
  Duration greatest_{};
};

}  // namespace fogctl
