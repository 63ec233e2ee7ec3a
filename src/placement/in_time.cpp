#include "placement/in_time.hpp"

#include "base/random.hpp"
#include "placement/deadline.hpp"
#include "placement/headroom.hpp"
#include "placement/original.hpp"

namespace fogctl {
namespace {

/// Chosen by simulation of bench/scenarios. With one for light tasks 1 to 5 points fewer are in
/// time; with two for others no more are, and over 5 % of the work is done twice.
constexpr std::size_t most_copies_light = 3;
constexpr std::size_t most_copies = 1;
/// In quarters of a round trip. Where several workers may begin the last copy, 5 makes 7 % of the
/// work be done twice, at once 5 to 14 %; where there is one, it is seldom free: 8 quarters cost 2
/// points in time, and 5 make 2 % be done twice.
constexpr int again_after = 8;
constexpr int again_after_one_worker = 5;

bool may_be_copied(const Task& task, const ClusterView& view) {
  return view.local && may_hand_on(task, view) && !task.exclusive && !task.cloud_processing;
}

bool takes_copies(const Candidate& neighbour, const Task& task) {
  return neighbour.takes_copies && !has_handed_on(neighbour, task);
}

/// Null: there is none.
const Candidate* any_neighbour(const Task& task, const ClusterView& view, Random& random) {
  std::uint64_t count = 0;
  for (const Candidate& candidate : view.neighbours) count += takes_copies(candidate, task);
  if (count == 0) return nullptr;
  std::uint64_t target = random.below(count);
  for (const Candidate& candidate : view.neighbours) {
    if (takes_copies(candidate, task) && target-- == 0) return &candidate;
  }
  return nullptr;
}

const Candidate* neighbour_for_copy(const Task& task, const ClusterView& view, Random& random) {
  const Candidate* one = drawn_neighbour(task, view, random.next(), Handing::copy);
  const Candidate* other = drawn_neighbour(task, view, random.next(), Handing::copy);
  if (one == nullptr) return any_neighbour(task, view, random);
  return other->link_delay < one->link_delay ? other : one;
}

/// A neighbour that takes no copies takes tasks, by the rule that all know.
Plan by_original_rule(const Task& task, const ClusterView& view, const Plan& else_here) {
  Plan plan = place_by_original_rule(task, view, {}, 0);
  return plan.placements.front().site == Site::neighbour ? plan : else_here;
}

}  // namespace

Duration headroom_in_time(const Task& task, const ClusterView& view, const Candidate& candidate) {
  if (candidate.site != Site::here || task.is_copy || !may_be_copied(task, view)) {
    return headroom_by_deadline(task, view, candidate);
  }
  const int spread = task.weight == TaskClass::light ? 1645 : 2500;
  return subtract_saturating(mean_headroom(task, view, candidate),
                             candidate.start_wait.deviation * spread / 1000);
}

Plan place_in_time(const Task& task, const ClusterView& view, const Tuning& tuning,
                   std::uint64_t draw) {
  if (task.is_copy && !view.local) return {{}, "a copy runs here or nowhere"};
  if (task.is_copy) return plan_of(*view.local, "a copy runs here or nowhere");
  if (!may_be_copied(task, view)) return place_by_deadline(task, view, tuning, draw);
  const bool is_light = task.weight == TaskClass::light;
  if (headroom_in_time(task, view, *view.local) >= Duration::zero()) {
    return plan_of(*view.local, "it starts in time here");
  }
  Plan plan = plan_of(*view.local, "it may be late here: copies wait at neighbours");
  if (view.copies >= (is_light ? most_copies_light : most_copies)) return plan;
  Random random(draw);
  const Candidate* neighbour = neighbour_for_copy(task, view, random);
  if (neighbour == nullptr) return view.copies == 0 ? by_original_rule(task, view, plan) : plan;
  plan.placements.push_back({neighbour->site, neighbour->node, neighbour->start_wait.mean});
  const int quarters = neighbour->workers == 1 ? again_after_one_worker : again_after;
  if (is_light) plan.again_after = quarters * neighbour->link_delay / 4;
  return plan;
}

}  // namespace fogctl
