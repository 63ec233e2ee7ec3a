// The Scheduler's part about endings: tasks that are given up, and a node that stops.
#include <algorithm>
#include <utility>

#include "scheduling/scheduler.hpp"

namespace fogctl {

/// One that is away ends here and now: what its peer says later is dropped.
bool Scheduler::on_cancel(const std::string& uid, Actions& out) {
  Entry* entry = entry_of(uid);
  if (entry == nullptr || entry->where == Where::here) return false;
  const bool may_be_in_queue = entry->in_flight > 0 || entry->where == Where::going_away;
  TaskResult result = cancelled_result(uid);
  result.node = options_.name;
  if (entry->where == Where::away) {
    const Neighbour* neighbour = neighbours_.find(entry->link);
    const bool is_original = neighbour ? neighbour->who.is_original() : cloud_is_original_;
    if (!is_original) out.push_back(GiveUp{entry->link, uid});
    if (entry->lease_number > 0)
      out.push_back(FinishAway{entry->task, entry->lease_number, result});
  }
  answer(*entry, result, out);
  return !may_be_in_queue;
}

void Scheduler::on_drain(Instant now, Actions& out) {
  draining_ = true;
  if (!neighbours_.all().empty()) share(now, out);
}

bool Scheduler::has_elsewhere(Instant now) {
  const bool has_neighbour = std::ranges::any_of(neighbours_.all(), [&](const Neighbour& one) {
    return neighbours_.candidate(one, now).has_value();
  });
  return cloud_.has_value() || (has_neighbour && options_.hands_to_neighbours);
}

bool Scheduler::on_taken(const TaskPtr& task, std::uint32_t lease_number, std::uint32_t attempt,
                         Instant arrival, Instant now, Actions& out) {
  Entry* entry = entry_of(task->uid);
  if (entry == nullptr) {
    Entry found;
    found.origin.peer = nobody;
    found.process_by = task->process_by;
    found.waited = task->waited;
    found.arrival = arrival;
    found.start_by = start_by(*task, arrival);
    found.task = std::make_shared<Task>(*task);
    found.in_queue = found.was_in_queue = true;
    entry = &entries_.emplace(task->uid, std::move(found)).first->second;
  }
  editable(*entry).attempts = static_cast<int>(attempt) - 1;
  entry->held_away = true;
  entry->lease_number = lease_number;
  set_where(*entry, Where::going_away);
  place(*entry, now, out);
  entry = entry_of(task->uid);
  return entry != nullptr && entry->where == Where::away;
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
