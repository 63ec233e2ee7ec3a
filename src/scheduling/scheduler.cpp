#include "scheduling/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "scheduling/original_peer.hpp"

namespace fogctl {
namespace {

constexpr std::size_t most_origins = 16;

}  // namespace

Scheduler::Scheduler(SchedulerOptions options, Random random)
    : options_(std::move(options)),
      random_(random),
      neighbours_({options_.node, options_.sharing_interval, options_.max_neighbours}),
      handed_on_(random_),
      decisions_(options_.kept_decisions) {}

void Scheduler::on_task(Task task, Origin origin, Instant now, Actions& out) {
  now_ = now;
  if (task.uid.empty()) task.uid = random_short_id(random_);
  Neighbour* sender = neighbours_.find(origin.peer);
  if (sender != nullptr) {
    ++sender->taken;
    ++sender->taken_now;
    sender->heard_at = now;
    origin.is_neighbour = true;
  }
  const bool is_stolen = is_asked_for(origin, now);
  if (task.is_copy && task.exclusive) return refuse_copy(task, std::move(origin), out);
  task.is_copy &= sender != nullptr;  // a client's, to which another node has not answered
  if (Entry* known = entry_of(task.uid)) {
    // This node has it: nothing is won by a copy, and two nodes could wait for each other.
    if (task.is_copy) return refuse_copy(task, std::move(origin), out);
    return attach(*known, task, std::move(origin), out);
  }
  Entry entry;
  entry.process_by = task.process_by;
  entry.waited = task.waited;
  entry.arrival = now;
  entry.start_by = start_by(task, now);
  if (sender != nullptr && sender->delay) {  // the way back
    entry.start_by = std::max(now, entry.start_by - *sender->delay / 2);
  }
  entry.origin = std::move(origin);
  entry.task = std::make_shared<Task>(std::move(task));
  const std::string& uid = entry.task->uid;
  const auto added = entries_.emplace(uid, std::move(entry)).first;
  if (options_.watch) options_.watch->on_arrival(*added->second.task, now);
  if (added->second.task->is_copy) {
    take_copy(added->second, now, out);
  } else if (is_stolen) {
    place_stolen(added->second, now, out);
  } else {
    place(added->second, now, out);
  }
  share_if_changed(now, out);
}

/// The same task came again, while it is unanswered.
void Scheduler::attach(Entry& entry, const Task& task, Origin origin, Actions& out) {
  const auto refuse_it = [&](TaskErrorCode code, std::string message) {
    note_answered(origin);
    out.push_back(ReturnResult{std::move(origin), std::make_shared<const Task>(task),
                               error_result(task, {code, std::move(message)})});
  };
  if (!is_same_task(*entry.task, task)) {
    return refuse_it(TaskErrorCode::invalid_task,
                     "field 'task_uid': belongs to a task with another name or content");
  }
  if (entry.other_origins.size() >= most_origins && options_.is_connected) {
    std::erase_if(entry.other_origins, [&](const Origin& other) {
      return !other.is_neighbour && !options_.is_connected(other.peer);
    });
  }
  if (entry.other_origins.size() >= most_origins) {
    return refuse_it(TaskErrorCode::overloaded, "the task is waited for too many times");
  }
  if (std::exchange(entry.is_unwanted, false)) {
    --unwanted_;
    count_taken_copy(entry, false);
    editable(entry).is_copy = false;
    editable(entry).uid_chosen = task.uid_chosen;
    entry.origin = std::move(origin);
    if (entry.in_queue) tell_accepted(entry, out);
    return;
  }
  if (!may_wait_for(entry, origin)) return turn_away(entry, std::move(origin), out);
  const bool came_from_neighbour = origin.is_neighbour;
  entry.other_origins.push_back(std::move(origin));
  if (entry.in_queue) tell_accepted(entry, out);
  // Two copies that each wait for the other, over a ring of nodes, would wait for ever: one that
  // is met again on its way through the mesh runs here.
  const bool may_run_here = is_here_to_be_had() && runs_here(*entry.task);
  if (came_from_neighbour && entry.where == Where::away && may_run_here) {
    set_where(entry, Where::going_away);
    return place_here(entry, here(), out);
  }
  if (entry.where == Where::parked) place(entry, now_, out);  // more may depend on it now
}

/// None: it may run here.
std::optional<PlaceVerdict> Scheduler::why_not_here(const Entry& entry, bool can_run) const {
  if (!can_run) return PlaceVerdict::cannot_run;
  if (draining_) return PlaceVerdict::stopping;
  if (!queue_up_) return PlaceVerdict::queue_away;
  if (backlog_.workers() == 0) return PlaceVerdict::no_worker;
  if (backlog_.is_paused()) return PlaceVerdict::queue_paused;
  if (entry.avoids_here) return PlaceVerdict::queue_full;
  return std::nullopt;
}

/// None: it may go over this link.
std::optional<PlaceVerdict> Scheduler::why_avoided(const Entry& entry, PeerId link) {
  const auto& others = entry.other_origins;
  const bool came_from =
      link == entry.origin.peer || std::ranges::find(others, link, &Origin::peer) != others.end();
  if (came_from) return PlaceVerdict::came_from;
  const auto& avoided = entry.avoided;
  if (std::ranges::find(avoided, link) != avoided.end()) return PlaceVerdict::tried;
  const auto& copies = entry.copies;
  if (std::ranges::find(copies, link, &Copy::link) != copies.end()) return PlaceVerdict::has_copy;
  return std::nullopt;
}

/// What is in it, and in left_out_ what is not.
const ClusterView& Scheduler::view_for(const Entry& entry, Instant now, FullLinks full) {
  const Task& task = *entry.task;
  left_out_.clear();
  view_.fog_on = options_.hands_to_neighbours;
  view_.slack = entry.start_by - now;
  view_.copies = entry.copies.size();
  view_.local.reset();
  const Kinds::Places* places = kinds_.find(task.name);
  const bool can_run_here = places != nullptr && places->is_here;
  if (const auto why = why_not_here(entry, can_run_here)) {
    left_out_.push_back({Site::here, 0, *why});
  } else {
    view_.local.emplace();
    view_.local->expected_wait = backlog_.expected_wait(estimates_.classes());
    if (works_out_start_waits()) {
      view_.local->start_wait = work_.wait(slack_of_others(entry, now), moments_, now);
    }
  }
  view_.cloud.reset();
  const auto may_take = [&](const Unsent& unsent) {
    return full == FullLinks::counted || !unsent.is_full();
  };
  auto why_no_cloud = cloud_takes(task) ? why_avoided(entry, cloud_link) : PlaceVerdict::cannot_run;
  if (!why_no_cloud && !may_take(cloud_unsent_)) why_no_cloud = PlaceVerdict::link_full;
  if (!why_no_cloud) view_.cloud = cloud_;
  if (why_no_cloud && has_met_cloud_) {
    left_out_.push_back({Site::cloud, 0, cloud_ ? *why_no_cloud : PlaceVerdict::no_link});
  }
  view_.neighbours.clear();
  view_links_.clear();
  if (!options_.hands_to_neighbours) return view_;
  const std::size_t size = largest_message(task);
  const bool original_takes = original_peer_takes(task);
  const auto why_not = [&](const Neighbour& one, const Kinds::Places::Link* there) {
    const bool is_read = one.who.is_original()
                             ? original_takes
                             : size <= std::min(options_.max_message, one.who.max_message);
    if (there == nullptr) return std::optional(PlaceVerdict::cannot_run);
    if (!is_read) return std::optional(PlaceVerdict::too_long);
    auto why = why_avoided(entry, one.link);
    if (!entry.reply_to.empty() && one.who.node == entry.reply_to) why = PlaceVerdict::came_from;
    if (!why) why = neighbours_.why_none(one, now);
    // What it says of itself waits behind something long, which comes.
    const bool is_heard = now - one.heard_at <= options_.sharing_interval;
    if (why == PlaceVerdict::silent && is_heard) why.reset();
    return why || may_take(one.unsent) ? why : PlaceVerdict::link_full;
  };
  const bool reads_start_wait = works_out_start_waits();
  const auto& all = neighbours_.all();
  const auto* by_neighbour = places ? &places->in_order_of(all, neighbours_.version()) : nullptr;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Neighbour& neighbour = all[i];
    if (neighbour.is_retired) continue;
    const auto* there = by_neighbour ? (*by_neighbour)[i] : nullptr;
    if (const auto why = why_not(neighbour, there)) {
      left_out_.push_back({Site::neighbour, neighbour.link, *why});
      continue;
    }
    Candidate& candidate = view_.neighbours.emplace_back();
    Neighbours::describe(neighbour, now, candidate);
    if (reads_start_wait) {
      candidate.start_wait = neighbour.start_wait(view_.slack - candidate.link_delay, now);
    }
    view_links_.push_back({neighbour.link, there});
  }
  return view_;
}

