// The Scheduler's part about tied copies, at the node whose task it is: a task that waits here
// waits at neighbours too, and runs where a worker has it first. The task stays this node's:
// whatever becomes of its copies, it is answered once.
#include <algorithm>
#include <span>
#include <utility>

#include "base/check.hpp"
#include "scheduling/scheduler.hpp"

namespace fogctl {
namespace {

constexpr Instant never = Instant::max();
/// What is sent to a neighbour counts until its next state; others send there, too. By simulation a
/// copy had best count as so many.
constexpr int weight_of_copy = 2;

}  // namespace

void Scheduler::add_copies(Entry& entry, const Plan& plan, Instant now) {
  entry.look_at = plan.again_after > Duration::zero() ? now + plan.again_after : never;
  for (const Placement& copy : std::span(plan.placements).subspan(1)) {
    const Neighbour* neighbour = neighbours_.find(copy.node);
    FOGCTL_CHECK(neighbour != nullptr);
    entry.copies.push_back({neighbour->link, copy.expected_wait, 0});
  }
}

/// Not before the queue has the task: nothing but the queue outlives this process.
void Scheduler::send_copies(Entry& entry, Instant now, Actions& out) {
  for (Copy& copy : entry.copies) {
    if (copy.id != 0) continue;
    Neighbour* neighbour =
        link_takes(copy.link, *entry.task) ? neighbours_.find(copy.link) : nullptr;
    if (neighbour == nullptr) continue;
    const Duration way = neighbour->delay.value_or(Duration::zero());
    auto task = std::make_shared<Task>(*entry.task);
    const Duration run = expected_run(*task, copy.link);
    task->is_copy = true;
    task->process_by = "fog";
    task->estimated_queuing_time = to_seconds(copy.expected_wait);
    task->estimated_execution_time = to_seconds(run);
    task->waited = add_saturating(entry.waited, now - entry.arrival + way / 2);
    ++task->offload_times;
    task->offloading_fog.push_back(neighbour->who.own_address);
    task->offloading_nodes.push_back(options_.node);
    ++neighbour->handed;
    ++neighbour->handed_now;
    neighbour->note_sent(entry.start_by - now - way, weight_of_copy * run);
    neighbour->unsent.add(task->content.size(), options_.most_unsent);
    const Duration expected = add_saturating(add_saturating(copy.expected_wait, run), way);
    copy.id = handed_on_.add(task->uid, copy.link, now + patience_with(expected, false));
    copy.sent_at = now;
    ++copies_;
    note_copy(entry, copy.link, DecidedCopy::Fate::sent);
    out.push_back(HandOn{copy.link, std::move(task), copy.id});
  }
  std::erase_if(entry.copies, [](const Copy& copy) { return copy.id == 0; });
}

void Scheduler::cancel_copies(Entry& entry, Actions& out, std::int64_t but_for) {
  const auto is_kept = [&](const Copy& copy) { return copy.id == but_for && but_for != 0; };
  for (const Copy& copy : std::exchange(entry.copies, {})) {
    if (is_kept(copy)) {
      entry.copies.push_back(copy);
    } else if (copy.id != 0) {
      note_copy_gone(copy);
      entry.left_copies.insert(copy.link);
      out.push_back(CancelCopy{copy.link, entry.task->uid});
    }
  }
}

/// The task itself was given up: where a copy of it has begun, that ends, too.
void Scheduler::give_up_copies(Entry& entry, Actions& out) {
  for (const Copy& copy : std::exchange(entry.copies, {})) {
    if (copy.id == 0) continue;
    note_copy_gone(copy);
    entry.left_copies.insert(copy.link);
  }
  for (const PeerId link : entry.left_copies) out.push_back(GiveUp{link, entry.task->uid});
}

void Scheduler::note_copy_gone(const Copy& copy) {
  handed_on_.remove(copy.id);
  --copies_;
  if (Neighbour* neighbour = neighbours_.find(copy.link)) --neighbour->handed_now;
}

/// Its peer will not run it.
void Scheduler::remove_copy(Entry& entry, std::int64_t id) {
  const auto found = std::ranges::find(entry.copies, id, &Copy::id);
  note_copy_gone(*found);
  entry.copies.erase(found);
}

bool Scheduler::is_copy_of(const Entry& entry, std::int64_t id) {
  return std::ranges::find(entry.copies, id, &Copy::id) != entry.copies.end();
}

void Scheduler::on_started(const std::string& uid, Instant /*now*/, Actions& out) {
  Entry* entry = entry_of(uid);
  if (entry == nullptr || entry->where != Where::here) return;
  entry->has_started = true;
  stop_wake(*entry);
  if (entry->task->is_copy && !entry->is_unwanted) out.push_back(TellStarted{entry->origin});
  cancel_copies(*entry, out);
}

void Scheduler::on_copy_started(PeerId link, std::int64_t id, Instant now, Actions& out) {
  now_ = now;
  if (Neighbour* neighbour = neighbours_.find(link)) neighbour->heard_at = now;
  const auto uid = handed_on_.find(id, link);
  if (!uid) return;  // it was cancelled meanwhile
  Entry& entry = *entry_of(*uid);
  if (!is_copy_of(entry, id) || entry.begun_as != 0) return;
  entry.begun_as = id;
  note_copy(entry, link, DecidedCopy::Fate::began);
  judge_copy(entry, id, now);
  cancel_copies(entry, out, id);
  withdraw(entry, out);
}

/// The first result is the task's. Where it comes before the queue has given the task away, the
/// queue must not begin it any more.
void Scheduler::on_copy_result(Entry& entry, std::int64_t id, TaskResult result, Actions& out) {
  remove_copy(entry, id);
  if (entry.has_started) return answer(entry, result, out, true);
  entry.outcome = std::move(result);
  cancel_copies(entry, out);
  withdraw(entry, out);
}

void Scheduler::withdraw(Entry& entry, Actions& out) {
  if (std::exchange(entry.is_withdrawn, true)) return;
  out.push_back(Withdraw{entry.task->uid});
}

void Scheduler::settle_withdrawal(const std::string& uid, const WithdrawAnswer& answer, Instant now,
                                  Actions& out) {
  using Kind = WithdrawAnswer::Kind;
  now_ = now;
  const auto as_enqueued = answer.kind == Kind::away          ? EnqueueAnswer::Kind::away
                           : answer.kind == Kind::unavailable ? EnqueueAnswer::Kind::unavailable
                                                              : EnqueueAnswer::Kind::queued;
  if (answer.kind == Kind::unavailable) queue_up_ = false;
  if (is_for_forgotten_task(uid, {as_enqueued, answer.lease_number, {}, {}}, out)) return;
  Entry* entry = entry_of(uid);
  FOGCTL_CHECK(entry != nullptr && entry->is_withdrawn);
  entry->is_withdrawn = false;
  if (entry->where != Where::here && !entry->outcome) {  // it found another place meanwhile
    entry->begun_as = 0;
    entry->goes_to.reset();
    if (answer.kind == Kind::away) on_away(*entry, answer.lease_number, now, out);
    return;
  }
  if (answer.kind == Kind::away) {
    entry->held_away = true;
    entry->has_started = false;  // a run that had begun has failed, and it waited for the next one
    entry->lease_number = answer.lease_number;
  } else if (answer.kind == Kind::unavailable) {
    entry->in_queue = false;  // it is told again when it is back
    entry->maybe_away = true;
  } else {
    entry->has_started = true;
    stop_wake(*entry);
  }
  after_withdrawal(*entry, now, out);
}

void Scheduler::after_withdrawal(Entry& entry, Instant now, Actions& out) {
  const auto outcome = std::exchange(entry.outcome, std::nullopt);
  const auto goes_to = std::exchange(entry.goes_to, std::nullopt);
  const std::int64_t begun_as = std::exchange(entry.begun_as, 0);
  const auto end_with = [&](const TaskResult& result) {
    if (entry.held_away) finish_away(entry, result, out);
  };
  if (outcome) {
    end_with(*outcome);
    return answer(entry, *outcome, out, true);
  }
  if (entry.is_unwanted) {
    if (entry.has_started) return;  // until its result comes
    return end_unwanted(entry, out);
  }
  if (entry.has_started) return;  // where a copy has begun too, the first result counts
  if (entry.is_given_up) {
    const TaskResult result = cancelled_result(entry.task->uid);
    end_with(result);
    return answer(entry, result, out);
  }
  if (begun_as != 0 && is_copy_of(entry, begun_as)) return leave_to_copy(entry, begun_as);
  if (!entry.held_away) return;
  if (goes_to && link_takes(*goes_to, *entry.task)) {
    cancel_copies(entry, out);
    return send_away(entry, *goes_to, {}, now, out);
  }
  if (draining_ && is_left_to_sender(entry)) {
    set_where(entry, Where::going_away);
    return place(entry, now, out);
  }
  place_here(entry, here(), out);
}

/// The copy that has begun is the task from now on.
void Scheduler::leave_to_copy(Entry& entry, std::int64_t id) {
  const auto copy = std::ranges::find(entry.copies, id, &Copy::id);
  entry.link = copy->link;
  entry.link_id = id;
  entry.copies.erase(copy);
  --copies_;
  set_where(entry, Where::away);
}

// What is done later about a task that has not begun.

/// Of those that are served before it; a task that is here does not wait for itself.
Duration Scheduler::slack_of_others(const Entry& entry, Instant now) {
  const Duration slack = entry.start_by - now;
  return entry.where == Where::here ? slack - Duration(1) : slack;
}

/// At the last moment at which the cloud still starts it in time.
std::optional<Instant> Scheduler::escape_time(const Entry& entry) const {
  if (entry.task->is_copy || !cloud_takes(*entry.task)) return std::nullopt;
  const bool is_avoided = std::ranges::find(entry.avoided, cloud_link) != entry.avoided.end();
  if (is_avoided) return std::nullopt;
  return entry.start_by - cloud_->link_delay - options_.escape_margin;
}

/// Never, where there is no such moment or it has come.
void Scheduler::set_escape(Entry& entry, Instant now) {
  const auto escape_at = escape_time(entry);
  entry.escape_at = escape_at && *escape_at > now ? *escape_at : never;
}

void Scheduler::set_wake(Entry& entry) {
  stop_wake(entry);
  const Instant at = std::min(entry.look_at, entry.escape_at);
  if (at == never) return;
  entry.wake_at = at;
  wakes_.emplace(at, entry.task->uid);
}

void Scheduler::stop_wake(Entry& entry) {
  const Instant at = std::exchange(entry.wake_at, Instant{});
  if (at != Instant{}) wakes_.erase({at, entry.task->uid});
}

void Scheduler::wake_due(Instant now, Actions& out) {
  while (!wakes_.empty() && wakes_.begin()->first <= now) {
    Entry& entry = *entry_of(wakes_.begin()->second);
    stop_wake(entry);
    if (entry.is_withdrawn) continue;
    if (entry.look_at <= now) look_again(entry, now, out);
    if (entry.escape_at <= now) {
      set_escape(entry, now);  // the way there may have become shorter
      if (entry.escape_at == never) escape(entry, now, out);
    }
    if (!entry.is_withdrawn) set_wake(entry);
  }
}

void Scheduler::look_again(Entry& entry, Instant now, Actions& out) {
  const Plan plan =
      options_.policy->place(*entry.task, view_for(entry, now), tuning_, random_.next());
  entry.look_at = never;
  if (plan.placements.empty() || plan.placements.front().site != Site::here) return;
  if (Decision* decision = decisions_.find(entry.decision)) note_copies(*decision, plan, now);
  add_copies(entry, plan, now);
  send_copies(entry, now, out);
}

/// It goes to the cloud, unless it begins here in time after all in 95 of 100 cases.
void Scheduler::escape(Entry& entry, Instant now, Actions& out) {
  if (!escape_time(entry) || cloud_unsent_.is_full()) return;
  if (backlog_.workers() > 0) {
    const WaitEstimate wait = work_.wait(slack_of_others(entry, now), moments_, now);
    if (wait.mean + wait.deviation * 1645 / 1000 <= entry.start_by - now) return;
  }
  entry.goes_to = cloud_link;
  withdraw(entry, out);
}

}  // namespace fogctl
