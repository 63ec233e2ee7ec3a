// What the endpoints of a simulated fog do: each sends its tasks to the node that is its home. One
// that does not hear in time that its task was accepted sends it to another node too, and lets the
// first of them that accepts have it.
#include <algorithm>
#include <utility>

#include "sim/fog_world.hpp"
#include "sim/uid.hpp"

namespace fogctl::sim {
namespace {

Task make_task(const TracedTask& traced, std::uint32_t number) {
  Task task;
  task.uid = uid_of(number);
  task.uid_chosen = true;
  task.name = to_string(traced.weight);
  task.weight = traced.weight;
  task.time_requirement = traced.requirement;
  task.max_offload = traced.max_offload;
  task.cloud_processing = traced.cloud_processing;
  task.exclusive = traced.exclusive;
  return task;
}

Duration share_of(Duration length, double share) {
  return Duration(static_cast<std::int64_t>(static_cast<double>(length.count()) * share));
}

}  // namespace

/// Where the node is dead, its endpoints have gone to others.
std::uint32_t FogWorld::living_node_for(std::uint32_t task) const {
  const std::uint32_t own = trace_.tasks[task].node;
  if (nodes_[own].scheduler) return own;
  std::vector<std::uint32_t> living;
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
    if (nodes_[node].scheduler) living.push_back(node);
  }
  return living.empty() ? own : living[Random(task).below(living.size())];
}

/// One of home's neighbours, as it tells its endpoints of them.
std::uint32_t FogWorld::other_node_for(std::uint32_t task) const {
  const std::uint32_t home = fates_[task].home;
  std::vector<std::uint32_t> living;
  for (const std::uint32_t link : nodes_[home].links) {
    const std::uint32_t node = other_end(links_[link], home);
    if (nodes_[node].scheduler) living.push_back(node);
  }
  return living.empty() ? no_node : living[Random(task).below(living.size())];
}

/// From the endpoint, which is where its home is.
Duration FogWorld::way_of(const Fate& fate, std::uint32_t node) const {
  for (const std::uint32_t link : nodes_[node].links) {
    if (other_end(links_[link], node) == fate.home) return links_[link].ends.delay;
  }
  return Duration::zero();
}

void FogWorld::arrive(std::uint32_t task, Instant now) {
  Fate& fate = fates_[task];
  fate.home = living_node_for(task);
  give(fate.home, task, now);
  const TracedTask& traced = trace_.tasks[task];
  if (!hedges_ || fate.is_accepted || traced.cloud_processing || traced.exclusive) return;
  events_.push(now + share_of(traced.requirement, scenario_.hedge), {Kind::hedge, 0, task});
}

void FogWorld::give(std::uint32_t node, std::uint32_t task, Instant now) {
  if (!nodes_[node].scheduler || fates_[task].is_answered) return;
  if (must_wait({Kind::client_task, node, task}, now)) return;
  const TracedTask& traced = trace_.tasks[task];
  tell(node, now, [&](Scheduler& scheduler) {
    Task made = make_task(traced, task);
    made.waited = now - traced.arrival;
    Origin origin{endpoints, made.uid, true, true, hedges_};
    scheduler.on_task(std::move(made), std::move(origin), now, actions_);
  });
}

void FogWorld::hedge(std::uint32_t task, Instant now) {
  Fate& fate = fates_[task];
  if (fate.is_accepted || fate.is_answered) return;
  fate.other = other_node_for(task);
  if (fate.other == no_node) return;
  ++tally_.messages;
  events_.push(now + way_of(fate, fate.other), {Kind::client_task, fate.other, task});
}

void FogWorld::perform(std::uint32_t node, const TellAccepted& action, Instant now) {
  if (action.origin.peer != endpoints) return;
  const std::uint32_t task = number_of(action.task->uid);
  const Fate& fate = fates_[task];
  if (node == fate.home) return note_accepted(node, task, now);
  ++tally_.messages;
  events_.push(now + way_of(fate, node), {Kind::accepted, node, task});
}

/// The other one need not run it.
void FogWorld::note_accepted(std::uint32_t node, std::uint32_t task, Instant now) {
  Fate& fate = fates_[task];
  if (fate.is_answered || std::exchange(fate.is_accepted, true)) return;
  if (fate.other == no_node) return;
  fate.is_given_up = node == fate.other;
  const std::uint32_t loser = fate.is_given_up ? fate.home : fate.other;
  ++tally_.messages;
  events_.push(now + way_of(fate, loser), {Kind::given_up, loser, task});
}

void FogWorld::give_up(std::uint32_t node, std::uint32_t task, Instant now) {
  if (!nodes_[node].scheduler || must_wait({Kind::given_up, node, task}, now)) return;
  tell(node, now, [&](Scheduler& scheduler) {
    scheduler.on_copy_cancelled(endpoints, uid_of(task), now, actions_);
  });
}

void FogWorld::answer_client(std::uint32_t node, const TaskResult& result, Instant now) {
  const std::uint32_t number = number_of(result.uid);
  Fate& fate = fates_[number];
  if (result.error || fate.is_answered) return;
  note_accepted(node, number, now);
  fate.is_answered = true;
  --unanswered_;
  const TracedTask& task = trace_.tasks[number];
  if (!is_measured(task)) return;
  RanAt where = RanAt::neighbour;
  if (result.node == names_[fate.home]) where = RanAt::local;
  if (result.node == cloud_name) where = RanAt::cloud;
  const Duration wait = now - task.arrival - result.execution_time;
  tally_.add_answer(task, task.requirement, wait, where);
}

/// What the node had is sent again, unless another one has it.
void FogWorld::leave_dead(std::uint32_t node, Instant now) {
  for (std::uint32_t task = 0; task < next_arrival_; ++task) {
    Fate& fate = fates_[task];
    if (fate.is_answered) continue;
    if (fate.home == node && fate.other != no_node) {
      fate.home = std::exchange(fate.other, no_node);
    } else if (fate.home == node) {
      fate.home = living_node_for(task);
      give(fate.home, task, now);
    } else if (fate.other == node) {
      fate.other = no_node;
      if (std::exchange(fate.is_given_up, false)) give(fate.home, task, now);
    }
  }
}

}  // namespace fogctl::sim