void Scheduler::place(Entry& entry, Instant now, Actions& out) {
  follow(entry, decide(entry, now), now, out);
}

void Scheduler::follow(Entry& entry, const Plan& plan, Instant now, Actions& out) {
  if (!entry.copies.empty()) cancel_copies(entry, out);
  if (plan.placements.empty()) {
    // A paused queue takes what nobody else does: it is looked after by a person.
    const bool may_wait = queue_up_ && backlog_.is_paused() && !draining_ && !entry.avoids_here &&
                          runs_here(*entry.task);
    if (may_wait) return place_here(entry, {}, out);
    if (accept_for_full_link(entry, now, out)) return;
    return park(entry, plan.reason, now, out);
  }
  const Placement& placement = plan.placements.front();
  if (placement.site != Site::here) return send_away(entry, placement, now, out);
  add_copies(entry, plan, now);
  place_here(entry, placement, out);
}

/// The queue's backlog, what is known to be with a peer, and what has no place follow where the
/// task is.
void Scheduler::set_where(Entry& entry, Where where) {
  if (entry.where == Where::parked && entry.deadline != Instant{}) {
    parked_.erase({entry.deadline, entry.arrival, entry.task->uid});
    entry.deadline = {};
  }
  if (entry.where == Where::here) {
    backlog_.remove(entry.task->weight);
    if (works_out_start_waits()) work_.remove(entry.work, now_);
    entry.has_started = false;
    stop_wake(entry);
  }
  if (entry.where == Where::away) {
    handed_on_.remove(entry.link_id);
    if (Neighbour* neighbour = neighbours_.find(entry.link)) --neighbour->handed_now;
  }
  entry.where = where;
  if (where != Where::here) return;
  backlog_.add(entry.task->weight);
  if (works_out_start_waits()) {
    entry.work = work_.add(entry.task->weight, entry.start_by, now_, &entry);
  }
}

