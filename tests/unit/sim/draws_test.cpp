#include <doctest/doctest.h>

#include <cmath>

#include "sim/draws.hpp"

namespace {

using namespace fogctl;
using namespace fogctl::sim;

TEST_CASE("logarithm and exponential are as exact as the library's") {
  for (const double x : {1e-300, 1e-9, .1, .5, .7, .999999, 1.0, 1.4, 2.0, 10.0, 1e18}) {
    CAPTURE(x);
    CHECK(natural_log(x) == doctest::Approx(std::log(x)).epsilon(1e-15));
  }
  for (const double x : {-700.0, -20.0, -1.0, -1e-9, 0.0, .3, 1.0, 30.5, 700.0}) {
    CAPTURE(x);
    CHECK(exponential(x) == doctest::Approx(std::exp(x)).epsilon(1e-15));
  }
}

TEST_CASE("draws have the means and spreads that they promise") {
  using Kind = ExecutionShape::Kind;
  const Duration mean = std::chrono::milliseconds(50);
  struct Row {
    ExecutionShape shape;
    double variation;  // negative: not looked at
  };
  for (const Row& row : {Row{{.kind = Kind::lognormal}, .5}, Row{{.kind = Kind::exponential}, 1},
                         Row{{.kind = Kind::constant}, 0}, Row{{.kind = Kind::pareto}, -1}}) {
    CAPTURE(static_cast<int>(row.shape.kind));
    const ExecutionDraw draw(row.shape, mean);
    Random random(3);
    constexpr int count = 200'000;
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < count; ++i) {
      const double length = to_seconds(draw(random));
      sum += length / count;
      squares += length * length / count;
    }
    CHECK(sum == doctest::Approx(to_seconds(mean)).epsilon(.03));
    const double variation = std::sqrt(std::max(0.0, squares - sum * sum)) / sum;
    if (row.variation >= 0) CHECK(variation == doctest::Approx(row.variation).epsilon(.02));
  }
}

/// The bits, which no machine may change: a golden value of each draw.
TEST_CASE("draws are the same on every machine") {
  Random random(42);
  const ExecutionDraw draw({}, std::chrono::seconds(1));
  std::int64_t sum = 0;
  for (int i = 0; i < 1000; ++i) sum += draw(random).count();
  CHECK(sum == 984588909193);
}

}  // namespace
