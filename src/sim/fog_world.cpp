#include "sim/fog_world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "sim/fog_run.hpp"
#include "sim/uid.hpp"

namespace fogctl::sim {
namespace {

/// What is unanswered so long after the last task came is lost.
constexpr Duration longest_wait = std::chrono::seconds(90);

QueueOrder order_of(const Policy& policy) {
  return policy.order == ServingOrder::fifo ? QueueOrder::fifo : QueueOrder::start_by;
}

Task make_task(const TracedTask& traced, std::uint32_t number) {
  Task task;
  task.uid = uid_of(number);
  task.uid_chosen = true;
  task.name = to_string(traced.weight);
  task.weight = traced.weight;
  task.time_requirement = traced.requirement;
  task.max_offload = traced.max_offload;
  task.cloud_processing = traced.cloud_processing;
  return task;
}

}  // namespace

FogWorld::FogWorld(const Scenario& scenario, const Trace& trace, const Policy& policy,
                   std::uint64_t seed)
    : scenario_(scenario),
      trace_(trace),
      policy_(policy),
      random_(seed),
      nodes_(scenario.nodes, FogNode(order_of(policy))),
      fates_(trace.tasks.size()) {
  for (const TracedLink& ends : trace.links) {
    const auto number = static_cast<std::uint32_t>(links_.size());
    links_.push_back({.ends = ends, .life = 0, .up = {}, .cut_until = {}});
    nodes_[ends.a].links.push_back(number);
    nodes_[ends.b].links.push_back(number);
  }
  for (std::uint32_t node = 0; node < scenario.nodes; ++node) {
    names_.push_back(fmt::format("node-{:05}", node));
    nodes_[node].workers.resize(scenario.workers);
    nodes_[node].first_tick = start_of_time - scenario.sharing_interval + trace.phases[node];
  }
  for (std::uint32_t i = 0; i < trace.events.size(); ++i) {
    events_.push(start_of_time + trace.events[i].at, {Kind::misfortune, 0, i});
  }
  const Instant before = start_of_time - 2 * scenario.sharing_interval;
  for (std::uint32_t node = 0; node < scenario.nodes; ++node) start(node, before);
}

Tally FogWorld::run() {
  const auto& tasks = trace_.tasks;
  const Instant end = (tasks.empty() ? start_of_time : tasks.back().arrival) + longest_wait;
  while (next_arrival_ < tasks.size() || unanswered_ > 0) {
    const bool has_arrival = next_arrival_ < tasks.size();
    if (!has_arrival && (events_.empty() || events_.front().at > end)) break;
    ++tally_.events;
    if (has_arrival && (events_.empty() || tasks[next_arrival_].arrival < events_.front().at)) {
      const std::uint32_t task = next_arrival_++;
      ++unanswered_;
      arrive(task, tasks[task].arrival);
    } else {
      const auto item = events_.pop();
      handle(item.event, item.at);
    }
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!fates_[i].is_answered && is_measured(tasks[i])) tally_.add_lost(tasks[i]);
  }
  tally_.all_tasks = tasks.size();
  return std::move(tally_);
}

void FogWorld::handle(const Event& event, Instant now) {
  switch (event.kind) {
    case Kind::redial:
      return redial(event.number, now);
    case Kind::misfortune:
      return befall(event.number, now);
    case Kind::end_of_misfortune:
      return recover(trace_.events[event.number], now);
    case Kind::finish:
      return finish(event.node, event.number, now);
    case Kind::tick:
      if (nodes_[event.node].tick_at != now) return;  // it was moved forward
      nodes_[event.node].tick_at.reset();
      if (nodes_[event.node].frozen_until > now) return arm_tick(event.node);
      return tell(event.node, now, [&](Scheduler& one) { one.on_tick(now, actions_); });
    case Kind::resume:
      return serve(event.node, now);
    case Kind::client_task:
      return give(event.number, now);
    default:
      return deliver(event, now);
  }
}