Task& Scheduler::editable(Entry& entry) {
  if (entry.is_shared) entry.task = std::make_shared<Task>(*entry.task);
  entry.is_shared = false;
  return *entry.task;
}

/// A task that the queue may hold as away, by an earlier call or a Withdraw that comes before this
/// one, is asked for as such again: the answer says under which lease, and it is taken back if it
/// is not to go.
void Scheduler::enqueue(Entry& entry, bool away, Actions& out) {
  entry.is_shared = true;
  ++entry.in_flight;
  entry.maybe_away |= away || entry.is_withdrawn;
  out.push_back(EnqueueTask{entry.task, entry.arrival, entry.start_by, entry.maybe_away});
}

/// Whatever policies say of it. Its workers may be gone.
Placement Scheduler::here() const {
  const bool has_workers = backlog_.workers() > 0;
  return {Site::here,
          {},
          has_workers ? backlog_.expected_wait(estimates_.classes()) : Duration::zero()};
}

void Scheduler::place_here(Entry& entry, const Placement& placement, Actions& out) {
  undo_hop(entry);
  Task& task = editable(entry);
  const bool says_local = task.offload_times == 0 && !options_.is_cloud;
  task.process_by = says_local ? "local" : entry.process_by;
  task.estimated_queuing_time = to_seconds(placement.expected_wait);
  task.estimated_execution_time = to_seconds(entry.expected_run);
  set_where(entry, Where::here);
  // What was found may be held still, although the queue was taken to have lost it.
  if (std::exchange(entry.held_away, false) || is_anothers_task(entry)) {
    cancel_copies(entry, out);  // the queue has yet to take it back
    entry.look_at = Instant::max();
    out.push_back(TakeBack{task.uid, entry.lease_number});
    if (is_anothers_task(entry)) ask_for_result(entry, out);
  } else if (queue_up_) {
    enqueue(entry, false, out);  // else when it is back
  }
}

