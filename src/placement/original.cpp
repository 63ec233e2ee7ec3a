#include "placement/original.hpp"

namespace fogctl {
namespace {

Duration reachable_wait(const Candidate& candidate) {
  return add_saturating(candidate.expected_wait, candidate.link_delay);
}

/// F's candidate, or null.
const Candidate* best_neighbour(const Task& task, const ClusterView& view) {
  const Candidate* best = nullptr;
  for (const Candidate& candidate : view.neighbours) {
    if (has_handed_on(candidate, task)) continue;
    if (best == nullptr || reachable_wait(candidate) < reachable_wait(*best)) best = &candidate;
  }
  return best;
}

Plan go(const Candidate& candidate, std::string_view reason) {
  return {{{candidate.site, candidate.node, candidate.expected_wait}}, reason};
}

}  // namespace

Plan place_by_original_rule(const Task& task, const ClusterView& view, const Tuning& /*tuning*/,
                            std::uint64_t /*draw*/) {
  const Candidate* cloud = view.cloud ? &*view.cloud : nullptr;
  if (task.cloud_processing && cloud) return go(*cloud, "the task asks for the cloud");

  const bool may_hand_on = view.fog_on && task.offload_times < task.max_offload;
  const Candidate* neighbour = may_hand_on ? best_neighbour(task, view) : nullptr;
  if (!view.local) {
    if (neighbour) return go(*neighbour, "nothing can run here; the best neighbour");
    if (cloud) return go(*cloud, "nothing can run here; the cloud");
    return {{}, "nothing can run here, and there is no neighbour and no cloud"};
  }

  const Candidate& here = *view.local;
  const Duration wait = here.expected_wait;
  const bool heavy_to_cloud = cloud && task.weight == TaskClass::heavy;
  if (!view.fog_on) {
    if (heavy_to_cloud && wait >= task.time_requirement) {
      return go(*cloud, "it is heavy and would be late here");
    }
    return go(here, "fog off: here");
  }
  if (wait <= task.time_requirement) return go(here, "it starts in time here");
  if (neighbour && reachable_wait(*neighbour) < wait) {
    return go(*neighbour, "it would be late here; the best neighbour starts it sooner");
  }
  if (heavy_to_cloud) return go(*cloud, "it is heavy and would be late here and with neighbours");
  return go(here, "it would be late here, and no neighbour starts it sooner");
}

}  // namespace fogctl
