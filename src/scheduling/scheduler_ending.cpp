// The Scheduler's part about what those who wait are told, and about endings: tasks that are
// answered, refused or given up, and a node that stops.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "scheduling/scheduler.hpp"

namespace fogctl {
namespace {

/// A full queue is asked again after a tenth of what it holds, within these.
constexpr Duration shortest_retry = std::chrono::milliseconds(100);
constexpr Duration longest_retry = std::chrono::seconds(10);

}  // namespace

TaskResult Scheduler::error_result(const Task& task, TaskError error) const {
  TaskResult result;
  result.uid = task.uid;
  result.error = std::move(error);
  result.node = options_.name;
  return result;
}

void Scheduler::tell_accepted(Entry& entry, Actions& out) {
  const auto tell = [&](Origin& origin) {
    if (!std::exchange(origin.wants_accept, false)) return;
    entry.is_shared = true;
    out.push_back(TellAccepted{origin, entry.task});
  };
  tell(entry.origin);
  for (Origin& origin : entry.other_origins) tell(origin);
}

/// The queue is full: a neighbour with room may take the task, or the cloud.
void Scheduler::on_overloaded(Entry& entry, std::string why, Instant now, Actions& out) {
  if (entry.where == Where::away) return;  // whoever has it will answer
  if (!std::exchange(entry.avoids_here, true) && entry.where == Where::here) {
    const Plan plan = decide(entry, now);
    if (!plan.placements.empty()) return follow(entry, plan, now, out);
  }
  const Duration wait =
      backlog_.workers() > 0 ? backlog_.expected_wait(estimates_.classes()) : Duration{};
  TaskError error{TaskErrorCode::overloaded, std::move(why)};
  error.retry_after = std::clamp(wait / 10, shortest_retry, longest_retry);
  answer(entry, error_result(*entry.task, std::move(error)), out);
}

void Scheduler::refuse(Entry& entry, TaskErrorCode code, std::string message, Actions& out) {
  answer(entry, error_result(*entry.task, {code, std::move(message)}), out);
}

/// It found no place.
void Scheduler::refuse_parked(Entry& entry, Actions& out) {
  const Task& task = *entry.task;
  TaskError error{TaskErrorCode::unavailable,
                  "this node's queue is away, and there is no neighbour and no cloud"};
  const auto end = expiry(task, entry.arrival);
  if (entry.was_in_queue && end && entry.deadline >= *end) {
    error = {TaskErrorCode::expired, "no node that can run it came before it expired"};
  } else if (draining_) {
    error.message = "this node is stopping";
  } else if (!is_in_reach(task)) {
    error = {TaskErrorCode::unplaceable,
             fmt::format("field 'task_name': no node in reach can run '{}'", task.name)};
  } else if (!runs_here(task)) {
    error.message = fmt::format("this node cannot run '{}', and none that can takes it", task.name);
  } else if (queue_up_) {
    error.message = "no worker serves this node's queue, and there is no neighbour and no cloud";
  }
  const TaskResult result = error_result(task, std::move(error));
  finish_away(entry, result, out);
  answer(entry, result, out);
}

/// In the queue: its last lease may hold, although the queue lost tasks. Other nodes that serve the
/// queue may have promised to answer what this one refuses.
void Scheduler::finish_away(const Entry& entry, const TaskResult& result, Actions& out,
                            std::uint32_t dead_after) {
  if (entry.lease_number == 0) return;
  out.push_back(FinishAway{entry.task, entry.lease_number, result, entry.reply_to,
                           is_refused(result), dead_after});
}

/// Other nodes that serve the queue may have asked for what is of no use here.
void Scheduler::finish_unless_asked(const Entry& entry, const TaskResult& result, Actions& out) {
  out.push_back(FinishAway{entry.task, entry.lease_number, result, entry.reply_to, true});
}

/// Answers everyone who waits for it, and forgets the task. `entry` is gone afterwards.
void Scheduler::answer(Entry& entry, const TaskResult& result, Actions& out, bool is_forwarded) {
  note_ending(entry, result);
  if (result.error && result.error->code == TaskErrorCode::cancelled) give_up_copies(entry, out);
  if (is_forwarded && (entry.maybe_away || entry.is_withdrawn)) entry.outcome = result;
  for (Origin& origin : entry.other_origins) {
    note_answered(origin);
    out.push_back(ReturnResult{std::move(origin), entry.task, result, is_forwarded});
  }
  if (!entry.is_unwanted) {
    note_answered(entry.origin);
    out.push_back(ReturnResult{std::move(entry.origin), entry.task, result, is_forwarded});
  }
  forget(entry, out);
}

/// What the queue still has to say about it is for nobody.
void Scheduler::forget(Entry& entry, Actions& out) {
  cancel_copies(entry, out);
  set_where(entry, Where::parked);
  if (entry.is_unwanted) --unwanted_;
  count_taken_copy(entry, false);
  if (entry.is_withdrawn) {
    ++entry.in_flight;
    entry.maybe_away = true;
  }
  Late* late = entry.in_flight > 0 ? &late_[entry.task->uid] : nullptr;
  if (late != nullptr) late->in_flight += entry.in_flight;
  if (entry.maybe_away) {
    Stray stray{{entry.task, entry.arrival, entry.start_by, true}, std::move(entry.outcome)};
    if (late != nullptr) {
      late->maybe_away = std::move(stray);
    } else {
      ask_for_stray(std::move(stray), out);
    }
  }
  entries_.erase(entries_.find(entry.task->uid));
}

void Scheduler::note_answered(const Origin& origin) {
  Neighbour* sender = neighbours_.find(origin.peer);
  if (sender != nullptr && sender->taken_now > 0) --sender->taken_now;
}

/// One that is away ends here and now: what its peer says later is dropped.
bool Scheduler::on_cancel(const std::string& uid, Actions& out) {
  Entry* entry = entry_of(uid);
  if (entry == nullptr) return false;
  // The queue came back without it, and had no room for it since.
  const bool is_outside =
      queue_up_ && !entry->in_queue && entry->in_flight == 0 && !entry->is_withdrawn;
  if (entry->where == Where::here && !is_outside) {
    entry->is_given_up |= entry->is_withdrawn;  // the queue may hold it as away by now
    return false;
  }
  TaskResult result = cancelled_result(uid);
  result.node = options_.name;
  if (entry->where == Where::away) {
    if (!is_original_at(entry->link)) out.push_back(GiveUp{entry->link, uid});
  }
  const bool may_be_held = entry->where == Where::away || entry->where == Where::parked;
  if (may_be_held) finish_away(*entry, result, out);
  answer(*entry, result, out);
  return true;
}

bool Scheduler::may_cancel(PeerId peer, const std::string& uid) {
  const Entry* entry = entry_of(uid);
  if (entry == nullptr || neighbours_.find(peer) == nullptr) return true;
  return entry->origin.peer == peer || entry->given_up_by == peer ||
         std::ranges::any_of(entry->other_origins,
                             [peer](const Origin& one) { return one.peer == peer; });
}

void Scheduler::on_drain(Instant now, Actions& out) {
  now_ = now;
  draining_ = true;
  if (!neighbours_.all().empty()) share(now, out);
}

/// The most urgent first: who has it back can still have it run in time.
void Scheduler::return_to_senders(Instant now, Actions& out) {
  now_ = now;
  std::set<std::pair<Instant, std::string>> waiting;
  for (const auto& [uid, entry] : entries_) {
    const bool waits = entry.where == Where::here && entry.in_queue && !entry.is_anothers &&
                       entry.in_flight == 0 && !entry.has_started;
    if (waits && is_left_to_sender(entry)) waiting.emplace(entry.start_by, uid);
  }
  for (const auto& [start_by, uid] : waiting) withdraw(*entry_of(uid), out);
}

bool Scheduler::has_elsewhere(Instant now) {
  const bool has_neighbour = std::ranges::any_of(
      neighbours_.all(), [&](const Neighbour& one) { return !neighbours_.why_none(one, now); });
  return cloud_.has_value() || (has_neighbour && options_.hands_to_neighbours);
}

bool Scheduler::on_taken(const TakenTask& taken, Instant now, Actions& out) {
  now_ = now;
  const Task& task = *taken.task;
  Entry* entry = entry_of(task.uid);
  if (entry != nullptr && !is_same_task(*entry->task, task)) {  // which the queue will refuse
    out.push_back(TakeBack{task.uid, taken.lease_number});
    return false;
  }
  if (entry == nullptr) {
    Entry found;
    found.origin.peer = nobody;
    found.process_by = task.process_by;
    found.waited = task.waited;
    found.arrival = taken.arrival;
    found.start_by = start_by(task, taken.arrival);
    found.task = std::make_shared<Task>(task);
    entry = &entries_.emplace(task.uid, std::move(found)).first->second;
  }
  editable(*entry).attempts = static_cast<int>(taken.attempt) - 1;
  entry->in_queue = entry->was_in_queue = true;
  entry->held_away = true;
  entry->lease_number = taken.lease_number;
  entry->reply_to = taken.reply_to;
  const bool is_left = entry->is_unwanted || (entry->task->is_copy && entry->other_origins.empty());
  if (is_left && !task.is_copy && is_anothers_task(*entry)) {  // that node waits for it
    out.push_back(TakeBack{task.uid, taken.lease_number});
    entry->held_away = false;
  }
  if (entry->is_unwanted) {
    end_unwanted(*entry, out);
    return true;
  }
  if (entry->task->is_copy && !leave_to_others(*entry, out)) return true;
  tell_accepted(*entry, out);
  if (entry->where == Where::away) return true;  // the queue had lost its lease
  set_where(*entry, Where::going_away);
  place(*entry, now, out);
  entry = entry_of(task.uid);
  if (entry == nullptr) return false;
  return entry->where == Where::away || (draining_ && entry->where == Where::parked);
}

void Scheduler::on_stop(bool queue_survives, Actions& out) {
  std::vector<std::string> uids;
  for (const auto& [uid, entry] : entries_) {
    if (!queue_survives || !entry.in_queue) uids.push_back(uid);
  }
  std::ranges::sort(uids);
  for (const std::string& uid : uids) {
    refuse(*entry_of(uid), TaskErrorCode::unavailable, "this node was stopped", out);
  }
}

}  // namespace fogctl
