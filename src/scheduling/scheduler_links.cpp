// The Scheduler's part about links: neighbours and the cloud come and go, answer or do not, and are
// told how busy this node is.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "scheduling/scheduler.hpp"

namespace fogctl {
namespace {

/// A retired link stays so long, for what the peer sent before it heard of it.
constexpr Duration last_words = std::chrono::seconds(1);
/// Neighbours hear at once of a wait that changed by half of what they were told, and this much.
constexpr Duration least_change = std::chrono::milliseconds(20);

/// By a node that did not run the task: another one may.
bool was_turned_away(const TaskResult& result) {
  return is_refused(result) || (result.error && result.error->code == TaskErrorCode::unknown_task);
}

}  // namespace

/// The task that the peer answers; null: nobody waits for its answer any more.
Scheduler::Entry* Scheduler::answered_over(PeerId link, std::int64_t id, Instant now) {
  now_ = now;
  const auto uid = handed_on_.find(id, link);
  if (!uid) {
    ++repeated_results_;
    return nullptr;
  }
  if (Neighbour* neighbour = neighbours_.find(link)) neighbour->heard_at = now;
  return entry_of(*uid);
}

bool Scheduler::on_link_result(PeerId link, std::int64_t id, TaskResult result, Instant now,
                               Actions& out) {
  Entry* answered = answered_over(link, id, now);
  if (answered == nullptr) return false;
  Entry& entry = *answered;
  if (is_copy_of(entry, id)) {
    if (was_turned_away(result)) {
      note_copy(entry, link, DecidedCopy::Fate::turned_away);
      remove_copy(entry, id);
    } else {
      note_copy(entry, link, DecidedCopy::Fate::began);
      on_copy_result(entry, id, std::move(result), out);
    }
    return true;
  }
  if (was_turned_away(result)) {
    if (place_elsewhere(entry, now, out)) return true;
    if (is_refused(result) && is_promised(entry)) {
      set_where(entry, Where::going_away);
      park(entry, "", now, out);
      return true;
    }
  }
  result.uid = entry.task->uid;
  judge_prediction(entry, result, now);
  if (link == cloud_link && !result.error) note_cloud_way(now - entry.handed_at, result);
  finish_away(entry, result, out);
  answer(entry, result, out, true);
  return true;
}

bool Scheduler::on_link_junk(PeerId link, std::int64_t id, Instant now, Actions& out) {
  Entry* answered = answered_over(link, id, now);
  if (answered == nullptr) return false;
  Entry& entry = *answered;
  if (is_copy_of(entry, id)) {
    remove_copy(entry, id);
  } else {
    entry.avoided.push_back(link);
    place_after_crash(entry, now, out);
  }
  return true;
}

/// The peer that has it will not answer: the task is this node's again.
void Scheduler::place_again(Entry& entry, Instant now, Actions& out) {
  set_where(entry, Where::going_away);
  place(entry, now, out);
}

/// A task that kills whoever runs it must not tour the mesh: after so many runs that may have begun
/// there it is handed on no more. Where this node's workers can run it, they end it, who know their
/// handler's rules.
void Scheduler::place_after_crash(Entry& entry, Instant now, Actions& out) {
  Task& task = editable(entry);
  ++task.attempts;
  const int most = task.max_attempts > 0 ? task.max_attempts : options_.max_attempts;
  if (task.attempts < most) return place_again(entry, now, out);
  const bool can_run = runs_here(task);
  if (can_run && backlog_.workers() > 0) {
    if (why_not_here(entry, can_run)) return place_again(entry, now, out);
    set_where(entry, Where::going_away);
    return place_here(entry, here(), out);
  }
  const auto runs = static_cast<std::uint32_t>(task.attempts);
  const TaskResult result = error_result(task, {TaskErrorCode::task_failed, lost_runs(runs)});
  finish_away(entry, result, out, runs);
  answer(entry, result, out);
}

/// As place_again, where there is another place for it. False: there is none.
bool Scheduler::place_elsewhere(Entry& entry, Instant now, Actions& out) {
  entry.avoided.push_back(entry.link);
  const Plan plan = decide(entry, now);
  if (plan.placements.empty()) return false;
  set_where(entry, Where::going_away);
  follow(entry, plan, now, out);
  return true;
}

bool Scheduler::is_original_at(PeerId link) {
  const Neighbour* neighbour = neighbours_.find(link);
  return neighbour != nullptr ? neighbour->who.is_original() : cloud_is_original_;
}

void Scheduler::on_cloud_up(bool is_original, std::size_t max_message, Instant now, Actions& out) {
  if (cloud_ && cloud_is_original_ && !is_original) {
    handed_on_.postpone(cloud_link, (SchedulerOptions::fogctl_patience - 1) * options_.overdue_min);
  }
  cloud_is_original_ = is_original;
  cloud_max_message_ = max_message;
  cloud_unsent_ = {};
  cloud_way_.reset();
  has_met_cloud_ = true;
  cloud_.emplace();
  cloud_->site = Site::cloud;
  cloud_->link_delay = cloud_delay_;
  cloud_told_kinds_ = false;
  kinds_.set(cloud_link, is_original ? original_kinds() : first_kinds());
  place_parked(now, out, cloud_link);
  set_escapes(now);
}

/// The cloud has come, or can run more: for what has waited here since before.
void Scheduler::set_escapes(Instant now) {
  if (!options_.policy->ties_copies) return;
  for (auto& [uid, entry] : entries_) {
    const bool waits = entry.where == Where::here && entry.in_queue && entry.in_flight == 0 &&
                       !entry.has_started && !entry.is_anothers && !entry.is_withdrawn;
    if (!waits || entry.escape_at != Instant::max()) continue;
    std::erase(entry.avoided, cloud_link);  // it may have room now
    set_escape(entry, now);
    set_wake(entry);
  }
}

void Scheduler::on_cloud_delay(Duration round_trip) {
  if (!cloud_) return;
  cloud_->link_delay = std::max(round_trip, cloud_way_.value_or(Duration::zero()));
  cloud_delay_ = cloud_->link_delay;
}

/// What an answer took beyond waiting and running there. The connection alone may end at a proxy
/// that is near.
void Scheduler::note_cloud_way(Duration took, const TaskResult& result) {
  if (!cloud_ || cloud_is_original_) return;  // it does not say how long the task waited there
  const Duration way =
      std::max(took - result.queuing_time - result.execution_time, Duration::zero());
  constexpr int smoothing = 8;
  cloud_way_ = cloud_way_ ? *cloud_way_ + (way - *cloud_way_) / smoothing : way;
  cloud_->link_delay = std::max(cloud_->link_delay, *cloud_way_);
}

void Scheduler::on_cloud_down(Instant now, Actions& out) {
  now_ = now;
  cloud_.reset();
  cloud_unsent_ = {};
  kinds_.forget(cloud_link);
  for (const std::string& uid : handed_on_.over(cloud_link)) place_again(*entry_of(uid), now, out);
}

void Scheduler::on_peer_up(PeerId link, NeighbourIdentity who, Instant now, Actions& out) {
  now_ = now;
  const bool is_original = who.is_original();
  neighbours_.add(link, std::move(who), now);
  if (neighbours_.all().size() == 1) ticked_at_ = tended_at_ = now;
  if (is_original) kinds_.set(link, original_kinds());
  if (!is_original) share_kinds({link}, out);  // before its first state
  share(now, out);
}

std::size_t Scheduler::on_peer_lost(PeerId link, Instant now, Actions& out) {
  now_ = now;
  const Neighbour* neighbour = neighbours_.find(link);
  const bool may_have_crashed = neighbour != nullptr && !neighbour->is_closed_here;
  if (neighbour != nullptr) note_departed(*neighbour);
  neighbours_.remove(link);
  kinds_.forget(link);
  drop_copies_from(link, out);
  std::size_t placed_again = 0;
  for (const std::string& uid : handed_on_.over(link)) {
    Entry& entry = *entry_of(uid);
    const auto copy = std::ranges::find_if(
        entry.copies, [&](const Copy& one) { return one.link == link && one.id != 0; });
    if (copy != entry.copies.end()) {
      remove_copy(entry, copy->id);
      continue;
    }
    ++placed_again;
    if (may_have_crashed) {
      place_after_crash(entry, now, out);
    } else {
      place_again(entry, now, out);
    }
  }
  return placed_again;
}

void Scheduler::on_peer_leaves(PeerId link, Instant now) {
  Neighbour* neighbour = neighbours_.find(link);
  if (neighbour == nullptr || neighbour->is_retired) return;
  neighbour->is_retired = true;
  neighbour->retired_at = now;
}

void Scheduler::on_state(PeerId link, const NodeState& state, Instant now, Actions& out) {
  Neighbour* neighbour = neighbours_.find(link);
  if (neighbour == nullptr) return;
  if (kinds_.of(link) == nullptr) kinds_.set(link, first_kinds());  // it does not tell
  neighbour->state = state;
  neighbour->sent_work = {};
  neighbour->has_state = true;
  neighbour->state_at = now;
  neighbour->heard_at = now;
  if (state.expected_wait) place_parked(now, out, link);
  ask_for_tasks(now, out);
}

void Scheduler::on_peer_delay(PeerId link, Duration round_trip) {
  if (Neighbour* neighbour = neighbours_.find(link)) neighbour->delay = round_trip;
}

void Scheduler::on_peer_heard(PeerId link, Instant now) {
  if (Neighbour* neighbour = neighbours_.find(link)) neighbour->heard_at = now;
}

void Scheduler::on_peer_unread(PeerId link) {
  if (Neighbour* neighbour = neighbours_.find(link)) neighbour->is_closed_here = true;
}

NodeState Scheduler::own_state() const {
  NodeState state;
  if (is_here_to_be_had() && !draining_) {
    state.expected_wait = backlog_.expected_wait(estimates_.classes());
    if (options_.policy->reads_start_wait) state.waits = work_.profile(moments_, now_);
  }
  state.workers = backlog_.workers();
  state.running = std::min(backlog_.running(), backlog_.tasks());
  state.queued = backlog_.tasks() - state.running;
  state.sequence = shared_.sequence + 1;
  state.sharing_interval = options_.sharing_interval;
  state.takes_copies = options_.policy->ties_copies;
  state.steals = steals();
  return state;
}

/// To every neighbour; over a link that is retired, that this node takes nothing more.
void Scheduler::share(Instant now, Actions& out) {
  shared_ = own_state();
  shared_at_ = now;
  ShareState active{{}, shared_};
  ShareState retired{{}, shared_};
  retired.state.expected_wait.reset();
  for (const Neighbour& neighbour : neighbours_.all()) {
    (neighbour.is_retired ? retired : active).links.push_back(neighbour.link);
  }
  if (!active.links.empty()) out.push_back(std::move(active));
  if (!retired.links.empty()) out.push_back(std::move(retired));
}

void Scheduler::share_if_changed(Instant now, Actions& out) {
  if (!options_.shares_on_change || neighbours_.all().empty()) return;
  if (now - shared_at_ < options_.sharing_interval / 10) return;
  const bool is_up = is_here_to_be_had() && !draining_;
  const auto& told = shared_.expected_wait;
  if (is_up && told) {
    const Duration change = std::chrono::abs(backlog_.expected_wait(estimates_.classes()) - *told);
    if (change < std::max(least_change, *told / 2)) return;
  } else if (is_up == told.has_value()) {
    return;
  }
  share(now, out);
}

/// Once a sharing interval: says how busy this node is, and closes what is of no use. The latter
/// also where a wait that changes all the time is told more often.
void Scheduler::tend_links(Instant now, Actions& out) {
  if (neighbours_.all().empty()) return;
  const Duration gap = now - std::exchange(ticked_at_, now);
  if (gap > 2 * options_.sharing_interval) neighbours_.forgive(gap, now);
  if (now - shared_at_ >= options_.sharing_interval) share(now, out);
  if (now - tended_at_ < options_.sharing_interval) return;
  tended_at_ = now;
  share_times_if_changed(now, out);
  while (neighbours_.retire_surplus(now) != nullptr) {  // not before a newcomer is measured
  }
  for (Neighbour& neighbour : neighbours_.all()) {
    if (neighbours_.is_silent(neighbour, now)) {
      neighbour.is_closed_here = true;
      out.push_back(CloseLink{neighbour.link, CloseLink::Why::silent});
    } else if (neighbour.is_retired && neighbour.is_empty() &&
               now - neighbour.retired_at >= last_words) {
      const auto why = neighbour.is_second ? CloseLink::Why::duplicate : CloseLink::Why::surplus;
      out.push_back(CloseLink{neighbour.link, why});
    }
  }
}

std::optional<Instant> Scheduler::next_tick() const {
  std::optional<Instant> next = handed_on_.next_overdue();
  const auto earliest = [&](Instant instant) {
    if (!next || instant < *next) next = instant;
  };
  if (const auto steal_at = requests_.next(now_)) earliest(*steal_at);
  if (!wakes_.empty()) earliest(wakes_.begin()->first);
  if (!parked_.empty() && parked_.begin()->deadline != Instant::max()) {
    earliest(parked_.begin()->deadline);
  }
  if (!neighbours_.all().empty()) {
    earliest(std::min(shared_at_, tended_at_) + options_.sharing_interval);
  }
  return next;
}

void Scheduler::on_tick(Instant now, Actions& out) {
  now_ = now;
  while (!parked_.empty() && parked_.begin()->deadline <= now) {
    refuse_parked(*entry_of(parked_.begin()->uid), out);
  }
  while (const auto overdue = handed_on_.overdue(now)) {
    Entry& entry = *entry_of(overdue->uid);
    if (is_copy_of(entry, overdue->id)) {
      remove_copy(entry, overdue->id);
      continue;
    }
    entry.avoided.push_back(entry.link);
    place_again(entry, now, out);
  }
  wake_due(now, out);
  give_up_requests(now);
  ask_for_tasks(now, out);
  tend_links(now, out);
}

}  // namespace fogctl
