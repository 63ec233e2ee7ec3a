#include "placement/original.hpp"

namespace fogctl {
namespace {

/// F's candidate, or null.
const Candidate* best_neighbour(const Task& task, const ClusterView& view) {
  const Candidate* best = nullptr;
  Duration most{};
  for (const Candidate& candidate : view.neighbours) {
    if (has_handed_on(candidate, task)) continue;
    const Duration left = headroom_by_original_rule(task, view, candidate);
    if (best != nullptr && left <= most) continue;
    best = &candidate;
    most = left;
  }
  return best;
}

Plan go(const Candidate& candidate, std::string_view reason) {
  return {{{candidate.site, candidate.node, candidate.expected_wait}}, reason};
}

}  // namespace

Duration headroom_by_original_rule(const Task& task, const ClusterView& /*view*/,
                                   const Candidate& candidate) {
  return task.time_requirement - add_saturating(candidate.expected_wait, candidate.link_delay);
}

Plan place_by_original_rule(const Task& task, const ClusterView& view, const Tuning& /*tuning*/,
                            std::uint64_t /*draw*/) {
  const Candidate* cloud = view.cloud ? &*view.cloud : nullptr;
  if (task.cloud_processing && cloud) return go(*cloud, "the task asks for the cloud");

  const Candidate* neighbour = may_hand_on(task, view) ? best_neighbour(task, view) : nullptr;
  if (!view.local) {
    if (neighbour) return go(*neighbour, "nothing can run here; the best neighbour");
    if (cloud) return go(*cloud, "nothing can run here; the cloud");
    return {{}, "nothing can run here, and there is no neighbour and no cloud"};
  }

  const Candidate& here = *view.local;
  const Duration left = headroom_by_original_rule(task, view, here);
  const bool heavy_to_cloud = cloud && task.weight == TaskClass::heavy;
  if (!view.fog_on) {
    if (heavy_to_cloud && left <= Duration::zero()) {
      return go(*cloud, "it is heavy and would be late here");
    }
    return go(here, "fog off: here");
  }
  if (left >= Duration::zero()) return go(here, "it starts in time here");
  if (neighbour && headroom_by_original_rule(task, view, *neighbour) > left) {
    return go(*neighbour, "it would be late here; the best neighbour starts it sooner");
  }
  if (heavy_to_cloud) return go(*cloud, "it is heavy and would be late here and with neighbours");
  return go(here, "it would be late here, and no neighbour starts it sooner");
}

}  // namespace fogctl