/// What comes to a node that is frozen, or over a link that is cut, comes later.
bool FogWorld::must_wait(const Event& event, Instant now) {
  const FogNode& node = nodes_[event.node];
  Instant until = node.frozen_until;
  const bool comes_over_a_link = event.kind >= Kind::task && event.kind <= Kind::copy_cancelled &&
                                 event.kind != Kind::cloud_result;
  if (comes_over_a_link) {
    const Link* link = link_at(event.node, messages_.at(event.number).link);
    if (link != nullptr) until = std::max(until, link->cut_until);
  }
  if (until <= now) return false;
  events_.push(until, event);
  return true;
}

/// Whether there is still somebody whom the message can reach.
bool FogWorld::still_matters(const Event& event) {
  if (!nodes_[event.node].scheduler) return false;
  const Message& message = messages_.at(event.number);
  if (event.kind == Kind::cloud_result) return message.cloud_life == cloud_life_;
  return link_at(event.node, message.link) != nullptr;
}

void FogWorld::deliver(const Event& event, Instant now) {
  if (!still_matters(event)) return void(messages_.take(event.number));
  if (must_wait(event, now)) return;
  Message message = messages_.take(event.number);
  switch (event.kind) {
    case Kind::task:
      return tell(event.node, now, [&](Scheduler& scheduler) {
        Origin origin{message.link, text_of_id(message.id), true, true};
        scheduler.on_task(Task(*message.task), std::move(origin), now, actions_);
      });
    case Kind::cloud_result:
      note_run(number_of(message.result.uid), message.result.execution_time);
      [[fallthrough]];
    case Kind::result:
      return tell(event.node, now, [&](Scheduler& scheduler) {
        (void)scheduler.on_link_result(message.link, message.id, std::move(message.result), now,
                                       actions_);
      });
    case Kind::state:
      return tell(event.node, now, [&](Scheduler& scheduler) {
        scheduler.on_state(message.link, *message.state, now, actions_);
      });
    case Kind::copy_started:
      return tell(event.node, now, [&](Scheduler& scheduler) {
        scheduler.on_copy_started(message.link, message.id, now, actions_);
      });
    case Kind::copy_cancelled:
      return tell(event.node, now, [&](Scheduler& scheduler) {
        scheduler.on_copy_cancelled(message.link, message.result.uid, now, actions_);
      });
    default:
      FOGCTL_CHECK(event.kind == Kind::closed);
      return lose(event.node, *link_at(event.node, message.link), now);
  }
}

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

void FogWorld::arrive(std::uint32_t task, Instant now) {
  fates_[task].home = living_node_for(task);
  give(task, now);
}

void FogWorld::give(std::uint32_t task, Instant now) {
  const std::uint32_t home = fates_[task].home;
  if (!nodes_[home].scheduler || fates_[task].is_answered) return;
  if (must_wait({Kind::client_task, home, task}, now)) return;
  const TracedTask& traced = trace_.tasks[task];
  tell(home, now, [&](Scheduler& scheduler) {
    Task made = make_task(traced, task);
    made.waited = now - traced.arrival;
    Origin origin{endpoints, made.uid, true, true};
    scheduler.on_task(std::move(made), std::move(origin), now, actions_);
  });
}

void FogWorld::answer_client(const TaskResult& result, Instant now) {
  const std::uint32_t number = number_of(result.uid);
  Fate& fate = fates_[number];
  if (result.error || std::exchange(fate.is_answered, true)) return;
  --unanswered_;
  const TracedTask& task = trace_.tasks[number];
  if (!is_measured(task)) return;
  RanAt where = RanAt::neighbour;
  if (result.node == names_[fate.home]) where = RanAt::local;
  if (result.node == cloud_name) where = RanAt::cloud;
  const Duration wait = now - task.arrival - result.execution_time;
  tally_.add_answer(task, task.requirement, wait, where);
}

bool FogWorld::is_measured(const TracedTask& task) const {
  const Duration since = task.arrival - start_of_time;
  return since >= scenario_.measured_from && since < scenario_.measured_to;
}

Tally run_fog(const Scenario& scenario, const Trace& trace, const Policy& policy,
              std::uint64_t seed) {
  return FogWorld(scenario, trace, policy, seed).run();
}

}  // namespace fogctl::sim
