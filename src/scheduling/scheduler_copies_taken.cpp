// The Scheduler's part about tied copies, at a node that took one: it runs here or nowhere, and
// only for as long as who sent it, or somebody else, waits for it.
#include <algorithm>
#include <utility>

#include "scheduling/scheduler.hpp"

namespace fogctl {
namespace {

/// So much of its slack a copy is served sooner than the task itself, light ones apart: else both
/// become urgent at the same time, and two workers begin it.
constexpr int copy_is_sooner_by = 3;

TaskError not_taken() {
  return {TaskErrorCode::unavailable, "this node takes no copy of the task"};
}

}  // namespace

Instant Scheduler::start_of_copy(const Entry& entry, Instant now) {
  if (entry.task->weight == TaskClass::light) return entry.start_by;
  return entry.start_by - (entry.start_by - now) / copy_is_sooner_by;
}

/// It runs here or nowhere: the node that handed it on looks after it.
void Scheduler::take_copy(Entry& entry, Instant now, Actions& out) {
  count_taken_copy(entry, true);
  entry.start_by = start_of_copy(entry, now);
  const bool takes =
      options_.policy->ties_copies && is_here_to_be_had() && !draining_ && runs_here(*entry.task);
  if (!takes) return answer(entry, error_result(*entry.task, not_taken()), out);
  // A result that is kept would answer for the task itself, should it come here later.
  editable(entry).uid_chosen = false;
  place_here(entry, here(), out);
}

void Scheduler::count_taken_copy(Entry& entry, bool is_one) {
  if (std::exchange(entry.is_taken_copy, is_one) == is_one) return;
  is_one ? ++taken_copies_ : --taken_copies_;
}

void Scheduler::refuse_copy(const Task& task, Origin origin, Actions& out) {
  note_answered(origin);
  out.push_back(ReturnResult{std::move(origin), std::make_shared<const Task>(task),
                             error_result(task, not_taken())});
}

void Scheduler::on_copy_cancelled(PeerId link, const std::string& uid, Instant now, Actions& out) {
  now_ = now;
  Entry* entry = entry_of(uid);
  if (entry == nullptr || entry->is_unwanted) return;
  std::erase_if(entry->other_origins, [&](const Origin& other) {
    if (other.peer == link) note_answered(other);
    return other.peer == link;
  });
  if (entry->origin.peer != link) return;
  note_answered(entry->origin);
  drop(*entry, out);
}

/// Who sent it does not wait for it any more.
void Scheduler::drop(Entry& entry, Actions& out) {
  if (!entry.other_origins.empty()) return make_own(entry);  // somebody else does
  entry.given_up_by = entry.origin.peer;
  entry.origin = Origin{};
  entry.origin.peer = nobody;
  entry.is_unwanted = true;
  ++unwanted_;
  editable(entry).uid_chosen = false;  // that it was given up is no result to be kept
  cancel_copies(entry, out);
  stop_wake(entry);
  if (entry.has_started) return;
  if (entry.where == Where::away) {
    if (options_.shares_queue) return;  // until its result comes
    if (!is_original_at(entry.link)) out.push_back(CancelCopy{entry.link, entry.task->uid});
    return end_unwanted(entry, out);
  }
  const bool is_own = entry.in_queue && !entry.is_anothers;
  if (entry.where == Where::here && is_own) return withdraw(entry, out);
  if (entry.in_flight == 0 || is_enqueue_undone(entry, out)) end_unwanted(entry, out);
}

/// The queue was not asked for it yet: it need not be.
bool Scheduler::is_enqueue_undone(Entry& entry, Actions& out) {
  if (entry.in_flight != 1 || entry.maybe_away) return false;
  const auto asked = std::find_if(out.rbegin(), out.rend(), [&](const Action& action) {
    const auto* enqueue = std::get_if<EnqueueTask>(&action);
    return enqueue != nullptr && enqueue->task->uid == entry.task->uid;
  });
  if (asked == out.rend()) return false;
  out.erase(std::next(asked).base());
  entry.in_flight = 0;
  return true;
}

void Scheduler::end_unwanted(Entry& entry, Actions& out) {
  if (entry.held_away) finish_unless_asked(entry, cancelled_result(entry.task->uid), out);
  forget(entry, out);
}

/// This node does not take it, or no more: for others that wait for it, it is a task like others.
/// False: nobody does, and it is forgotten.
bool Scheduler::leave_to_others(Entry& entry, Actions& out) {
  const TaskResult result = error_result(*entry.task, not_taken());
  if (entry.other_origins.empty()) {
    if (entry.held_away) finish_unless_asked(entry, result, out);
    answer(entry, result, out);
    return false;
  }
  note_answered(entry.origin);
  entry.is_shared = true;
  out.push_back(ReturnResult{std::move(entry.origin), entry.task, result});
  make_own(entry);
  return true;
}

/// It is a copy no more, and the first of the others is who it came from.
void Scheduler::make_own(Entry& entry) {
  count_taken_copy(entry, false);
  editable(entry).is_copy = false;
  editable(entry).uid_chosen = std::ranges::any_of(entry.other_origins, &Origin::has_uid);
  entry.origin = std::move(entry.other_origins.front());
  entry.other_origins.erase(entry.other_origins.begin());
}

void Scheduler::drop_copies_from(PeerId link, Actions& out) {
  std::vector<std::string> uids;
  for (const auto& [uid, entry] : entries_) {
    if (entry.task->is_copy && entry.origin.peer == link) uids.push_back(uid);
  }
  std::ranges::sort(uids);
  for (const std::string& uid : uids) drop(*entry_of(uid), out);
}

}  // namespace fogctl
