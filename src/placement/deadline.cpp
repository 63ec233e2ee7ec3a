#include "placement/deadline.hpp"

#include "placement/headroom.hpp"

namespace fogctl {
namespace {

/// Rule 5 among neighbours; null where there is none.
const Candidate* least_late_neighbour(const Task& task, const ClusterView& view) {
  const Candidate* best = nullptr;
  for (const Candidate& candidate : view.neighbours) {
    if (has_handed_on(candidate, task)) continue;
    const Duration left = mean_headroom(candidate, view.slack);
    if (best == nullptr || left > mean_headroom(*best, view.slack)) best = &candidate;
  }
  return best;
}

}  // namespace

Plan place_by_deadline(const Task& task, const ClusterView& view, const Tuning& /*tuning*/,
                       std::uint64_t draw) {
  const Candidate* cloud = view.cloud ? &*view.cloud : nullptr;
  if (task.cloud_processing && cloud) return plan_of(*cloud, "the task asks for the cloud");
  if (starts_in_time_here(task, view)) {
    return plan_of(*view.local, "it starts in time here");
  }
  const bool may_hand_on = is_open(task, view);
  if (may_hand_on) {
    if (const Candidate* neighbour = drawn_neighbour(task, view, draw, Handing::task)) {
      return plan_of(*neighbour, "it would be late here; the neighbour starts it in time");
    }
  }
  if (cloud && cloud->link_delay <= view.slack) {
    return plan_of(*cloud, "it would be late here and with neighbours; the cloud is near enough");
  }
  const Candidate* neighbour = may_hand_on ? least_late_neighbour(task, view) : nullptr;
  const Duration there = neighbour ? mean_headroom(*neighbour, view.slack) : Duration::zero();
  if (view.local) {
    const bool may_be_in_time = neighbour && there > Duration::zero();
    if (may_be_in_time && there > mean_headroom(*view.local, view.slack)) {
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
