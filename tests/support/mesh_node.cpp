#include "support/mesh_node.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "placement/placement.hpp"
#include "support/mesh_world.hpp"

namespace fogctl::support {

void MeshNode::start() {
  id_ = random_hex_id(world_.random());
  SchedulerOptions options;
  options.node = id_;
  options.name = "node-" + std::to_string(number_);
  options.policy = &world_.policy();
  options.sharing_interval = world_.options().sharing_interval;
  options.overdue_min = world_.options().overdue_min;
  options.shares_queue = shares_queue_ = world_.shares_queue(number_);
  if (world_.options().most_unsent > 0) options.most_unsent = world_.options().most_unsent;
  scheduler_.emplace(options, Random(world_.random().next()));
  kinds_ = next_kinds_.empty() ? first_kinds() : next_kinds_;
  if (!next_kinds_.empty()) {
    Actions none;
    scheduler_->on_own_kinds(kinds_, world_.now(), none);
  }
  queue_.emplace(world_,
                 MeshQueue::Place{number_, id_, world_.store_of(number_),
                                  [this](const Task& task) { return can_run(task); }},
                 workers_, [this](const MeshQueue::Told& what) { tell(what); });
  queue_->ask_load();
}

void MeshNode::end() {
  scheduler_.reset();
  if (queue_) queue_->leave(false);
  queue_.reset();
  links_.clear();
  unsent_.clear();
  waiting_.clear();
  copies_.clear();
  handed_.clear();
  all_waiting_ = 0;
  ids_.clear();
  asked_.clear();
  enqueued_.clear();
  accepted_.clear();
  tick_at_.reset();
  cloud_is_up_ = cloud_has_told_ = is_draining_ = is_stopping_ = false;
}

void MeshNode::set_workers(std::size_t workers) {
  workers_ = workers;
  if (queue_) queue_->set_workers(workers);
}

void MeshNode::on_opened(const MeshOpened& opened) {
  Link& link = links_[opened.peer];
  link.other = opened.other;
  link.is_opened_here = opened.is_opened_here;
  MeshMessage ready;
  ready.node = id_;
  ready.sent = world_.now();
  world_.send(number_, opened.peer, ready);
}

void MeshNode::on_message(PeerId peer, const MeshMessage& message) {
  using enum MeshMessage::Kind;
  switch (message.kind) {
    case ready:
      return on_ready(peer, message);
    case ack:
      return tell([&](Scheduler& scheduler, Instant now, Actions&) {
        scheduler.on_peer_delay(peer, now - message.sent);
      });
    case kinds:
      return hear_kinds(peer, message.kinds);
    case state:
      if (const Link& link = links_.at(peer); !link.is_original && !link.has_told_kinds) {
        world_.fail("a state came before the kinds");
      }
      return tell([&](Scheduler& scheduler, Instant now, Actions& out) {
        scheduler.on_state(peer, message.state, now, out);
      });
    case task: {
      Task task = *message.task;
      task.uid_chosen = !task.uid.empty();
      if (!links_.at(peer).is_original && !can_run(task)) {
        world_.fail("was handed a task that it cannot run");
      }
      handed_[peer][task.uid].insert(std::to_string(message.id));
      if (message.request.number != 0) {
        if (task.is_copy) world_.fail("a copy was given to who asked for a task");
        if (asked_.erase({peer, message.request.number}) == 0) world_.fail("answers no request");
        world_.note_stolen();
      }
      if (task.is_copy) copies_[peer][task.uid] = std::to_string(message.id);
      return on_task(std::move(task),
                     {peer, std::to_string(message.id), true, true, false, message.request.number});
    }
    case result:
      return tell([&](Scheduler& scheduler, Instant now, Actions& out) {
        (void)scheduler.on_link_result(peer, std::stoll(message.task_id), message.result, now, out);
      });
    case started:
      return tell([&](Scheduler& scheduler, Instant now, Actions& out) {
        scheduler.on_copy_started(peer, std::stoll(message.task_id), now, out);
      });
    case copy_cancelled:
      return on_given_up(peer, message.task_id, handed_[peer][message.task_id]);
    case steal:
      return tell([&](Scheduler& scheduler, Instant now, Actions& out) {
        scheduler.on_steal(peer, message.request, now, out);
      });
    case steal_refused:
      if (asked_.erase({peer, message.request.number}) == 0) world_.fail("refuses no request");
      return tell([&](Scheduler& scheduler, Instant now, Actions&) {
        scheduler.on_steal_refused(peer, message.request.number, message.retry_after, now);
      });
    case cancel:
      if (!scheduler_->may_cancel(peer, message.task_id)) return;
      return on_cancel(message.task_id);
    case leave:
      return tell([&](Scheduler& scheduler, Instant now, Actions&) {
        scheduler.on_peer_leaves(peer, now);
      });
    case end:
      return;
  }
}

void MeshNode::learn_kinds(const TaskKinds& kinds) {
  next_kinds_ = kinds_ = kinds;
  tell([&](Scheduler& scheduler, Instant now, Actions& out) {
    scheduler.on_own_kinds(kinds, now, out);
  });
}

bool MeshNode::can_run(const Task& task) const {
  return std::ranges::find(kinds_, task.name, &TaskKind::name) != kinds_.end();
}

void MeshNode::hear_kinds(PeerId peer, const TaskKinds& kinds) {
  links_.at(peer).has_told_kinds = true;
  tell([&](Scheduler& scheduler, Instant now, Actions& out) {
    scheduler.on_kinds(peer, kinds, now, out);
  });
}

void MeshNode::on_ready(PeerId peer, const MeshMessage& message) {
  MeshMessage ack;
  ack.kind = MeshMessage::Kind::ack;
  ack.sent = message.sent;
  world_.send(number_, peer, ack);
  Link& link = links_.at(peer);
  if (std::exchange(link.is_up, true)) return world_.fail("fog_ready came twice");
  link.is_original = message.node.empty();
  link.id = link.is_original ? world_.address(link.other) : message.node;
  NeighbourIdentity who;
  who.node = message.node;
  who.name = "node-" + std::to_string(link.other);
  who.address = world_.address(link.other);
  who.own_address = world_.address(number_);
  who.is_opened_here = link.is_opened_here;
  tell([&](Scheduler& scheduler, Instant now, Actions& out) {
    scheduler.on_peer_up(peer, who, now, out);
  });
}

void MeshNode::on_closed(PeerId peer) {
  const auto link = links_.find(peer);  // none: it was closed before it was open
  const bool was_up = link != links_.end() && link->second.is_up;
  links_.erase(peer);
  unsent_.erase(peer);
  if (!was_up) return;
  for (const auto& [uid, id] : copies_[peer]) forget_copy(peer, uid);
  copies_.erase(peer);
  handed_.erase(peer);
  tell([&](Scheduler& scheduler, Instant now, Actions& out) {
    (void)scheduler.on_peer_lost(peer, now, out);
  });
}

/// Its peer waits for it no more; it may have been answered before.
void MeshNode::forget_copy(PeerId peer, const std::string& uid) {
  all_waiting_ -= waiting_[peer].erase(copies_[peer][uid]);
}

void MeshNode::on_task(Task task, Origin origin) {
  if (is_draining_) return refuse(task, std::move(origin));
  add_waiting(origin);
  tell([&](Scheduler& scheduler, Instant now, Actions& out) {
    scheduler.on_task(std::move(task), std::move(origin), now, out);
  });
}

void MeshNode::on_cancel(const std::string& uid) {
  tell([&](Scheduler& scheduler, Instant, Actions& out) { (void)scheduler.on_cancel(uid, out); });
  queue_->cancel(uid);
}

void MeshNode::on_given_up(PeerId peer, const std::string& uid,
                           const std::set<std::string>& task_ids) {
  for (const std::string& task_id : task_ids) all_waiting_ -= waiting_[peer].erase(task_id);
  tell([&](Scheduler& scheduler, Instant now, Actions& out) {
    scheduler.on_copy_cancelled(peer, uid, now, out);
  });
}

void MeshNode::add_waiting(const Origin& origin) {
  ++all_waiting_;
  if (!waiting_[origin.peer].insert(origin.task_id).second) world_.fail("an id came twice");
}

void MeshNode::refuse(const Task& task, Origin origin) {
  TaskResult result;
  result.uid = task.uid;
  result.error = TaskError{TaskErrorCode::unavailable, "this node is stopping"};
  add_waiting(origin);
  perform(ReturnResult{std::move(origin), std::make_shared<const Task>(task), result, false});
}

void MeshNode::on_cloud(bool is_up, bool is_original) {
  cloud_is_up_ = is_up;
  cloud_has_told_ = false;
  unsent_.erase(cloud_link);
  tell([&](Scheduler& scheduler, Instant now, Actions& out) {
    if (!is_up) return scheduler.on_cloud_down(now, out);
    scheduler.on_cloud_up(is_original, no_limit, now, out);
    scheduler.on_cloud_delay(2 * world_.cloud_delay());
  });
  if (!is_up || is_original) return;
  world_.after(number_, 2 * world_.cloud_delay(), [this] {
    cloud_has_told_ = cloud_is_up_;
    tell([this](Scheduler& scheduler, Instant now, Actions& out) {
      scheduler.on_kinds(cloud_link, world_.cloud_kinds(), now, out);
    });
  });
}

void MeshNode::on_cloud_result(std::int64_t id, TaskResult result) {
  tell([&](Scheduler& scheduler, Instant now, Actions& out) {
    (void)scheduler.on_link_result(cloud_link, id, std::move(result), now, out);
  });
}

void MeshNode::drain() {
  is_draining_ = true;
  tell([](Scheduler& scheduler, Instant now, Actions& out) {
    scheduler.on_drain(now, out);
    scheduler.return_to_senders(now, out);
  });
  if (shares_queue_) queue_->drain();
}

void MeshNode::stop() {
  queue_->leave(true);
  is_stopping_ = true;
  tell([this](Scheduler& scheduler, Instant, Actions& out) {
    scheduler.on_stop(shares_queue_, out);
  });
  if (shares_queue_) return;
  if (all_waiting_ > 0) world_.fail("a node stopped without an answer to each task");
}

void MeshNode::tell(const MeshQueue::Told& what) {
  Actions actions;
  what(*scheduler_, world_.now(), actions);
  for (const Action& action : actions) {
    std::visit([this](const auto& kind) { perform(kind); }, action);
  }
  check();
  arm_tick();
}

void MeshNode::arm_tick() {
  const auto next = scheduler_->next_tick();
  if (!next || (tick_at_ && *tick_at_ <= *next)) return;
  tick_at_ = std::max(*next, world_.now());
  world_.after(number_, *tick_at_ - world_.now(), [this, due = *tick_at_] { tick(due); });
}

void MeshNode::tick(Instant due) {
  if (tick_at_ != due) return;  // another one was due before
  tick_at_.reset();
  tell([&](Scheduler& scheduler, Instant now, Actions& out) {
    for (const auto& [peer, link] : links_) {  // as the kernel measures it
      scheduler.on_peer_delay(peer, world_.round_trip(number_, peer));
    }
    scheduler.on_tick(now, out);
  });
  const auto next = scheduler_->next_tick();
  if (next && *next <= world_.now()) world_.fail("a tick leaves something to do");
}

/// What holds after every event.
void MeshNode::check() {
  const Scheduler& scheduler = *scheduler_;
  // Others may wait for what was found in the queue, or nobody.
  const bool may_have_others = queue_->has_found_tasks();
  if (scheduler.unanswered() > all_waiting_ && !may_have_others) {
    world_.fail("a task that nobody waits for");
  }
  if (scheduler.unanswered() == 0 && all_waiting_ > 0) world_.fail("a task was forgotten");
  std::size_t handed = 0;
  for (const Neighbour& neighbour : scheduler.neighbours()) {
    handed += neighbour.handed_now;
    const auto waiting = waiting_.find(neighbour.link);
    if (neighbour.taken_now != (waiting == waiting_.end() ? 0 : waiting->second.size())) {
      world_.fail("the count of the tasks taken from a neighbour is wrong");
    }
  }
  if (handed > scheduler.away() + scheduler.copies()) {
    world_.fail("more tasks with neighbours than away");
  }
  // What nobody needs goes on where others may have asked for it.
  if (scheduler.away() > scheduler.unanswered() && !shares_queue_) {
    world_.fail("more tasks away than unanswered");
  }
}

bool MeshNode::is_quiet() const {
  return !is_draining_ && scheduler_->unanswered() == 0 && all_waiting_ == 0 && queue_->is_quiet();
}

std::string MeshNode::left_over() const {
  if (scheduler_->away() > 0) return "tasks are away";
  if (scheduler_->copies() > 0) return "copies are with neighbours";
  if (queue_->held_away() > 0) return "tasks are held as away";
  const NodeState state = scheduler_->own_state();
  if (!state.expected_wait || *state.expected_wait != Duration::zero()) return "a wait is told";
  if (state.queued + state.running > 0) return "tasks are told";
  for (const Neighbour& neighbour : scheduler_->neighbours()) {
    if (neighbour.handed_now > 0) return "a count of tasks handed is left";
    if (neighbour.taken_now > 0) return "a count of tasks taken is left";
    if (neighbour.is_retired) return "a retired link is left";
    const bool says_wait = neighbour.has_state && neighbour.state.expected_wait != Duration::zero();
    if (says_wait && !neighbour.who.is_original()) return "a neighbour's wait is left";
  }
  return {};
}

}  // namespace fogctl::support
