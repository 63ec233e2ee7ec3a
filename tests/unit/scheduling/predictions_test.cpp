#include "scheduling/predictions.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TEST_CASE("Bias and spread are the mean and standard deviation of the errors") {
  PredictionError error;
  CHECK(error.tasks() == 0);
  CHECK(error.bias() == 0ms);
  error.add(10ms);
  CHECK(error.spread() == 0ms);
  for (const Duration one : {-10ms, 30ms, 50ms}) error.add(one);
  CHECK(error.tasks() == 4);
  CHECK(to_seconds(error.bias()) == doctest::Approx(.020));
  CHECK(to_seconds(error.spread()) == doctest::Approx(.0258199));  // sqrt(2000 / 3) ms
}

TEST_CASE("A small spread about a large bias keeps its digits") {
  PredictionError error;
  for (int i = 0; i < 1000; ++i) error.add(100'000s + (i % 2) * 2us);
  CHECK(to_seconds(error.spread()) == doctest::Approx(1.0005e-6).epsilon(.01));
}

TEST_CASE("Errors are counted by place and by task name; those of a link that is gone are not") {
  Predictions all;
  all.add("light", Site::here, 0, 1ms);
  all.add("light", Site::neighbour, 7, 3ms);
  all.add("heavy", Site::cloud, 0, 5ms);
  CHECK(all.here().tasks() == 1);
  CHECK(all.cloud().bias() == 5ms);
  CHECK(all.of_link(7).bias() == 3ms);
  CHECK(all.of_link(8).tasks() == 0);
  const auto names = all.of_names();
  REQUIRE(names.size() == 2);
  CHECK(names.at("light").tasks() == 2);
  all.forget(7);
  CHECK(all.of_link(7).tasks() == 0);
}

TEST_CASE("However many names there are, so many are kept, the last measured ones") {
  Predictions all;
  for (std::size_t i = 0; i < Predictions::most_names + 10; ++i) {
    all.add(fmt::format("task-{}", i), Site::here, 0, 1ms);
    all.add("every", Site::here, 0, 1ms);
  }
  const auto names = all.of_names();
  CHECK(names.size() == Predictions::most_names);
  CHECK(names.contains("every"));
  CHECK(names.contains(fmt::format("task-{}", Predictions::most_names + 9)));
  CHECK_FALSE(names.contains("task-0"));
}

}  // namespace
}  // namespace fogctl
