// The Scheduler's part about stealing: a node with a free worker asks neighbours for a task that
// waits there. It gets one as any task is handed on: held as away there, and answered once.
#include <algorithm>
#include <utility>

#include "scheduling/original_peer.hpp"
#include "scheduling/scheduler.hpp"

namespace fogctl {
namespace {

/// At a time. Each gives one task, so no more than there are free workers.
constexpr std::size_t most_asked = 2;
/// A neighbour that refuses is left in peace so long; one that does not answer, longer.
constexpr Duration peace = std::chrono::milliseconds(10);
constexpr Duration peace_of_silent = std::chrono::seconds(10);
constexpr Duration longest_peace = std::chrono::minutes(1);
/// The last free worker is wanted by urgent tasks too. It gets one that is not only if that would
/// wait here so many times as long as it runs. By simulation 4 costs nothing in time; 0 halves the
/// longest waits once more, and costs up to .3 points.
constexpr double worth_the_last_worker = 4;

std::size_t waiting_at(const NodeState& state) {
  const std::size_t tasks = state.queued + state.running;
  return tasks > state.workers ? tasks - state.workers : 0;
}

}  // namespace

// At the node with the free worker.

std::size_t Scheduler::free_workers() const {
  if (!is_here_to_be_had() || draining_) return 0;
  const std::size_t taken = backlog_.tasks() + requests_.size();
  return backlog_.workers() > taken ? backlog_.workers() - taken : 0;
}

/// One of those at which tasks wait by their last state, drawn in proportion to how many: nobody's
/// is quite true, and all free workers do not ask one node. Null: nobody's says so.
Neighbour* Scheduler::neighbour_to_ask(Instant now) {
  Neighbour* drawn = nullptr;
  std::uint64_t all = 0;
  for (Neighbour& one : neighbours_.all()) {
    const std::size_t waiting = waiting_at(one.state);
    if (!one.state.steals || waiting == 0 || now < one.ask_at) continue;
    if (neighbours_.why_none(one, now)) continue;
    all += waiting;
    if (random_.below(all) < waiting) drawn = &one;
  }
  return drawn;
}

void Scheduler::ask_for_tasks(Instant now, Actions& out) {
  if (!options_.policy->steals || !requests_.may_ask(now)) return;
  const std::size_t free = free_workers();
  for (std::size_t i = 0; i < std::min(most_asked, free); ++i) {
    Neighbour* one = neighbour_to_ask(now);
    if (one == nullptr) return;
    one->ask_at = now + StealRequests::patience;  // until it answers
    out.push_back(StealTask{one->link, {requests_.add(one->link, now), free}});
  }
}

void Scheduler::on_steal_refused(PeerId link, std::int64_t request, Duration retry_after,
                                 Instant now) {
  now_ = now;
  if (!requests_.on_refusal(link, request, now)) return;
  Neighbour* one = neighbours_.find(link);
  if (one != nullptr) one->ask_at = now + std::min(retry_after, longest_peace);
}

void Scheduler::give_up_requests(Instant now) {
  for (const PeerId link : requests_.give_up(now)) {
    if (Neighbour* one = neighbours_.find(link)) one->ask_at = now + peace_of_silent;
  }
}

/// A task is the answer to a request. False: to none that waits.
bool Scheduler::is_asked_for(const Origin& origin, Instant now) {
  if (origin.steal == 0 || !requests_.on_task(origin.peer, origin.steal)) return false;
  if (Neighbour* one = neighbours_.find(origin.peer)) one->ask_at = now;
  return true;
}

/// Runs here at once, whatever the policy says of it: that is why it came. Where the worker is not
/// free any more, it is placed as any other.
void Scheduler::place_stolen(Entry& entry, Instant now, Actions& out) {
  if (free_workers() == 0 || !runs_here(*entry.task)) return place(entry, now, out);
  note_steal(entry, {Site::here, {}, {}}, "a worker is free here: this node asked for it", now);
  place_here(entry, {}, out);
}

// At the node that is asked.

bool Scheduler::may_be_given(const Entry& entry, const Neighbour& to) const {
  const Task& task = *entry.task;
  const bool waits = entry.in_queue && !entry.is_anothers && !entry.has_started &&
                     !entry.is_withdrawn && !entry.is_unwanted;
  // What has copies waits elsewhere already.
  if (!waits || task.is_copy || !entry.copies.empty() || task.cloud_processing) return false;
  if (task.offload_times >= task.max_offload || why_avoided(entry, to.link)) return false;
  const auto& path = task.offloading_nodes;
  if (std::ranges::find(path, to.who.node) != path.end()) return false;
  const Kinds::Places* places = kinds_.find(task.name);
  return places != nullptr && places->find(to.link) != nullptr &&
         largest_message(task) <= std::min(options_.max_message, to.who.max_message);
}

/// The most urgent that is late here and in time there, else the least urgent; it would start there
/// sooner by more than the way there and back. Null: there is none.
Scheduler::Entry* Scheduler::task_for(const Neighbour& to, std::size_t workers, Instant now) const {
  const Duration way = to.delay.value_or(Duration::zero());
  Entry* chosen = nullptr;
  work_.each_waiting(moments_, now, [&](OpenTask& task, Duration wait) {
    if (wait <= way || !may_be_given(task, to)) return true;
    const Duration slack = task.start_by - now;
    const bool is_saved = slack < wait && slack >= way;
    const double least =
        workers > 1 ? 0 : worth_the_last_worker * moments_.of(task.task->weight).mean;
    if (is_saved || wait - way > from_seconds(least)) chosen = &task;
    return !is_saved;
  });
  return chosen;
}

void Scheduler::on_steal(PeerId link, const StealRequest& request, Instant now, Actions& out) {
  now_ = now;
  Neighbour* to = neighbours_.find(link);
  const bool is_hasty = to == nullptr || now < to->answer_at ||
                        std::ranges::find(promised_, link, &StealPromise::link) != promised_.end();
  if (is_hasty || to->who.is_original()) return;  // it hears nothing
  // One with a free worker has not as many of this node's tasks as workers.
  const bool gives = steals() && is_here_to_be_had() && !draining_ && !to->is_retired &&
                     !to->unsent.is_full() && to->handed_now < to->state.workers;
  Entry* entry = gives ? task_for(*to, request.workers, now) : nullptr;
  if (entry == nullptr) return refuse_steal({{}, link, request.number}, now, out);
  promised_.push_back({entry->task->uid, link, request.number});
  entry->goes_to = link;
  withdraw(*entry, out);
}

/// Where the task did not go after all, the neighbour hears so.
void Scheduler::on_withdrawn(const std::string& uid, const WithdrawAnswer& answer, Instant now,
                             Actions& out) {
  settle_withdrawal(uid, answer, now, out);
  const auto broken = std::ranges::find(promised_, uid, &StealPromise::uid);
  if (broken == promised_.end()) return;
  refuse_steal(*broken, now, out);
  promised_.erase(broken);
}

void Scheduler::refuse_steal(const StealPromise& promise, Instant now, Actions& out) {
  Neighbour* to = neighbours_.find(promise.link);
  if (to == nullptr) return;
  to->answer_at = now + peace;
  out.push_back(RefuseSteal{promise.link, promise.request, peace});
}

/// The task goes to a neighbour; the request that it answers, 0: none.
std::int64_t Scheduler::keep_promise(Entry& entry, Instant now) {
  const auto kept = std::ranges::find_if(promised_, [&](const StealPromise& one) {
    return one.uid == entry.task->uid && one.link == entry.link;
  });
  if (kept == promised_.end()) return 0;
  const std::int64_t request = kept->request;
  promised_.erase(kept);
  const Neighbour* to = neighbours_.find(entry.link);
  note_steal(entry, {Site::neighbour, to->who.node, {}},
             "a worker is free there: it asked for a task", now);
  return request;
}

}  // namespace fogctl