/// The result of what goes back goes to who had queued it.
void Scheduler::ask_for_result(Entry& entry, Actions& out) {
  const bool is_waited_for = entry.origin.peer != nobody || !entry.other_origins.empty();
  if (!is_waited_for) return forget(entry, out);
  entry.in_queue = false;
  if (queue_up_) enqueue(entry, false, out);
}

/// It was found in the queue, where another node had put it, or this one in an earlier life.
bool Scheduler::is_anothers_task(const Entry& entry) const {
  return !entry.reply_to.empty() && entry.reply_to != options_.node;
}

/// Somebody waits for it who will not place it elsewhere: this node answers for it.
bool Scheduler::is_promised(const Entry& entry) const {
  if (!entry.was_in_queue) return false;
  return is_anothers_task(entry) || !entry.origin.is_neighbour ||
         !std::ranges::all_of(entry.other_origins, &Origin::is_neighbour);
}

/// Only nodes wait for it, each of which places it elsewhere when it is turned away.
bool Scheduler::is_left_to_sender(const Entry& entry) {
  return entry.was_in_queue && !is_promised(entry) && !is_original_at(entry.origin.peer) &&
         std::ranges::none_of(entry.other_origins,
                              [&](const Origin& one) { return is_original_at(one.peer); });
}

/// It has no place now. What was promised waits for one, in the queue where that may bring it one;
/// the rest is refused after a while.
void Scheduler::park(Entry& entry, std::string_view why, Instant now, Actions& out) {
  undo_hop(entry);
  if (draining_ && is_left_to_sender(entry)) return refuse_parked(entry, out);
  const Task& task = *entry.task;
  const bool may_run_here = runs_here(task) && (backlog_.workers() > 0 || !queue_up_);
  // While this node stops, those that serve the queue after it may run it.
  const bool may_stay =
      may_run_here || (draining_ && plan_with_room(entry, now).placements.empty());
  if (entry.was_in_queue && may_stay) return place_here(entry, {}, out);
  if (!entry.was_in_queue && is_unplaceable(task)) return refuse_parked(entry, out);
  const bool is_new = entry.where != Where::parked || entry.deadline == Instant{};
  Instant deadline = std::max(entry.arrival, now) + options_.patience;
  if (!is_new) deadline = std::min(deadline, entry.deadline);
  if (!entry.was_in_queue) {  // also where the queue was tried in between
    if (entry.patience_end == Instant{}) entry.patience_end = deadline;
    deadline = entry.patience_end;
    if (is_new && deadline <= now) return refuse_parked(entry, out);
  }
  set_where(entry, Where::parked);
  if (is_promised(entry)) {
    deadline = expiry(task, entry.arrival).value_or(Instant::max());
  } else if (is_new && parked_.size() >= options_.max_parked) {
    if (!runs_here(task)) return refuse_parked(entry, out);
    return refuse(entry, TaskErrorCode::unavailable, std::string(why), out);
  }
  entry.deadline = deadline;
  parked_.insert({deadline, entry.arrival, task.uid});
}

/// Something changed for the better. Who turned one of them away, and is heard of, may take it now.
void Scheduler::place_parked(Instant now, Actions& out, std::optional<PeerId> heard_of) {
  const std::vector<Parked> waiting(parked_.begin(), parked_.end());
  for (const Parked& parked : waiting) {
    if (!parked_.contains(parked)) continue;
    Entry& entry = *entry_of(parked.uid);
    if (entry.was_in_queue && heard_of) std::erase(entry.avoided, *heard_of);
    if (!entry.was_in_queue || has_place(entry, now)) place(entry, now, out);
  }
}

bool Scheduler::has_place(const Entry& entry, Instant now) {
  if (!is_in_reach(*entry.task)) return false;
  const ClusterView& view = view_for(entry, now);
  return view.local || view.cloud || !view.neighbours.empty();
}

Scheduler::Entry* Scheduler::entry_of(std::string_view uid) {
  const auto found = entries_.find(uid);
  return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace fogctl
