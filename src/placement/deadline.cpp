#include "placement/deadline.hpp"

#include "placement/headroom.hpp"

namespace fogctl {
namespace {

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
  if (task.cloud_processing && cloud) return plan_of(*cloud, "the task asks for the cloud");
  if (view.local && headroom_by_deadline(task, view, *view.local) >= Duration::zero()) {
    return plan_of(*view.local, "it starts in time here");
  }
  const bool is_open = may_hand_on(task, view);
  if (is_open) {
    if (const Candidate* neighbour = drawn_neighbour(task, view, draw, Handing::task)) {
      return plan_of(*neighbour, "it would be late here; the neighbour starts it in time");
    }
  }
  if (cloud && headroom_by_deadline(task, view, *cloud) >= Duration::zero()) {
    return plan_of(*cloud, "it would be late here and with neighbours; the cloud is near enough");
  }
  const Candidate* neighbour = is_open ? least_late_neighbour(task, view) : nullptr;
  const Duration there = neighbour ? mean_headroom(task, view, *neighbour) : Duration::zero();
  if (view.local) {
    const bool may_be_in_time = neighbour && there > Duration::zero();
    if (may_be_in_time && there > mean_headroom(task, view, *view.local)) {
      return plan_of(*neighbour,
                     "it is likely to be late; the neighbour leaves it the best chance");
    }
    return plan_of(*view.local, "it is likely to be late, and not less so elsewhere");
  }
  if (neighbour) return plan_of(*neighbour, "nothing can run here; the best neighbour");
  if (cloud) return plan_of(*cloud, "nothing can run here; the cloud");
  return {{}, "nothing can run here, and there is no neighbour and no cloud"};
}

}  // namespace fogctl
