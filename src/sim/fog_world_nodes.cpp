// What a simulated node does: starts, performs what its Scheduler wants, runs tasks.
#include <algorithm>
#include <utility>
#include <variant>

#include "sim/fog_world.hpp"
#include "sim/uid.hpp"

namespace fogctl::sim {
namespace {

Duration at_speed(Duration execution, double speed) {
  return Duration(static_cast<std::int64_t>(static_cast<double>(execution.count()) / speed));
}

}  // namespace

void FogWorld::start(std::uint32_t number, Instant now) {
  FogNode& node = nodes_[number];
  SchedulerOptions options;
  options.node = options.name = names_[number];
  options.policy = &policy_;
  options.sharing_interval = scenario_.sharing_interval;
  options.shares_on_change = scenario_.shares_on_change;
  node.scheduler.emplace(std::move(options), Random(random_.next()));
  tell(number, now, [&](Scheduler& scheduler) {
    scheduler.on_load({.tasks = {}, .workers = node.workers.size()}, now, actions_);
    if (!scenario_.cloud_round_trip || cloud_away_ > 0) return;
    scheduler.on_cloud_up(false, no_limit, now, actions_);
    scheduler.on_cloud_delay(*scenario_.cloud_round_trip);
  });
  for (const std::uint32_t link : node.links) open(links_[link], now);
}

void FogWorld::perform_all(std::uint32_t node, Instant now) {
  do {
    for (std::size_t i = 0; i < actions_.size(); ++i) {
      Action action = std::move(actions_[i]);  // what it leads to is added behind
      std::visit([&](auto& one) { perform(node, one, now); }, action);
    }
    actions_.clear();
    serve(node, now);
  } while (!actions_.empty());
  arm_tick(node);
}

void FogWorld::perform(std::uint32_t number, const EnqueueTask& action, Instant now) {
  EnqueueAnswer answer;
  if (action.away) {
    answer.kind = EnqueueAnswer::Kind::away;
    answer.lease_number = 1;
  } else {
    wait(number, number_of(action.task->uid), action.start_by, action.arrival);
  }
  nodes_[number].scheduler->on_enqueued(action.task->uid, answer, now, actions_);
}

void FogWorld::perform(std::uint32_t number, const TakeBack& action, Instant) {
  const std::uint32_t task = number_of(action.uid);
  const TracedTask& traced = trace_.tasks[task];
  wait(number, task, traced.arrival + traced.requirement, traced.arrival);
}

void FogWorld::wait(std::uint32_t number, std::uint32_t task, Instant start_by, Instant arrival) {
  FogNode& node = nodes_[number];
  const JobQueue::Place place = node.queue.push({task, start_by, arrival});
  if (policy_.ties_copies) node.places[task] = place;
}

void FogWorld::perform(std::uint32_t number, const Withdraw& action, Instant now) {
  FogNode& node = nodes_[number];
  const auto place = node.places.find(number_of(action.uid));
  WithdrawAnswer answer;
  if (place != node.places.end() && node.queue.remove(place->second)) {
    answer = {WithdrawAnswer::Kind::away, 1};
    node.places.erase(place);
  }
  node.scheduler->on_withdrawn(action.uid, answer, now, actions_);
}

void FogWorld::perform(std::uint32_t number, const TellStarted& action, Instant now) {
  Message message;
  message.link = action.origin.peer;
  message.id = id_of_text(action.origin.task_id);
  send(number, Kind::copy_started, std::move(message), now);
}

void FogWorld::perform(std::uint32_t number, const CancelCopy& action, Instant now) {
  if (action.link == cloud_link) return;  // its workers have begun it
  Message message;
  message.link = action.link;
  message.result.uid = action.uid;
  send(number, Kind::copy_cancelled, std::move(message), now);
}

void FogWorld::perform(std::uint32_t number, const StealTask& action, Instant now) {
  Message message;
  message.link = action.link;
  message.request = action.request;
  send(number, Kind::steal, std::move(message), now);
}

void FogWorld::perform(std::uint32_t number, const RefuseSteal& action, Instant now) {
  Message message;
  message.link = action.link;
  message.request.number = action.request;
  message.retry_after = action.retry_after;
  send(number, Kind::steal_refused, std::move(message), now);
}

void FogWorld::perform(std::uint32_t number, const HandOn& action, Instant now) {
  Message message;
  message.link = action.link;
  message.id = action.id;
  message.request.number = action.steal;
  if (action.link != cloud_link) {
    message.task = action.task;
    return send(number, Kind::task, std::move(message), now);
  }
  message.cloud_life = cloud_life_;
  message.result.uid = action.task->uid;
  message.result.node = cloud_name;
  message.result.execution_time = trace_.tasks[number_of(action.task->uid)].execution;
  const Instant back = now + *scenario_.cloud_round_trip + message.result.execution_time;
  tally_.messages += 2;
  events_.push(back, {Kind::cloud_result, number, messages_.put(std::move(message))});
}

void FogWorld::perform(std::uint32_t number, ReturnResult& action, Instant now) {
  if (action.origin.peer == nobody) return;
  Message message;
  if (action.origin.peer == endpoints) {
    const Fate& fate = fates_[number_of(action.result.uid)];
    if (number == fate.home) return answer_client(number, action.result, now);
    message.result = std::move(action.result);
    ++tally_.messages;
    events_.push(now + way_of(fate, number),
                 {Kind::answer, number, messages_.put(std::move(message))});
    return;
  }
  message.link = action.origin.peer;
  message.id = id_of_text(action.origin.task_id);
  message.result = std::move(action.result);
  send(number, Kind::result, std::move(message), now);
}

void FogWorld::perform(std::uint32_t number, const ShareState& action, Instant now) {
  const auto state = std::make_shared<const NodeState>(action.state);
  for (const PeerId link : action.links) {
    Message message;
    message.link = link;
    message.state = state;
    send(number, Kind::state, std::move(message), now);
  }
}

void FogWorld::perform(std::uint32_t number, const CloseLink& action, Instant now) {
  Link* link = link_at(number, action.link);
  if (link == nullptr) return;
  Message message;
  message.link = action.link;
  send(number, Kind::closed, std::move(message), now);
  link->up[link->ends.a == number ? 0 : 1] = false;
  (void)nodes_[number].scheduler->on_peer_lost(action.link, now, actions_);
  constexpr Duration patience = std::chrono::seconds(1);
  events_.push(now + patience, {Kind::redial, 0, static_cast<std::uint32_t>(link - links_.data())});
}

void FogWorld::arm_tick(std::uint32_t number) {
  FogNode& node = nodes_[number];
  const auto next = node.scheduler->next_tick();
  if (!next) return;
  const Instant at = std::max({*next, node.first_tick, node.frozen_until});
  if (node.tick_at && *node.tick_at <= at) return;
  node.tick_at = at;
  events_.push(at, {Kind::tick, number, 0});
}

/// Free workers take what waits.
void FogWorld::serve(std::uint32_t number, Instant now) {
  FogNode& node = nodes_[number];
  while (node.busy < node.workers.size() && node.queue.size() > 0 && node.stalled_until <= now) {
    const auto next = *node.queue.pop(now);
    const auto worker = std::ranges::find(node.workers, false, &Running::is_busy);
    const Duration length = at_speed(trace_.tasks[next.job].execution, scenario_.speeds[number]);
    *worker = {true, next.job, next.arrival, now, now + length};
    ++node.busy;
    const auto index = static_cast<std::uint32_t>(worker - node.workers.begin());
    events_.push(now + length, {Kind::finish, number, index});
    if (!policy_.ties_copies) continue;
    node.places.erase(next.job);
    node.scheduler->on_started(uid_of(next.job), now, actions_);
  }
}

void FogWorld::finish(std::uint32_t number, std::uint32_t worker, Instant now) {
  FogNode& node = nodes_[number];
  Running& running = node.workers[worker];
  if (!running.is_busy || running.finish_at != now) return;  // it was stopped, or died, meanwhile
  running.is_busy = false;
  --node.busy;
  TaskResult result;
  result.uid = uid_of(running.task);
  result.execution_time = now - running.started;
  result.queuing_time = running.started - running.queued_at;
  result.node = names_[number];
  note_run(running.task, result.execution_time);
  tell(number, now, [&](Scheduler& scheduler) { scheduler.on_result(result, now, actions_); });
}

void FogWorld::note_run(std::uint32_t task, Duration length) {
  tally_.executed += length;
  if (std::exchange(fates_[task].has_run, true)) tally_.wasted += length;
}

}  // namespace fogctl::sim
