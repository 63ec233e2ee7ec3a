#include "support/mesh_queue.hpp"

#include <algorithm>
#include <utility>

#include "support/mesh_world.hpp"

namespace fogctl::support {
namespace {

constexpr Duration put_off = std::chrono::seconds(1);
constexpr Duration longest_retry_delay = std::chrono::milliseconds(100);

}  // namespace

MeshQueue::MeshQueue(MeshWorld& world, Place place, std::size_t workers,
                     std::function<void(const Told&)> tell)
    : world_(world),
      node_(place.node),
      tell_(std::move(tell)),
      holder_(std::move(place.holder)),
      store_(std::move(place.store)),
      can_run_(std::move(place.can_run)),
      workers_(workers),
      losses_(store_->losses()) {
  store_->join(holder_, {.on_reply =
                             [this](const TaskResult& result) {
                               deliver([result](Scheduler& scheduler, Instant now, Actions& out) {
                                 scheduler.on_result(result, now, out);
                               });
                             },
                         .on_cancelled =
                             [this](const std::string& uid) {
                               deliver([uid](Scheduler& scheduler, Instant, Actions& out) {
                                 (void)scheduler.on_cancel(uid, out);
                               });
                             }});
  store_->set_workers(holder_, workers_);
}

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
  settles_.emplace_back(action);
  wake_lane();
}

void MeshQueue::submit(const TakeBack& action) {
  told_away_.erase(action.uid);
  settles_.emplace_back(action);
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
  if (store_->is_up()) {
    if (is_repeated()) (void)store_->enqueue(holder_, task);
    answer = store_->enqueue(holder_, task);
  }
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
  if (store_->is_up()) {
    if (is_repeated()) (void)store_->withdraw(holder_, action.uid);
    answer = store_->withdraw(holder_, action.uid);
  }
  if (is_lost) answer = {Answer::unavailable, 0};
  note(answer.kind != Answer::unavailable);
  deliver([this, uid = action.uid, answer](Scheduler& scheduler, Instant now, Actions& out) {
    if (answer.kind == Answer::away) told_away_.insert(uid);
    if (answer.kind == Answer::unavailable) is_known_up_ = false;
    scheduler.on_withdrawn(uid, answer, now, out);
  });
}

void MeshQueue::answer(const AskForHeld&) {
  if (!store_->is_up()) return;
  deliver(
      [this, held = store_->held_away_by(holder_)](Scheduler& scheduler, Instant, Actions& out) {
        for (const TakeBack& one : held) told_away_.insert(one.uid);
        knows_held_ = scheduler.on_held_away(held, out);
      });
}

bool MeshQueue::is_repeated() {
  return world_.fault(world_.options().calls_repeated);
}

/// The lane tells only a change, and before the answers of the calls in which it saw it.
void MeshQueue::note(bool is_there) {
  const bool has_lost = is_there && std::exchange(losses_, store_->losses()) != store_->losses();
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
  knows_held_ &= !has_lost;
}

void MeshQueue::deliver(Told what) {
  deliveries_.push_back(std::move(what));
  world_.after(node_, world_.drawn(Duration::zero(), world_.options().longest_lane / 2), [this] {
    const Told next = std::move(deliveries_.front());
    deliveries_.pop_front();
    tell_(next);
  });
}

void MeshQueue::settle_all() {
  if (settles_.empty()) return;
  note(store_->is_up());
  if (!store_->is_up()) return;  // told again with the next call
  for (const Settle& what : std::exchange(settles_, {})) {
    if (const auto* end = std::get_if<FinishAway>(&what)) {
      store_->finish(holder_, *end);
    } else {
      store_->take_back(holder_, std::get<TakeBack>(what));
    }
  }
}

void MeshQueue::ask_load() {
  world_.after(node_, world_.options().load_interval, [this] { ask_load(); });
  note(store_->is_up());
  if (!store_->is_up()) return;
  const bool has_lease = store_->extend(holder_);
  deliver([this, load = store_->load()](Scheduler& scheduler, Instant now, Actions& out) {
    scheduler.on_load(load, now, out);
    if (knows_held_) return;
    calls_.emplace_back(AskForHeld{});
    wake_lane();
  });
  if (!has_lease) {
    deliver([this](Scheduler& scheduler, Instant now, Actions& out) {
      if (is_known_up_) told_away_.clear();
      scheduler.on_queue_lost(now, out);
    });
  }
  settle_all();
  end_unfinished();
  store_->sweep_cancelled();
  if (is_draining_) hand_over();
  start_workers();
}

