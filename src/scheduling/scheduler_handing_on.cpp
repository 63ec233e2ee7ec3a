// The Scheduler's part about handing a task on, and about links over which much is to be sent yet:
// they get no more, and a task that can go nowhere else waits for room.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "scheduling/scheduler.hpp"

namespace fogctl {
namespace {

constexpr Duration longest_patience = std::chrono::hours(24);

}  // namespace

void Scheduler::send_away(Entry& entry, const Placement& placement, Instant now, Actions& out) {
  if (placement.site == Site::cloud) return send_away(entry, cloud_link, placement, now, out);
  const Neighbour* neighbour = neighbours_.find(placement.node);
  FOGCTL_CHECK(neighbour != nullptr);
  send_away(entry, neighbour->link, placement, now, out);
}

void Scheduler::send_away(Entry& entry, PeerId link, const Placement& placement, Instant now,
                          Actions& out) {
  undo_hop(entry);
  Task& task = editable(entry);
  task.process_by = link == cloud_link ? "cloud" : "fog";
  task.estimated_queuing_time = to_seconds(placement.expected_wait);
  const Duration run = expected_run(task, link);
  task.estimated_execution_time = to_seconds(run);
  entry.link = link;
  entry.expected_there = add_saturating(placement.expected_wait, run);
  set_where(entry, Where::going_away);
  if (queue_up_ && !entry.held_away) return enqueue(entry, true, out);
  hand_on(entry, now, out);  // where the queue is away, it is told when it is back
}

void Scheduler::hand_on(Entry& entry, Instant now, Actions& out) {
  const std::int64_t steal = keep_promise(entry, now);
  Task& task = editable(entry);
  const bool is_original = is_original_at(entry.link);
  Duration way = cloud_ ? cloud_->link_delay : Duration::zero();
  task.waited = add_saturating(entry.waited, now - entry.arrival);
  if (Neighbour* neighbour = neighbours_.find(entry.link)) {
    way = neighbour->delay.value_or(Duration::zero());
    ++neighbour->handed;
    ++neighbour->handed_now;
    neighbour->note_sent(entry.start_by - now - way, estimates_.of(task));
    add_hop(entry, *neighbour);
  }
  unsent_over(entry.link).add(task.content.size(), options_.most_unsent);
  task.waited = add_saturating(task.waited, way / 2);
  entry.expected_there = add_saturating(entry.expected_there, way);
  set_where(entry, Where::away);
  // A peer that loses nothing may have it still: what must not run twice is its own until it
  // answers or its link breaks.
  const bool is_patient = task.exclusive && !is_original;
  const Duration patience =
      is_patient ? longest_patience : patience_with(entry.expected_there, is_original);
  entry.link_id = handed_on_.add(task.uid, entry.link, now + patience);
  entry.handed_at = now;
  entry.is_shared = true;
  out.push_back(HandOn{entry.link, entry.task, entry.link_id, steal});
}

void Scheduler::add_hop(Entry& entry, const Neighbour& to) {
  Task& task = editable(entry);
  ++task.offload_times;
  task.offloading_fog.push_back(to.who.own_address);
  task.offloading_nodes.push_back(options_.node);
  entry.has_hop = true;
}

/// What comes back did not travel: its fields are as they came.
void Scheduler::undo_hop(Entry& entry) {
  if (!std::exchange(entry.has_hop, false)) return;
  Task& task = editable(entry);
  --task.offload_times;
  task.offloading_fog.pop_back();
  task.offloading_nodes.pop_back();
}

/// How long its answer may take.
Duration Scheduler::patience_with(Duration expected, bool is_original) const {
  const int times = is_original ? 1 : SchedulerOptions::fogctl_patience;
  const Duration least = times * options_.overdue_min;
  const double seconds = options_.overdue_factor * to_seconds(expected);
  return std::min(longest_patience, std::max(least, from_seconds(seconds)));
}

// Links that are full.

/// Of the cloud's link, where no neighbour has it.
Unsent& Scheduler::unsent_over(PeerId link) {
  Neighbour* neighbour = neighbours_.find(link);
  return neighbour == nullptr ? cloud_unsent_ : neighbour->unsent;
}

bool Scheduler::is_full(PeerId link) {
  const bool is_known = link == cloud_link || neighbours_.find(link) != nullptr;
  return is_known && unsent_over(link).is_full();
}

void Scheduler::on_unsent(PeerId link, std::size_t bytes, Instant now, Actions& out) {
  if (link != cloud_link && neighbours_.find(link) == nullptr) return;
  if (!unsent_over(link).set(bytes, options_.most_unsent)) return;
  now_ = now;
  place_over(link, now, out);
}

/// Those that wait for a place and may find it there, until the link is full again.
void Scheduler::place_over(PeerId link, Instant now, Actions& out) {
  const std::vector<Parked> waiting(parked_.begin(), parked_.end());
  for (const Parked& parked : waiting) {
    if (is_full(link)) return;
    if (!parked_.contains(parked)) continue;
    Entry& entry = *entry_of(parked.uid);
    if (!link_takes(link, *entry.task)) continue;
    if (!entry.was_in_queue || has_place(entry, now)) place(entry, now, out);
  }
}

/// Where it would go, had every link room; without placements where that changes nothing.
Plan Scheduler::plan_with_room(const Entry& entry, Instant now) {
  const bool has_full = cloud_unsent_.is_full() ||
                        std::ranges::any_of(neighbours_.all(), [](const Neighbour& neighbour) {
                          return neighbour.unsent.is_full();
                        });
  if (!has_full) return {};
  return ask_policy(*entry.task, view_for(entry, now, FullLinks::counted), random_.next());
}

/// A task that nobody has answered for yet had to be refused soon, though nothing is amiss: the
/// queue gets it as one that goes away, and then it may wait. A neighbour's is in its queue.
bool Scheduler::accept_for_full_link(Entry& entry, Instant now, Actions& out) {
  if (entry.was_in_queue || !queue_up_ || entry.origin.is_neighbour) return false;
  const Plan later = plan_with_room(entry, now);
  if (later.placements.empty()) return false;
  send_away(entry, later.placements.front(), now, out);
  return true;
}

}  // namespace fogctl
