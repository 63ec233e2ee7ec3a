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

}  // namespace

FogWorld::FogWorld(const Scenario& scenario, const Trace& trace, const Policy& policy,
                   std::uint64_t seed)
    : scenario_(scenario),
      trace_(trace),
      policy_(policy),
      hedges_(policy.ties_copies && scenario.hedge > 0),
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
  for (const TimedEvent& event : trace.events) {
    if (event.kind != TimedEvent::Kind::join) continue;
    for (const std::uint32_t node : event.nodes) ++nodes_[node].dead;
  }
  const Instant before = start_of_time - 2 * scenario.sharing_interval;
  for (std::uint32_t node = 0; node < scenario.nodes; ++node) {
    if (nodes_[node].dead == 0) start(node, before);
  }
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
      return give(event.node, event.number, now);
    case Kind::hedge:
      return hedge(event.number, now);
    case Kind::accepted:
      return note_accepted(event.node, event.number, now);
    case Kind::given_up:
      return give_up(event.node, event.number, now);
    case Kind::answer:
      return answer_client(event.node, messages_.take(event.number).result, now);
    default:
      return deliver(event, now);
  }
}

/// What comes to a node that is frozen, or over a link that is cut, comes later.
bool FogWorld::must_wait(const Event& event, Instant now) {
  const FogNode& node = nodes_[event.node];
  Instant until = node.frozen_until;
  const bool comes_over_a_link = event.kind >= Kind::task && event.kind <= Kind::steal_refused &&
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
        origin.steal = message.request.number;
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
    case Kind::steal:
      return tell(event.node, now, [&](Scheduler& scheduler) {
        scheduler.on_steal(message.link, message.request, now, actions_);
      });
    case Kind::steal_refused:
      return tell(event.node, now, [&](Scheduler& scheduler) {
        scheduler.on_steal_refused(message.link, message.request.number, message.retry_after, now);
      });
    default:
      FOGCTL_CHECK(event.kind == Kind::closed);
      return lose(event.node, *link_at(event.node, message.link), now);
  }
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
