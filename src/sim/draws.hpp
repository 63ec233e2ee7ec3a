// Random draws that are the same bits on every machine: logarithm and exponential are made of
// additions, multiplications and divisions in a fixed order, since libm's last bit differs between
// processors. Built with -ffp-contract=off. Pure; any thread.
#pragma once

#include <cstdint>

#include "base/random.hpp"
#include "base/time.hpp"

namespace fogctl::sim {

/// Natural logarithm of a positive, normal number; error about 1 ulp.
[[nodiscard]] double natural_log(double x);
/// e^x, for |x| <= 700; error about 1 ulp.
[[nodiscard]] double exponential(double x);

/// Exponentially distributed, with mean 1.
[[nodiscard]] double draw_exponential(Random& random);
/// Standard normal, by Marsaglia's polar method.
[[nodiscard]] double draw_normal(Random& random);

/// How long tasks of one class run, by shape; the mean stays what it is.
struct ExecutionShape {
  enum class Kind : std::uint8_t { lognormal, exponential, constant, pareto };
  Kind kind = Kind::lognormal;
  double variation = .5;  // lognormal: standard deviation / mean
  double alpha = 1.3;     // bounded Pareto: its exponent, != 1
  double ratio = 1000;    // ... and longest / shortest
};

/// Draws lengths of one shape and mean.
class ExecutionDraw {
 public:
  ExecutionDraw(const ExecutionShape& shape, Duration mean);
  /// At least a nanosecond.
  [[nodiscard]] Duration operator()(Random& random) const;

 private:
  ExecutionShape shape_;
  double mean_;        // ns
  double first_ = 0;   // lognormal: mu; Pareto: the shortest, ns
  double second_ = 0;  // lognormal: sigma; Pareto: 1 - ratio^-alpha
};

}  // namespace fogctl::sim
