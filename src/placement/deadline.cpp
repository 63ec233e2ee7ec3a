#include "placement/deadline.hpp"

#include "base/random.hpp"

namespace fogctl {
namespace {

/// What is left of the slack when the task starts there; may be negative.
Duration mean_headroom(const Candidate& candidate, Duration slack) {
  return slack - candidate.link_delay - candidate.start_wait.mean;
}

bool starts_in_time_here(const Task& task, const Candidate& here, Duration slack) {
  const Duration spread = here.start_wait.deviation * 1645 / 1000;
  return mean_headroom(here, slack) >= (task.offload_times > 0 ? Duration::zero() : spread);
}

bool is_open(const Task& task, const ClusterView& view) {
  return view.fog_on && task.offload_times < task.max_offload;
}

/// Rule 3; null where none is feasible.
const Candidate* drawn_neighbour(const Task& task, const ClusterView& view, std::uint64_t draw) {
  std::uint64_t total = 0;
  const auto weight_of = [&](const Candidate& candidate) -> std::uint64_t {
    const Duration left = mean_headroom(candidate, view.slack) - candidate.start_wait.deviation / 2;
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
    const Duration left = mean_headroom(candidate, view.slack);
    if (best == nullptr || left > mean_headroom(*best, view.slack)) best = &candidate;
  }
  return best;
}

Plan go(const Candidate& candidate, std::string_view reason) {
  return {{{candidate.site, candidate.node, candidate.start_wait.mean}}, reason};
}

}  // namespace

Plan place_by_deadline(const Task& task, const ClusterView& view, const Tuning& /*tuning*/,
                       std::uint64_t draw) {
  const Candidate* cloud = view.cloud ? &*view.cloud : nullptr;
  if (task.cloud_processing && cloud) return go(*cloud, "the task asks for the cloud");
  if (view.local && starts_in_time_here(task, *view.local, view.slack)) {
    return go(*view.local, "it starts in time here");
  }
  const bool may_hand_on = is_open(task, view);
  if (may_hand_on) {
    if (const Candidate* neighbour = drawn_neighbour(task, view, draw)) {
      return go(*neighbour, "it would be late here; the neighbour starts it in time");
    }
  }
  if (cloud && cloud->link_delay <= view.slack) {
    return go(*cloud, "it would be late here and with neighbours; the cloud is near enough");
  }
  const Candidate* neighbour = may_hand_on ? least_late_neighbour(task, view) : nullptr;
  const Duration there = neighbour ? mean_headroom(*neighbour, view.slack) : Duration::zero();
  if (view.local) {
    const bool may_be_in_time = neighbour && there > Duration::zero();
    if (may_be_in_time && there > mean_headroom(*view.local, view.slack)) {
      return go(*neighbour, "it is likely to be late; the neighbour leaves it the best chance");
    }
    return go(*view.local, "it is likely to be late, and not less so elsewhere");
  }
  if (neighbour) return go(*neighbour, "nothing can run here; the best neighbour");
  if (cloud) return go(*cloud, "nothing can run here; the cloud");
  return {{}, "nothing can run here, and there is no neighbour and no cloud"};
}

}  // namespace fogctl
