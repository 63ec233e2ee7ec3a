#include "sim/draws.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fogctl::sim {
namespace {

constexpr double ln2_high = 0x1.62e42fefa0000p-1;  // 33 bits: k * ln2_high is exact
constexpr double ln2_low = 0x1.cf79abc9e3b3ap-40;

/// 2^k for -1022 <= k <= 1023.
double power_of_two(int k) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
}

/// x^y for x > 0.
double power(double x, double y) {
  return exponential(y * natural_log(x));
}

}  // namespace

double natural_log(double x) {
  // x = m * 2^k with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh((m - 1) / (m + 1)).
  const auto bits = std::bit_cast<std::uint64_t>(x);
  int k = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000f'ffff'ffff'ffffULL) | 0x3ff0'0000'0000'0000ULL);
  if (m > 0x1.6a09e667f3bcdp+0) {
    m /= 2;
    ++k;
  }
  const double s = (m - 1) / (m + 1);
  const double square = s * s;
  double sum = 0;
  for (int odd = 23; odd >= 3; odd -= 2) sum = (sum + 1.0 / odd) * square;
  return k * ln2_high + (2 * s + (2 * s * sum + k * ln2_low));
}

double exponential(double x) {
  const int k = static_cast<int>(x / (ln2_high + ln2_low) + (x < 0 ? -.5 : .5));
  const double r = (x - k * ln2_high) - k * ln2_low;
  double sum = 1;
  for (int i = 14; i >= 1; --i) sum = 1 + sum * r / i;
  return sum * power_of_two(k);
}

double draw_exponential(Random& random) {
  return -natural_log(1 - random.unit());
}

double draw_normal(Random& random) {
  while (true) {
    const double u = 2 * random.unit() - 1;
    const double v = 2 * random.unit() - 1;
    const double s = u * u + v * v;
    if (s >= 1 || s == 0) continue;
    return u * std::sqrt(-2 * natural_log(s) / s);
  }
}

ExecutionDraw::ExecutionDraw(const ExecutionShape& shape, Duration mean)
    : shape_(shape), mean_(static_cast<double>(mean.count())) {
  if (shape.kind == ExecutionShape::Kind::lognormal) {
    const double variance = natural_log(1 + shape.variation * shape.variation);
    first_ = natural_log(mean_) - variance / 2;
    second_ = std::sqrt(variance);
  } else if (shape.kind == ExecutionShape::Kind::pareto) {
    const double a = shape.alpha;
    second_ = 1 - power(shape.ratio, -a);
    // The mean of one whose shortest is 1.
    const double unit_mean = a / (a - 1) * (1 - power(shape.ratio, 1 - a)) / second_;
    first_ = mean_ / unit_mean;
  }
}

Duration ExecutionDraw::operator()(Random& random) const {
  double length = mean_;
  switch (shape_.kind) {
    case ExecutionShape::Kind::lognormal:
      length = exponential(first_ + second_ * draw_normal(random));
      break;
    case ExecutionShape::Kind::exponential:
      length = mean_ * draw_exponential(random);
      break;
    case ExecutionShape::Kind::constant:
      break;
    case ExecutionShape::Kind::pareto:
      length = first_ * power(1 - random.unit() * second_, -1 / shape_.alpha);
      break;
  }
  return Duration(std::max<std::int64_t>(1, static_cast<std::int64_t>(length)));
}

}  // namespace fogctl::sim
