// Random numbers: a small generator with a seed that can be replayed, and the one door to the
// system's entropy. A Random belongs to one thread; the functions may be called from any.
#pragma once

#include <cstdint>
#include <string>

namespace fogctl {

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): equal seeds give equal draws on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  [[nodiscard]] std::uint64_t next();
  /// A whole number in [0, bound); bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  /// A number in [0, 1).
  [[nodiscard]] double unit();

 private:
  std::uint64_t state_;
};

/// 64 bits of the operating system's entropy: for seeds and ids, not for decisions.
[[nodiscard]] std::uint64_t entropy();

/// 128 bits from `random` as 32 hexadecimal digits.
[[nodiscard]] std::string random_hex_id(Random& random);

/// 90 bits from `random` as 15 of [A-Za-z0-9_-]: unique among tasks, and short enough for a
/// std::string to hold without allocating.
[[nodiscard]] std::string random_short_id(Random& random);

}  // namespace fogctl