/// `has_lost`: it comes back without some of what it had.
void MeshQueue::come_back(bool has_lost) {
  store_->come_back(has_lost);
  end_unfinished();
}

void MeshQueue::end_unfinished() {
  for (const auto& end : std::exchange(unfinished_, {})) end();
}

void MeshQueue::drain() {
  is_draining_ = true;
  store_->set_workers(holder_, 0);
  hand_over();
}

void MeshQueue::hand_over() {
  if (!store_->is_up() || store_->load().workers > 0) return;
  has_found_tasks_ = true;
  std::vector<TakenTask> all;
  while (const auto taken = store_->lease(holder_, true)) {
    all.push_back({taken->task, taken->number, 1, taken->arrival, taken->origin});
  }
  deliver([this, all = std::move(all)](Scheduler& scheduler, Instant now, Actions& out) {
    for (const TakenTask& task : all) {
      told_away_.insert(task.task->uid);
      (void)scheduler.on_taken(task, now, out);
    }
  });
}

void MeshQueue::set_workers(std::size_t workers) {
  workers_ = workers;
  store_->set_workers(holder_, is_draining_ ? 0 : workers);
  start_workers();
}

/// First come, first served, as the original's queue.
void MeshQueue::start_workers() {
  while (store_->is_up() && !is_draining_ && running_ < workers_) {
    const auto run = store_->lease(holder_, false);
    if (!run) return;
    if (!can_run_(*run->task)) {
      pass_on(*run);
      continue;
    }
    ++running_;
    TaskResult result;
    result.uid = run->task->uid;
    result.content = "3";
    result.execution_time = world_.run_time(run->task->weight);
    result.node = "node-" + std::to_string(node_);
    if (world_.fault(world_.options().tasks_fail)) {
      result.error = TaskError{TaskErrorCode::task_failed, "it failed"};
    }
    if (world_.policy().ties_copies) {
      deliver([uid = result.uid](Scheduler& scheduler, Instant now, Actions& out) {
        scheduler.on_started(uid, now, out);
      });
    }
    const bool is_tried_again = world_.fault(world_.options().runs_fail);
    world_.after(node_, result.execution_time, [this, run = *run, result, is_tried_again] {
      --running_;
      if (is_tried_again) {
        retry(run, world_.now() + world_.drawn({}, longest_retry_delay));
      } else {
        end_run(run, result);
      }
      start_workers();
    });
  }
}

/// It is left to the others that serve the queue, or stays held, and is the Scheduler's.
void MeshQueue::pass_on(const MeshStore::Stored& run) {
  if (store_->load().workers > workers_) {
    return world_.after(node_, put_off, [this, run] { give_back(run); });
  }
  has_found_tasks_ = true;
  store_->hold_away(run.task->uid);
  const TakenTask taken{run.task, run.number, 1, run.arrival, run.origin};
  deliver([this, taken](Scheduler& scheduler, Instant now, Actions& out) {
    told_away_.insert(taken.task->uid);
    (void)scheduler.on_taken(taken, now, out);
  });
}

void MeshQueue::give_back(const MeshStore::Stored& run) {
  if (store_->is_up()) return store_->give_back(holder_, run);
  unfinished_.emplace_back([this, run] { give_back(run); });
}

void MeshQueue::retry(const MeshStore::Stored& run, Instant not_before) {
  if (!store_->is_up()) {
    unfinished_.emplace_back([this, run, not_before] { retry(run, not_before); });
    return;
  }
  store_->retry(holder_, run, not_before);
  const Duration delay = std::max(not_before - world_.now(), Duration::zero());
  world_.after(node_, delay, [this] { start_workers(); });
}

void MeshQueue::pause(bool is_paused) {
  store_->pause(is_paused);
  world_.after(node_, Duration::zero(), [this] { start_workers(); });
}

void MeshQueue::end_run(const MeshStore::Stored& run, const TaskResult& result) {
  if (store_->is_up()) return store_->end_run(holder_, run, result);
  unfinished_.emplace_back([this, run, result] { end_run(run, result); });
}

void MeshQueue::cancel(const std::string& uid) {
  world_.after(node_, world_.drawn(Duration::zero(), world_.options().longest_lane), [this, uid] {
    if (store_->is_up()) store_->cancel(uid);
  });
}

bool MeshQueue::is_quiet() const {
  return calls_.empty() && settles_.empty() && unfinished_.empty() && running_ == 0 &&
         store_->queued() == 0;
}

}  // namespace fogctl::support
