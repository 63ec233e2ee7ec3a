#include "task/execution_moments.hpp"

#include <algorithm>

namespace fogctl {

void ExecutionMoments::add(TaskClass weight, Duration execution_time) {
  constexpr int window = 100;
  Moments& moments = of_class_[index_of(weight)];
  int& seen = seen_[index_of(weight)];
  seen = std::min(seen + 1, window);
  const double share = 1.0 / seen;
  const double deviation = to_seconds(execution_time) - moments.mean;
  moments.mean += share * deviation;
  moments.variance = (1 - share) * (moments.variance + share * deviation * deviation);
}

}  // namespace fogctl
