#include "client/histogram.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <vector>

#include "base/random.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

Duration exact_quantile(std::vector<Duration> values, double share) {
  std::ranges::sort(values);
  const auto rank = std::ceil(share * static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

double relative_error(Duration estimate, Duration truth) {
  if (truth == Duration::zero()) return estimate == Duration::zero() ? 0 : 1;
  return std::abs(to_seconds(estimate) - to_seconds(truth)) / to_seconds(truth);
}

struct Distribution {
  const char* name;
  std::function<double(Random&)> draw_s;
};

const Distribution distributions[] = {
    {"all equal", [](Random&) { return 0.0123; }},
    {"even between 0 and 1 s", [](Random& random) { return random.unit(); }},
    {"nanoseconds to hours, evenly in the logarithm",
     [](Random& random) { return std::pow(10.0, random.unit() * 13 - 9); }},
    {"two far peaks", [](Random& random) { return random.unit() < 0.97 ? 80e-6 : 2.5; }},
    {"a long tail", [](Random& random) { return 1e-3 / (1 - random.unit()); }},
};

TEST_CASE("A quantile is within 0.5 % of the exact one, whatever the distribution") {
  for (const Distribution& distribution : distributions) {
    Random random(7);
    Histogram histogram;
    std::vector<Duration> values;
    for (int i = 0; i < 20000; ++i) {
      values.push_back(from_seconds(distribution.draw_s(random)));
      histogram.add(values.back());
    }
    for (const double share : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      CAPTURE(distribution.name);
      CAPTURE(share);
      const Duration truth = exact_quantile(values, share);
      CHECK(relative_error(histogram.quantile(share), truth) <= 0.005);
    }
  }
}

TEST_CASE("Every single value comes back within 0.4 %, also at the edges of buckets") {
  for (int bit = 0; bit < 63; ++bit) {
    for (const std::int64_t offset : {-1, 0, 1}) {
      const std::int64_t value = (std::int64_t{1} << bit) + offset;
      Histogram histogram;
      histogram.add(Duration(value));
      histogram.add(Duration::max());  // so that the quantile is not the greatest value
      CAPTURE(value);
      CHECK(relative_error(histogram.quantile(0.5), Duration(value)) <= 1.0 / 256);
    }
  }
}

TEST_CASE("Values below 256 ns are exact") {
  Histogram histogram;
  for (int i = 0; i < 256; ++i) histogram.add(Duration(i));
  CHECK(histogram.quantile(0.5) == Duration(127));
  CHECK(histogram.quantile(0.25) == Duration(63));
}

TEST_CASE("An empty histogram is all zero") {
  const Histogram histogram;
  CHECK(histogram.count() == 0);
  CHECK(histogram.quantile(0.5) == Duration::zero());
  CHECK(histogram.mean() == Duration::zero());
  CHECK(histogram.greatest() == Duration::zero());
}

TEST_CASE("Mean and greatest value are exact, and a negative value counts as zero") {
  Histogram histogram;
  for (const Duration value : {Duration(3ms), Duration(5ms), Duration(-2ms)}) histogram.add(value);
  CHECK(histogram.count() == 3);
  CHECK(histogram.greatest() == Duration(5ms));
  CHECK(histogram.mean() == Duration(2666667));
  CHECK(histogram.quantile(0.0) == Duration::zero());
}

TEST_CASE("Of one value every quantile is that value") {
  Histogram histogram;
  histogram.add(1234567us);
  for (const double share : {0.0, 0.5, 0.99, 1.0}) CHECK(histogram.quantile(share) == 1234567us);
}

TEST_CASE("Two merged histograms are the histogram of all their values") {
  Random random(3);
  Histogram left;
  Histogram right;
  Histogram all;
  for (int i = 0; i < 1000; ++i) {
    const Duration small = from_seconds(random.unit() * 1e-3);
    const Duration large = from_seconds(random.unit() * 10);
    left.add(small);
    right.add(large);
    all.add(small);
    all.add(large);
  }
  SUBCASE("small into large") {
    right.merge(left), left = right;
  }
  SUBCASE("large into small") {
    left.merge(right);
  }
  CHECK(left.count() == all.count());
  CHECK(relative_error(left.mean(), all.mean()) < 1e-9);
  CHECK(left.greatest() == all.greatest());
  for (const double share : {0.0, 0.1, 0.5, 0.75, 0.99, 1.0}) {
    CHECK(left.quantile(share) == all.quantile(share));
  }
}

}  // namespace
}  // namespace fogctl
