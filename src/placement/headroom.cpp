#include "placement/headroom.hpp"

#include "base/random.hpp"
#include "placement/deadline.hpp"

namespace fogctl {

const Candidate* drawn_neighbour(const Task& task, const ClusterView& view, std::uint64_t draw,
                                 Handing what) {
  std::uint64_t total = 0;
  const auto weight_of = [&](const Candidate& candidate) -> std::uint64_t {
    const Duration left = headroom_by_deadline(task, view, candidate);
    if (left <= Duration::zero() || has_handed_on(candidate, task)) return 0;
    if (!candidate.takes_copies && what == Handing::copy) return 0;
    return static_cast<std::uint64_t>(left / std::chrono::microseconds(1)) + 1;
  };
  for (const Candidate& candidate : view.neighbours) total += weight_of(candidate);
  if (total == 0) return nullptr;
  std::uint64_t target = Random(draw).below(total);
  for (const Candidate& candidate : view.neighbours) {
    const std::uint64_t weight = weight_of(candidate);
    if (target < weight) return &candidate;
    target -= weight;
  }
  return nullptr;
}

Plan plan_of(const Candidate& candidate, std::string_view reason) {
  return {{{candidate.site, candidate.node, candidate.start_wait.mean}}, reason};
}

}  // namespace fogctl
