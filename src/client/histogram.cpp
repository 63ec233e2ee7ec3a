#include "client/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace fogctl {
namespace {

constexpr std::size_t exact_bits = 8;  // values of so many bits have a bucket each
constexpr std::size_t exact = std::size_t{1} << exact_bits;
constexpr std::size_t per_octave = exact / 2;

std::size_t bucket_of(std::uint64_t value) {
  if (value < exact) return value;
  const auto shift = static_cast<std::size_t>(std::bit_width(value)) - exact_bits;
  const std::size_t within = (value >> shift) - per_octave;
  return exact + (shift - 1) * per_octave + within;
}

Duration middle_of(std::size_t bucket) {
  if (bucket < exact) return Duration(static_cast<std::int64_t>(bucket));
  const std::size_t shift = (bucket - exact) / per_octave + 1;
  const std::uint64_t within = (bucket - exact) % per_octave + per_octave;
  const std::uint64_t middle = (within << shift) + (std::uint64_t{1} << (shift - 1));
  return Duration(static_cast<std::int64_t>(middle));
}

}  // namespace

void Histogram::add(Duration value) {
  value = std::max(value, Duration::zero());
  const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(value.count()));
  if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
  ++buckets_[bucket];
  ++count_;
  sum_ns_ += static_cast<double>(value.count());
  least_ = std::min(least_, value);
  greatest_ = std::max(greatest_, value);
}

void Histogram::merge(const Histogram& other) {
  if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  least_ = std::min(least_, other.least_);
  greatest_ = std::max(greatest_, other.greatest_);
}

Duration Histogram::quantile(double share) const {
  if (count_ == 0) return Duration::zero();
  const double wanted = std::ceil(share * static_cast<double>(count_));
  const std::uint64_t rank =
      std::clamp(static_cast<std::uint64_t>(std::max(wanted, 1.0)), std::uint64_t{1}, count_);
  if (rank == count_) return greatest_;
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while ((seen += buckets_[bucket]) < rank) ++bucket;
  return std::clamp(middle_of(bucket), least_, greatest_);
}

Duration Histogram::mean() const {
  if (count_ == 0) return Duration::zero();
  return Duration(std::llround(sum_ns_ / static_cast<double>(count_)));
}

}  // namespace fogctl
