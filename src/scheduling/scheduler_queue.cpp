// The Scheduler's part about its queue: what it answered, who finished what, and that it is away or
// back.
#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "scheduling/scheduler.hpp"

namespace fogctl {
namespace {

constexpr std::size_t most_strays = 100'000;
constexpr Duration between_offers = std::chrono::seconds(1);
/// A queue without workers for so long may have lost them for good.
constexpr Duration workers_are_gone_after = std::chrono::seconds(5);

}  // namespace

void Scheduler::on_enqueued(const std::string& uid, const EnqueueAnswer& answer_given, Instant now,
                            Actions& out) {
  using Kind = EnqueueAnswer::Kind;
  now_ = now;
  if (answer_given.kind == Kind::unavailable) queue_up_ = false;  // on_queue_up follows
  if (is_for_forgotten_task(uid, answer_given, out)) return;
  Entry* entry = entry_of(uid);
  FOGCTL_CHECK(entry != nullptr && entry->in_flight > 0);
  --entry->in_flight;
  const bool is_last_word = answer_given.kind != Kind::unavailable && entry->in_flight == 0;
  if (is_last_word) entry->maybe_away = false;
  const bool has_a_place = answer_given.kind == Kind::queued || answer_given.kind == Kind::away;
  // Two nodes may share one queue: then the task itself lies there, and no copy of it can.
  const bool is_no_copy = entry->task->is_copy && (!has_a_place || answer_given.was_there);
  if (entry->is_unwanted && (!has_a_place || is_no_copy)) return forget(*entry, out);
  if (is_no_copy && !leave_to_others(*entry, out)) return;
  switch (answer_given.kind) {
    case Kind::queued:
      entry->is_anothers = answer_given.was_there;
      return on_queued(*entry, now, out);
    case Kind::away:
      return on_away(*entry, answer_given.lease_number, now, out);
    case Kind::done:
      return answer(*entry, answer_given.result.value(), out);
    case Kind::conflict:
      return refuse(*entry, TaskErrorCode::invalid_task,
                    "field 'task_uid': belongs to a task with another name or content", out);
    case Kind::overloaded:
      if (entry->was_in_queue) return keep_outside(*entry, now, out);
      return on_overloaded(*entry, "the queue of this node is full", now, out);
    case Kind::no_room:
      if (entry->was_in_queue) return keep_outside(*entry, now, out);
      // What goes elsewhere goes unnoted, as while the queue is away.
      if (entry->where == Where::going_away) {
        if (link_takes(entry->link, *entry->task)) return hand_on(*entry, now, out);
        return place_again(*entry, now, out);
      }
      return on_overloaded(*entry, answer_given.why, now, out);
    case Kind::failed:
      if (entry->was_in_queue) return keep_outside(*entry, now, out);
      if (entry->where == Where::away) return;
      return refuse(*entry, TaskErrorCode::unavailable, answer_given.why, out);
    case Kind::unavailable:
      // on_queue_up tells it again what it had accepted.
      if (entry->where == Where::going_away) return place(*entry, now, out);
      if (entry->where == Where::here && !entry->was_in_queue) place(*entry, now, out);
  }
}

/// The queue came back without it, and has no room for it: it was accepted, and is offered again.
void Scheduler::keep_outside(Entry& entry, Instant now, Actions& out) {
  entry.in_queue = entry.held_away = false;
  has_outside_ = true;
  if (entry.where == Where::going_away) park(entry, "", now, out);
}

/// To a queue that does not have them.
void Scheduler::enqueue_again(Actions& out) {
  has_outside_ = false;
  std::vector<std::string_view> uids;
  for (const auto& [uid, entry] : entries_) {
    const bool is_placed = entry.where == Where::here || entry.where == Where::away;
    const bool is_kept = entry.where == Where::parked && entry.was_in_queue;
    if ((is_placed || is_kept) && !entry.in_queue) uids.push_back(uid);
  }
  std::ranges::sort(uids);
  for (const std::string_view uid : uids) {
    Entry& entry = *entry_of(uid);
    enqueue(entry, entry.where != Where::here, out);
  }
}

void Scheduler::on_queued(Entry& entry, Instant now, Actions& out) {
  if (entry.is_anothers && turn_neighbours_away(entry, out)) return;
  entry.in_queue = entry.was_in_queue = true;
  tell_accepted(entry, out);
  if (entry.held_away && entry.is_anothers) return;  // it was taken to be handed on meanwhile
  entry.held_away = false;
  // What was away and taken for lost may be held by this node still.
  const bool may_be_held = entry.is_anothers && entry.lease_number != 0;
  if (may_be_held && entry.where != Where::away) {
    out.push_back(TakeBack{entry.task->uid, entry.lease_number});
  }
  if (entry.is_unwanted) {
    if (entry.is_anothers) return forget(entry, out);
    set_where(entry, Where::here);
    return withdraw(entry, out);
  }
  if (entry.where == Where::going_away) return stay_here(entry);
  if (entry.where == Where::away) return;
  set_where(entry, Where::here);
  if (entry.is_anothers) return cancel_copies(entry, out);
  if (!options_.policy->ties_copies || entry.has_started) return;
  send_copies(entry, now, out);
  set_escape(entry, now);
  set_wake(entry);
}

/// A neighbour that serves this queue too may hold there as away what it hands on: then each would
/// wait for the other one.
bool Scheduler::may_wait_for(const Entry& entry, const Origin& origin) {
  const Neighbour* neighbour = neighbours_.find(origin.peer);
  return !options_.shares_queue || !entry.is_anothers || neighbour == nullptr ||
         neighbour->who.is_original();
}

void Scheduler::turn_away(const Entry& entry, Origin origin, Actions& out) {
  note_answered(origin);
  Neighbour* sender = neighbours_.find(origin.peer);
  if (sender != nullptr && origin.steal != 0) sender->ask_at = Instant::max();
  out.push_back(ReturnResult{
      std::move(origin), entry.task,
      error_result(*entry.task, {TaskErrorCode::unavailable,
                                 "this node's queue has the task from another node"})});
}

/// True: nobody else waits for it, and it is forgotten.
bool Scheduler::turn_neighbours_away(Entry& entry, Actions& out) {
  std::vector<Origin> staying;
  for (Origin& other : entry.other_origins) {
    if (may_wait_for(entry, other)) {
      staying.push_back(std::move(other));
    } else {
      turn_away(entry, std::move(other), out);
    }
  }
  entry.other_origins = std::move(staying);
  if (may_wait_for(entry, entry.origin)) return false;
  turn_away(entry, std::move(entry.origin), out);
  if (entry.other_origins.empty()) {
    forget(entry, out);
    return true;
  }
  entry.origin = std::move(entry.other_origins.front());
  entry.other_origins.erase(entry.other_origins.begin());
  return false;
}

/// The result was faster than the queue's answer; its uid may have come again since.
bool Scheduler::is_for_forgotten_task(const std::string& uid, const EnqueueAnswer& answer,
                                      Actions& out) {
  const auto found = late_.find(uid);
  if (found == late_.end()) return false;
  Late& late = found->second;
  if (answer.kind == EnqueueAnswer::Kind::away) end_stray(late, uid, answer.lease_number, out);
  if (--late.in_flight > 0) return true;
  const bool may_be_held = answer.kind == EnqueueAnswer::Kind::unavailable && late.maybe_away;
  const auto stray = may_be_held ? std::move(late.maybe_away) : std::nullopt;
  late_.erase(found);
  if (stray) ask_for_stray(*stray, out);
  return true;
}

/// Where the uid has come again, its task is to run: who waits for it now was not answered.
void Scheduler::end_stray(const Late& late, const std::string& uid, std::uint32_t lease_number,
                          Actions& out) const {
  const bool has_outcome = late.maybe_away && late.maybe_away->outcome;
  if (!has_outcome || entries_.contains(uid)) return out.push_back(TakeBack{uid, lease_number});
  const Stray& stray = *late.maybe_away;
  const TaskResult& result = *stray.outcome;
  out.push_back(FinishAway{stray.task.task, lease_number, result, {}, is_refused(result)});
}

/// The queue says whether it holds it: by asking it to, once it is there. Its answers come in
/// order, and are known by the uid alone: one that has come again is answered first.
void Scheduler::ask_for_stray(Stray stray, Actions& out) {
  const Entry* again = entry_of(stray.task.task->uid);
  const bool is_asked_for = again != nullptr && (again->in_flight > 0 || again->is_withdrawn);
  if (!queue_up_ || is_asked_for) {
    if (strays_.size() < most_strays) strays_.push_back(std::move(stray));
    return;
  }
  out.push_back(stray.task);
  Late& late = late_[stray.task.task->uid];
  ++late.in_flight;
  late.maybe_away = std::move(stray);
}

/// The queue has it to be run, and it was about to go away.
void Scheduler::stay_here(Entry& entry) {
  Task& task = editable(entry);
  task.process_by = task.offload_times == 0 ? "local" : entry.process_by;
  set_where(entry, Where::here);
}

/// The queue holds the task as away: now it may be handed on.
void Scheduler::on_away(Entry& entry, std::uint32_t lease_number, Instant now, Actions& out) {
  entry.in_queue = entry.was_in_queue = true;
  entry.held_away = true;
  entry.lease_number = lease_number;
  tell_accepted(entry, out);
  if (entry.is_unwanted) return end_unwanted(entry, out);
  if (entry.where == Where::away) return;  // it went while the queue was away
  const bool may_go = entry.where == Where::going_away && link_takes(entry.link, *entry.task);
  if (!may_go) return place_again(entry, now, out);
  hand_on(entry, now, out);
}

void Scheduler::on_result(const TaskResult& result, Instant now, Actions& out) {
  Entry* entry = entry_of(result.uid);
  if (entry == nullptr) {
    ++repeated_results_;
    return;
  }
  now_ = now;
  if (!result.error) {
    estimates_.add(*entry->task, result.execution_time);
    moments_.add(entry->task->weight, result.execution_time);
  }
  judge_prediction(*entry, result, now);
  answer(*entry, result, out);
  share_if_changed(now, out);
  ask_for_tasks(now, out);
}

void Scheduler::ask_for_strays(Actions& out) {
  for (Stray& stray : std::exchange(strays_, {})) ask_for_stray(std::move(stray), out);
}

void Scheduler::on_load(const QueueBacklog& load, Instant now, Actions& out) {
  const bool had_workers = backlog_.workers() > 0;
  backlog_.set_queue(load);
  now_ = now;
  if (had_workers || workers_seen_at_ == Instant{}) workers_seen_at_ = now;
  if (works_out_start_waits()) work_.set_workers(load.workers, now);
  if (!had_workers && load.workers > 0) place_parked(now, out);
  if (queue_up_) ask_for_strays(out);
  if (has_outside_ && queue_up_ && now - offered_at_ >= between_offers) {
    offered_at_ = now;
    enqueue_again(out);
  }
  share_if_changed(now, out);
}

bool Scheduler::has_stranded_tasks(Instant now) {
  const bool are_gone = queue_up_ && backlog_.workers() == 0 && !backlog_.is_paused() &&
                        now - workers_seen_at_ >= workers_are_gone_after;
  return are_gone && own_state().queued > 0 && has_elsewhere(now);
}

void Scheduler::on_queue_down() {
  queue_up_ = false;
}

void Scheduler::on_queue_lost(Instant now, Actions& out) {
  queue_lost_ = true;
  if (queue_up_) on_queue_up(true, now, out);
}

void Scheduler::on_queue_up(bool lost, Instant now, Actions& out) {
  queue_up_ = true;
  lost |= std::exchange(queue_lost_, false);
  ask_for_strays(out);
  for (auto& [uid, entry] : entries_) {
    // The result of what another call put there may have been lost on its way to this node.
    const bool asks_again = entry.where == Where::here && entry.is_anothers;
    // Where the queue has not lost it, it is to be found again by those that serve it.
    const bool is_found = entry.where == Where::parked && is_anothers_task(entry);
    if (lost && is_found && entry.held_away) out.push_back(TakeBack{uid, entry.lease_number});
    if (lost || asks_again) entry.in_queue = false;
    if (lost) entry.held_away = false;
  }
  enqueue_again(out);
  place_parked(now, out);
}

/// It may have forgotten that they ended, or came back: then nobody would run them. Of what it is
/// being asked about, that answer comes first.
bool Scheduler::on_held_away(const std::vector<TakeBack>& held, Actions& out) {
  if (!queue_up_) return false;
  bool is_settled = true;
  for (const TakeBack& one : held) {
    Entry* entry = entry_of(one.uid);
    const bool is_asked_for = entry != nullptr
                                  ? entry->in_flight > 0 || entry->is_withdrawn || entry->maybe_away
                                  : late_.contains(one.uid);
    if (is_asked_for) {
      is_settled = false;
    } else if (entry == nullptr || entry->where == Where::here) {
      out.push_back(one);
    } else {
      entry->held_away = true;
      entry->lease_number = one.lease_number;
    }
  }
  return is_settled;
}

}  // namespace fogctl
