#include "scheduling/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "scheduling/original_peer.hpp"

namespace fogctl {
namespace {

constexpr std::size_t most_origins = 16;
constexpr std::size_t most_strays = 100'000;

/// A start between 2^32 and 2^52: no original peer counts there (protocol.md part 2).
std::int64_t first_cloud_id(Random& random) {
  constexpr std::uint64_t low = std::uint64_t{1} << 32;
  constexpr std::uint64_t high = std::uint64_t{1} << 52;
  return static_cast<std::int64_t>(low + random.below(high - low));
}

TaskResult error_result(const Task& task, const std::string& node, TaskError error) {
  TaskResult result;
  result.uid = task.uid;
  result.error = std::move(error);
  result.node = node;
  return result;
}

bool is_same_task(const Task& a, const Task& b) {
  return a.name == b.name && a.content == b.content;
}

/// Errors of a node that did not run the task: another one may.
bool was_turned_away(const TaskResult& result) {
  using enum TaskErrorCode;
  const auto& error = result.error;
  return error &&
         (error->code == unavailable || error->code == overloaded || error->code == unknown_task);
}

}  // namespace

Scheduler::Scheduler(SchedulerOptions options, Random random)
    : options_(std::move(options)), random_(random), next_cloud_id_(first_cloud_id(random_)) {}

void Scheduler::on_task(Task task, Origin origin, Instant now, Actions& out) {
  if (task.uid.empty()) task.uid = random_short_id(random_);
  if (Entry* known = entry_of(task.uid)) return attach(*known, task, std::move(origin), out);

  Entry entry;
  entry.process_by = task.process_by;
  entry.waited = task.waited;
  entry.arrival = now;
  entry.start_by = start_by(task, now);
  entry.origin = std::move(origin);
  entry.task = std::make_shared<Task>(std::move(task));
  const std::string& uid = entry.task->uid;
  const auto added = entries_.emplace(uid, std::move(entry)).first;
  place(added->second, now, out);
}

/// The same task came again, while it is unanswered.
void Scheduler::attach(Entry& entry, const Task& task, Origin origin, Actions& out) {
  const auto refuse_it = [&](TaskErrorCode code, std::string message) {
    out.push_back(ReturnResult{std::move(origin), std::make_shared<const Task>(task),
                               error_result(task, options_.name, {code, std::move(message)})});
  };
  if (!is_same_task(*entry.task, task)) {
    return refuse_it(TaskErrorCode::invalid_task,
                     "field 'task_uid': belongs to a task with another name or content");
  }
  if (entry.other_origins.size() >= most_origins) {
    return refuse_it(TaskErrorCode::overloaded, "the task is waited for too many times");
  }
  entry.other_origins.push_back(std::move(origin));
}

bool Scheduler::cloud_takes(const Task& task) const {
  if (!cloud_) return false;
  return cloud_is_original_ ? original_peer_takes(task)
                            : largest_message(task) <= options_.max_message;
}

ClusterView Scheduler::view_for(const Task& task) const {
  ClusterView view;
  if (is_here_to_be_had()) {
    view.local.emplace();
    view.local->expected_wait = backlog_.expected_wait(estimates_);
  }
  if (cloud_takes(task)) view.cloud = cloud_;
  return view;
}

void Scheduler::place(Entry& entry, Instant now, Actions& out) {
  const Plan plan =
      options_.policy->place(*entry.task, view_for(*entry.task), tuning_, random_.next());
  if (plan.placements.empty()) return park(entry, plan.reason, now, out);
  const Placement& placement = plan.placements.front();
  if (placement.site == Site::cloud) return send_up(entry, placement, now, out);
  FOGCTL_CHECK(placement.site == Site::here);
  place_here(entry, placement, out);
}

/// The queue and the backlog follow where the task is.
void Scheduler::set_where(Entry& entry, Where where) {
  if (entry.where == Where::here) backlog_.remove(entry.task->weight);
  if (entry.where == Where::away) with_cloud_.erase(entry.cloud_id);
  entry.where = where;
  if (where == Where::here) backlog_.add(entry.task->weight);
}

Task& Scheduler::editable(Entry& entry) {
  if (entry.is_shared) entry.task = std::make_shared<Task>(*entry.task);
  entry.is_shared = false;
  return *entry.task;
}

/// A task that the queue may hold as away is asked for as such again: the answer says under which
/// lease, and it is taken back if it is not to go.
void Scheduler::enqueue(Entry& entry, bool away, Actions& out) {
  entry.is_shared = true;
  ++entry.in_flight;
  entry.maybe_away |= away;
  out.push_back(EnqueueTask{entry.task, entry.arrival, entry.start_by, entry.maybe_away});
}

void Scheduler::place_here(Entry& entry, const Placement& placement, Actions& out) {
  Task& task = editable(entry);
  const bool says_local = task.offload_times == 0 && !options_.is_cloud;
  task.process_by = says_local ? "local" : entry.process_by;
  task.estimated_queuing_time = to_seconds(placement.expected_wait);
  task.estimated_execution_time = to_seconds(estimates_.of(task.weight));
  set_where(entry, Where::here);
  if (queue_up_) enqueue(entry, false, out);  // else when it is back
}

void Scheduler::send_up(Entry& entry, const Placement& placement, Instant now, Actions& out) {
  Task& task = editable(entry);
  task.process_by = "cloud";
  task.estimated_queuing_time = to_seconds(placement.expected_wait);
  task.estimated_execution_time = to_seconds(estimates_.of(task.weight));
  set_where(entry, Where::going_away);
  if (queue_up_) return enqueue(entry, true, out);
  hand_to_cloud(entry, now, out);  // the queue is told when it is back
}

void Scheduler::hand_to_cloud(Entry& entry, Instant now, Actions& out) {
  Task& task = editable(entry);
  task.waited = add_saturating(entry.waited, now - entry.arrival);
  set_where(entry, Where::away);
  entry.cloud_id = next_cloud_id_++;
  with_cloud_.emplace(entry.cloud_id, task.uid);
  entry.deadline =
      now + (cloud_is_original_ ? options_.cloud_silence : options_.longest_cloud_silence);
  cloud_timers_.push_back(entry.cloud_id);
  entry.is_shared = true;
  out.push_back(SendToCloud{entry.task, entry.cloud_id});
}

void Scheduler::park(Entry& entry, std::string_view why, Instant now, Actions& out) {
  if (entry.was_in_queue) return place_here(entry, {}, out);  // accepted, so never refused
  if (entry.where != Where::parked) entry.deadline = {};
  set_where(entry, Where::parked);
  if (entry.deadline == Instant{}) {
    entry.deadline = std::max(entry.arrival, now) + options_.patience;
    if (parked_.size() >= options_.max_parked) {
      return refuse(entry, TaskErrorCode::unavailable, std::string(why), out);
    }
    parked_.push_back(entry.task->uid);
  }
}

/// Something changed for the better: try again for those that wait for a place.
void Scheduler::place_parked(Instant now, Actions& out) {
  std::deque<std::string> waiting;
  std::swap(waiting, parked_);
  for (std::string& uid : waiting) {
    Entry* entry = entry_of(uid);
    if (entry == nullptr || entry->where != Where::parked) continue;
    place(*entry, now, out);
    if (entry_of(uid) == entry && entry->where == Where::parked) parked_.push_back(std::move(uid));
  }
}

void Scheduler::on_enqueued(const std::string& uid, const EnqueueAnswer& answer_given, Instant now,
                            Actions& out) {
  using Kind = EnqueueAnswer::Kind;
  if (is_for_forgotten_task(uid)) {
    if (answer_given.kind == Kind::away) out.push_back(TakeBack{uid, answer_given.lease_number});
    return;
  }
  Entry* entry = entry_of(uid);
  FOGCTL_CHECK(entry != nullptr && entry->in_flight > 0);
  --entry->in_flight;
  const bool is_last_word = answer_given.kind != Kind::unavailable && entry->in_flight == 0;
  if (is_last_word) entry->maybe_away = false;
  switch (answer_given.kind) {
    case Kind::queued:
      entry->in_queue = entry->was_in_queue = true;
      if (entry->where != Where::away) set_where(*entry, Where::here);
      return;
    case Kind::away:
      return on_away(*entry, answer_given.lease_number, now, out);
    case Kind::done:
      return answer(*entry, answer_given.result.value(), out);
    case Kind::conflict:
      return refuse(*entry, TaskErrorCode::invalid_task,
                    "field 'task_uid': belongs to a task with another name or content", out);
    case Kind::overloaded:
      if (entry->where == Where::away) return;  // the cloud has it, and will answer
      return refuse(*entry, TaskErrorCode::overloaded, "the queue of this node is full", out);
    case Kind::failed:
      if (entry->where == Where::away) return;
      return refuse(*entry, TaskErrorCode::unavailable, answer_given.why, out);
    case Kind::unavailable:
      queue_up_ = false;  // on_queue_up follows, and tells it again what it had accepted
      if (entry->where == Where::going_away) return place(*entry, now, out);
      if (entry->where == Where::here && !entry->was_in_queue) place(*entry, now, out);
  }
}

/// The result was faster than the queue's answer; its uid may have come again since.
bool Scheduler::is_for_forgotten_task(const std::string& uid) {
  const auto late = late_.find(uid);
  if (late == late_.end()) return false;
  if (--late->second == 0) late_.erase(late);
  return true;
}

/// The queue holds the task as away: now it may be handed on.
void Scheduler::on_away(Entry& entry, std::uint32_t lease_number, Instant now, Actions& out) {
  entry.in_queue = entry.was_in_queue = true;
  entry.lease_number = lease_number;
  if (entry.where == Where::away) return;  // it went up while the queue was away
  const bool may_go = entry.where == Where::going_away && cloud_takes(*entry.task);
  if (!may_go) return take_back(entry, now, out);
  hand_to_cloud(entry, now, out);
}

void Scheduler::on_result(TaskResult result, Instant now, Actions& out) {
  (void)now;
  Entry* entry = entry_of(result.uid);
  if (entry == nullptr) {
    ++repeated_results_;
    return;
  }
  if (!result.error) estimates_.add(entry->task->weight, result.execution_time);
  answer(*entry, result, out);
}

bool Scheduler::on_cloud_result(std::int64_t id, TaskResult result, Instant now, Actions& out) {
  const auto found = with_cloud_.find(id);
  if (found == with_cloud_.end()) {
    ++repeated_results_;
    return false;
  }
  Entry* entry = entry_of(found->second);
  FOGCTL_CHECK(entry != nullptr);
  if (was_turned_away(result) && entry->in_queue && is_here_to_be_had()) {
    take_back(*entry, now, out);
    return true;
  }
  result.uid = entry->task->uid;
  const std::uint32_t lease = entry->lease_number;  // it may hold, although the queue lost tasks
  if (lease > 0) out.push_back(FinishAway{entry->task, lease, result});
  answer(*entry, result, out, true);
  return true;
}

void Scheduler::on_cloud_up(bool is_original, Instant now, Actions& out) {
  cloud_is_original_ = is_original;
  if (!is_original) cloud_timers_.clear();
  cloud_.emplace();
  cloud_->site = Site::cloud;
  place_parked(now, out);
}

void Scheduler::on_cloud_delay(Duration round_trip) {
  if (cloud_) cloud_->link_delay = round_trip;
}

void Scheduler::on_cloud_down(Instant now, Actions& out) {
  cloud_.reset();
  cloud_timers_.clear();
  std::vector<std::string> uids;
  for (const auto& [id, uid] : with_cloud_) uids.push_back(uid);
  std::ranges::sort(uids);  // the same order in every run of a simulation
  for (const std::string& uid : uids) take_back(*entry_of(uid), now, out);
}

/// The cloud will not answer: the task is this node's again.
void Scheduler::take_back(Entry& entry, Instant now, Actions& out) {
  if (!entry.in_queue) return place(entry, now, out);
  Task& task = editable(entry);
  task.process_by = task.offload_times == 0 ? "local" : entry.process_by;
  set_where(entry, Where::here);
  out.push_back(TakeBack{task.uid, entry.lease_number});
}

void Scheduler::on_load(const QueueBacklog& load, Instant now, Actions& out) {
  const bool had_workers = backlog_.workers() > 0;
  backlog_.set_queue(load);
  if (!had_workers && load.workers > 0) place_parked(now, out);
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
  for (EnqueueTask& stray : std::exchange(strays_, {})) {
    ++late_[stray.task->uid];
    out.push_back(std::move(stray));
  }
  std::vector<std::string_view> uids;
  for (auto& [uid, entry] : entries_) {
    if (lost) entry.in_queue = false;
    const bool has_place = entry.where == Where::here || entry.where == Where::away;
    if (has_place && !entry.in_queue) uids.push_back(uid);
  }
  std::ranges::sort(uids);
  for (const std::string_view uid : uids) {
    Entry& entry = *entry_of(uid);
    enqueue(entry, entry.where == Where::away, out);
  }
  place_parked(now, out);
}

std::optional<Instant> Scheduler::next_tick() const {
  std::optional<Instant> next;
  const auto earliest = [&](Instant instant) {
    if (!next || instant < *next) next = instant;
  };
  if (!parked_.empty()) {
    const auto entry = entries_.find(parked_.front());
    const bool waits = entry != entries_.end() && entry->second.where == Where::parked;
    earliest(waits ? entry->second.deadline : Instant{});
  }
  if (!cloud_timers_.empty()) {
    const auto uid = with_cloud_.find(cloud_timers_.front());
    earliest(uid == with_cloud_.end() ? Instant{} : entries_.find(uid->second)->second.deadline);
  }
  return next;
}

void Scheduler::on_tick(Instant now, Actions& out) {
  while (!parked_.empty()) {
    Entry* entry = entry_of(parked_.front());
    const bool waits = entry != nullptr && entry->where == Where::parked;
    if (waits && entry->deadline > now) break;
    parked_.pop_front();
    if (!waits) continue;
    refuse(*entry, TaskErrorCode::unavailable,
           queue_up_ ? "no worker serves this node's queue, and there is no cloud"
                     : "this node's queue is away, and there is no cloud",
           out);
  }
  while (!cloud_timers_.empty()) {
    const auto found = with_cloud_.find(cloud_timers_.front());
    Entry* entry = found == with_cloud_.end() ? nullptr : entry_of(found->second);
    if (entry != nullptr && entry->deadline > now) break;
    cloud_timers_.pop_front();
    if (entry != nullptr) take_back(*entry, now, out);
  }
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

void Scheduler::refuse(Entry& entry, TaskErrorCode code, std::string message, Actions& out) {
  answer(entry, error_result(*entry.task, options_.name, {code, std::move(message)}), out);
}

/// Answers everyone who waits for it, and forgets the task. `entry` is gone afterwards.
void Scheduler::answer(Entry& entry, const TaskResult& result, Actions& out, bool is_forwarded) {
  for (Origin& origin : entry.other_origins) {
    out.push_back(ReturnResult{std::move(origin), entry.task, result, is_forwarded});
  }
  out.push_back(ReturnResult{std::move(entry.origin), entry.task, result, is_forwarded});
  set_where(entry, Where::parked);
  if (entry.in_flight > 0) {
    late_[entry.task->uid] += entry.in_flight;
  } else if (entry.maybe_away && strays_.size() < most_strays) {
    strays_.push_back({entry.task, entry.arrival, entry.start_by, true});
  }
  entries_.erase(entries_.find(entry.task->uid));
}

Scheduler::Entry* Scheduler::entry_of(std::string_view uid) {
  const auto found = entries_.find(uid);
  return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace fogctl
