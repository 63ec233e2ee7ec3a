#include "task/execution_moments.hpp"

#include <doctest/doctest.h>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TEST_CASE("Moments are those of what was seen, class by class") {
  ExecutionMoments moments;
  CHECK(moments.of(TaskClass::light).mean == 0);
  for (const Duration one : {10ms, 20ms, 30ms}) moments.add(TaskClass::light, one);
  CHECK(moments.of(TaskClass::light).mean == doctest::Approx(.02));
  CHECK(moments.of(TaskClass::light).variance == doctest::Approx(1e-4 * 2 / 3));
  CHECK(moments.of(TaskClass::heavy).mean == 0);
}

TEST_CASE("Moments follow a change") {
  ExecutionMoments moments;
  for (int i = 0; i < 1000; ++i) moments.add(TaskClass::light, 10ms);
  for (int i = 0; i < 1000; ++i) moments.add(TaskClass::light, 40ms);
  CHECK(moments.of(TaskClass::light).mean == doctest::Approx(.04).epsilon(.01));
}

}  // namespace
}  // namespace fogctl
