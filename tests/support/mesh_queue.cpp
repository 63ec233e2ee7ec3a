#include "support/mesh_queue.hpp"

#include <algorithm>
#include <utility>

#include "support/mesh_world.hpp"

namespace fogctl::support {

MeshQueue::MeshQueue(MeshWorld& world, std::size_t node, std::size_t workers,
                     std::function<void(const Told&)> tell)
    : world_(world), node_(node), tell_(std::move(tell)), workers_(workers) {}

void MeshQueue::submit(const EnqueueTask& action) {
  calls_.emplace_back(action);
  wake_lane();
}

void MeshQueue::submit(const Withdraw& action) {
  calls_.emplace_back(action);
  wake_lane();
}

void MeshQueue::submit(const FinishAway& action) {
  told_away_.erase(action.task->uid);
  settles_.push_back({action.task->uid, action.lease_number, true, action.result});
  wake_lane();
}

void MeshQueue::submit(const TakeBack& action) {
  told_away_.erase(action.uid);
  settles_.push_back({action.uid, action.lease_number, false, {}});
  wake_lane();
}

/// What comes meanwhile goes in the same batch.
void MeshQueue::wake_lane() {
  if (std::exchange(lane_is_awake_, true)) return;
  world_.after(node_, world_.drawn(Duration::zero(), world_.options().longest_lane / 2), [this] {
    lane_is_awake_ = false;
    work();
  });
}

/// First what was finished and given back, so that a uid which comes again meets what became of it.
void MeshQueue::work() {
  settle_all();
  for (const auto& call : std::exchange(calls_, {})) {
    std::visit([this](const auto& action) { answer(action); }, call);
  }
  start_workers();
}

void MeshQueue::answer(const EnqueueTask& task) {
  const bool is_lost = world_.fault(world_.options().answers_lost);
  EnqueueAnswer answer{Kind::unavailable, 0, {}, "away"};
  if (is_up_) answer = enqueue(task);
  if (is_lost) answer = {Kind::unavailable, 0, {}, "timed out"};
  note(answer.kind != Kind::unavailable);
  deliver([this, uid = task.task->uid, answer](Scheduler& scheduler, Instant now, Actions& out) {
    if (answer.kind == Kind::away) told_away_.insert(uid);
    if (answer.kind == Kind::queued) told_queued_.insert(uid);
    if (answer.kind == Kind::unavailable) is_known_up_ = false;
    scheduler.on_enqueued(uid, answer, now, out);
  });
}

void MeshQueue::answer(const Withdraw& action) {
  using Answer = WithdrawAnswer::Kind;
  const bool is_lost = world_.fault(world_.options().answers_lost);
  WithdrawAnswer answer{Answer::unavailable, 0};
  if (is_up_) answer = withdraw(action.uid);
  if (is_lost) answer = {Answer::unavailable, 0};
  note(answer.kind != Answer::unavailable);
  deliver([this, uid = action.uid, answer](Scheduler& scheduler, Instant now, Actions& out) {
    if (answer.kind == Answer::away) told_away_.insert(uid);
    if (answer.kind == Answer::unavailable) is_known_up_ = false;
    scheduler.on_withdrawn(uid, answer, now, out);
  });
}

WithdrawAnswer MeshQueue::withdraw(const std::string& uid) {
  const auto known = store_.find(uid);
  if (known == store_.end()) return {};
  Stored& stored = known->second;
  const bool waits = ready_.erase({stored.arrival, uid}) > 0;
  if (!waits) return {};
  stored.is_away = true;
  stored.number = ++last_number_;
  return {WithdrawAnswer::Kind::away, stored.number};
}

/// The lane tells only a change, and before the answers of the calls in which it saw it.
void MeshQueue::note(bool is_there) {
  const bool has_lost = is_there && std::exchange(has_lost_, false);
  if (std::exchange(lane_is_up_, is_there) == is_there && !has_lost) return;
  deliver([this, is_there, has_lost](Scheduler& scheduler, Instant now, Actions& out) {
    is_known_up_ = is_there;
    if (has_lost) told_away_.clear();
    if (is_there) {
      scheduler.on_queue_up(has_lost, now, out);
    } else {
      scheduler.on_queue_down();
    }
  });
}

void MeshQueue::deliver(Told what) {
  deliveries_.push_back(std::move(what));
  world_.after(node_, world_.drawn(Duration::zero(), world_.options().longest_lane / 2), [this] {
    const Told next = std::move(deliveries_.front());
    deliveries_.pop_front();
    tell_(next);
  });
}

EnqueueAnswer MeshQueue::enqueue(const EnqueueTask& task) {
  const std::string& uid = task.task->uid;
  const auto is_other = [&](const Task& known) {
    return known.name != task.task->name || known.content != task.task->content;
  };
  if (const auto known = store_.find(uid); known != store_.end()) {
    if (is_other(*known->second.task)) return {Kind::conflict, 0, {}, {}};
    return meet_again(known->second, task);
  }
  if (const auto kept = kept_.find(uid); kept != kept_.end() && task.task->uid_chosen) {
    if (is_other(*kept->second.first)) return {Kind::conflict, 0, {}, {}};
    return {Kind::done, 0, kept->second.second, {}};
  }
  if (world_.fault(world_.options().queue_refuses)) {
    if (world_.chance(70)) return {Kind::overloaded, 0, {}, {}};
    return {Kind::failed, 0, {}, "no"};
  }
  const Stored stored{task.task, task.arrival, task.away, false, ++last_number_};
  store_.emplace(uid, stored);
  if (task.away) return {Kind::away, stored.number, {}, {}};
  ready_.emplace(task.arrival, uid);
  return {Kind::queued, 0, {}, {}};
}

/// A call that is made again leaves as away what it had sent away, and so does a new one.
EnqueueAnswer MeshQueue::meet_again(const Stored& stored, const EnqueueTask& task) const {
  const bool is_repeated = stored.arrival == task.arrival;
  if (is_repeated && stored.is_away && task.away) return {Kind::away, stored.number, {}, {}};
  const bool was_there = !is_repeated || stored.is_away || stored.is_leased;
  return {Kind::queued, 0, {}, {}, was_there};
}

void MeshQueue::settle_all() {
  if (settles_.empty()) return;
  note(is_up_);
  if (!is_up_) return;  // told again with the next call
  for (const Settle& what : std::exchange(settles_, {})) settle(what);
}

void MeshQueue::settle(const Settle& what) {
  const auto known = store_.find(what.uid);
  if (known == store_.end() || !known->second.is_away || known->second.number != what.number) {
    return;
  }
  if (!what.is_finish) return put_back(known->second);
  keep(*known->second.task, what.result);
  store_.erase(known);
}

void MeshQueue::put_back(Stored& stored) {
  stored.is_away = false;
  ready_.emplace(stored.arrival, stored.task->uid);
}

void MeshQueue::keep(const Task& task, const TaskResult& result) {
  if (!task.uid_chosen) return;
  kept_[task.uid] = {std::make_shared<const Task>(task), result};
}

void MeshQueue::ask_load() {
  world_.after(node_, world_.options().load_interval, [this] { ask_load(); });
  note(is_up_);
  if (!is_up_) return;
  QueueBacklog load;
  load.workers = workers_;
  load.running = running_;
  for (const auto& [uid, stored] : store_) {
    if (!stored.is_away) ++load.tasks[index_of(stored.task->weight)];
  }
  deliver([load](Scheduler& scheduler, Instant now, Actions& out) {
    scheduler.on_load(load, now, out);
  });
  settle_all();
  for (const std::string& uid : std::set<std::string>(cancelled_)) {
    if (store_.contains(uid)) {
      give_up(uid);
    } else {
      cancelled_.erase(uid);
    }
  }
  start_workers();
}

/// `has_lost`: it comes back without some of what it had.
void MeshQueue::come_back(bool has_lost) {
  is_up_ = true;
  if (has_lost) {
    has_lost_ = true;
    for (auto it = store_.begin(); it != store_.end();) {
      if (it->second.is_leased || world_.chance(50)) {
        ++it;
        continue;
      }
      ready_.erase({it->second.arrival, it->first});
      it = store_.erase(it);
    }
  }
  for (const auto& end : std::exchange(unfinished_, {})) end();
}

void MeshQueue::lose_lease() {
  if (!is_up_) return;
  for (auto& [uid, stored] : store_) {
    if (stored.is_away) put_back(stored);
  }
  deliver([this](Scheduler& scheduler, Instant now, Actions& out) {
    if (is_known_up_) told_away_.clear();
    scheduler.on_queue_lost(now, out);
  });
}

void MeshQueue::set_workers(std::size_t workers) {
  workers_ = workers;
  start_workers();
}

/// First come, first served, as the original's queue.
void MeshQueue::start_workers() {
  while (is_up_ && running_ < workers_ && !ready_.empty()) {
    Stored& stored = store_.at(ready_.begin()->second);
    ready_.erase(ready_.begin());
    stored.is_leased = true;
    stored.number = ++last_number_;
    ++running_;
    TaskResult result;
    result.uid = stored.task->uid;
    result.content = "3";
    result.execution_time = world_.run_time(stored.task->weight);
    result.node = "node-" + std::to_string(node_);
    if (world_.fault(world_.options().tasks_fail)) {
      result.error = TaskError{TaskErrorCode::task_failed, "it failed"};
    }
    if (world_.policy().ties_copies) {
      deliver([uid = result.uid](Scheduler& scheduler, Instant now, Actions& out) {
        scheduler.on_started(uid, now, out);
      });
    }
    world_.after(node_, result.execution_time, [this, number = stored.number, result] {
      --running_;
      end_run(result.uid, number, result);
      start_workers();
    });
  }
}

void MeshQueue::end_run(const std::string& uid, std::uint32_t number, const TaskResult& result) {
  if (!is_up_) {
    unfinished_.emplace_back([this, uid, number, result] { end_run(uid, number, result); });
    return;
  }
  const auto known = store_.find(uid);
  if (known == store_.end() || known->second.number != number) return;  // superseded: dropped
  end(uid, cancelled_.contains(uid) ? cancelled_result(uid) : result);
}

void MeshQueue::end(const std::string& uid, const TaskResult& result) {
  const auto known = store_.find(uid);
  keep(*known->second.task, result);
  store_.erase(known);
  cancelled_.erase(uid);
  deliver([result](Scheduler& scheduler, Instant now, Actions& out) {
    scheduler.on_result(result, now, out);
  });
}

void MeshQueue::cancel(const std::string& uid) {
  world_.after(node_, world_.drawn(Duration::zero(), world_.options().longest_lane), [this, uid] {
    if (is_up_) give_up(uid);
  });
}

/// One that waits ends; of one that is held its holder hears, and it ends at the latest when it is
/// looked at again.
void MeshQueue::give_up(const std::string& uid) {
  const auto known = store_.find(uid);
  if (known == store_.end()) return;
  const Stored& stored = known->second;
  const bool waits = ready_.erase({stored.arrival, uid}) > 0;
  if (waits) return end(uid, cancelled_result(uid));
  cancelled_.insert(uid);
  if (!stored.is_away) return;
  deliver([uid](Scheduler& scheduler, Instant, Actions& out) { scheduler.on_cancel(uid, out); });
}

std::size_t MeshQueue::held_away() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(store_, [](const auto& entry) { return entry.second.is_away; }));
}

bool MeshQueue::is_quiet() const {
  return calls_.empty() && settles_.empty() && unfinished_.empty() && running_ == 0 &&
         ready_.empty();
}

}  // namespace fogctl::support
