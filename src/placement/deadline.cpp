#include "placement/deadline.hpp"

#include "base/random.hpp"

namespace fogctl {
namespace {

/// Rule 3; null where none is feasible.
const Candidate* drawn_neighbour(const Task& task, const ClusterView& view, std::uint64_t draw) {
  std::uint64_t total = 0;
  const auto weight_of = [&](const Candidate& candidate) -> std::uint64_t {
    const Duration left = headroom_by_deadline(task, view, candidate);
    if (left <= Duration::zero() || has_handed_on(candidate, task)) return 0;
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

/// Rule 5 among neighbours; null where there is none.
const Candidate* least_late_neighbour(const Task& task, const ClusterView& view) {
  const Candidate* best = nullptr;
  for (const Candidate& candidate : view.neighbours) {
    if (has_handed_on(candidate, task)) continue;
    const Duration left = mean_headroom(task, view, candidate);
    if (best == nullptr || left > mean_headroom(task, view, *best)) best = &candidate;
  }
  return best;
}

Plan go(const Candidate& candidate, std::string_view reason) {
  return {{{candidate.site, candidate.node, candidate.start_wait.mean}}, reason};
}

}  // namespace

Duration headroom_by_deadline(const Task& task, const ClusterView& view,
                              const Candidate& candidate) {
  const Duration left = mean_headroom(task, view, candidate);
  const Duration deviation = candidate.start_wait.deviation;
  if (candidate.site == Site::neighbour) return subtract_saturating(left, deviation / 2);
  const bool was_handed_on = task.offload_times > 0;
  return was_handed_on ? left : subtract_saturating(left, deviation * 1645 / 1000);
}

Plan place_by_deadline(const Task& task, const ClusterView& view, const Tuning& /*tuning*/,
                       std::uint64_t draw) {
  const Candidate* cloud = view.cloud ? &*view.cloud : nullptr;
  if (task.cloud_processing && cloud) return go(*cloud, "the task asks for the cloud");
  if (view.local && headroom_by_deadline(task, view, *view.local) >= Duration::zero()) {
    return go(*view.local, "it starts in time here");
  }
  const bool is_open = may_hand_on(task, view);
  if (is_open) {
    if (const Candidate* neighbour = drawn_neighbour(task, view, draw)) {
      return go(*neighbour, "it would be late here; the neighbour starts it in time");
    }
  }
  if (cloud && headroom_by_deadline(task, view, *cloud) >= Duration::zero()) {
    return go(*cloud, "it would be late here and with neighbours; the cloud is near enough");
  }
  const Candidate* neighbour = is_open ? least_late_neighbour(task, view) : nullptr;
  const Duration there = neighbour ? mean_headroom(task, view, *neighbour) : Duration::zero();
  if (view.local) {
    const bool may_be_in_time = neighbour && there > Duration::zero();
    if (may_be_in_time && there > mean_headroom(task, view, *view.local)) {
      return go(*neighbour, "it is likely to be late; the neighbour leaves it the best chance");
    }
    return go(*view.local, "it is likely to be late, and not less so elsewhere");
  }
  if (neighbour) return go(*neighbour, "nothing can run here; the best neighbour");
  if (cloud) return go(*cloud, "nothing can run here; the cloud");
  return {{}, "nothing can run here, and there is no neighbour and no cloud"};
}

}  // namespace fogctl
