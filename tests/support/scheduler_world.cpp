#include "support/scheduler_world.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "placement/placement.hpp"

namespace fogctl::support {
namespace {

SchedulerOptions world_options() {
  SchedulerOptions options;
  options.node = "00ff";
  options.name = "fog-1";
  options.policy = find_policy("original");
  options.max_parked = 8;
  return options;
}

TaskResult run(const std::string& uid, bool has_failed = false) {
  TaskResult result;
  result.uid = uid;
  result.content = "3";
  result.execution_time = std::chrono::milliseconds(20);
  if (has_failed) result.error = TaskError{TaskErrorCode::task_failed, "it failed"};
  return result;
}

}  // namespace

SchedulerWorld::SchedulerWorld(std::uint64_t seed, const WorldOptions& options)
    : random_(seed), options_(options), scheduler_(world_options(), Random(seed + 1)) {}

void SchedulerWorld::fail(const std::string& what) {
  if (broken_.empty()) broken_ = what;
}

void SchedulerWorld::step() {
  using Event = void (SchedulerWorld::*)();
  static constexpr Event events[] = {
      &SchedulerWorld::client_sends,   &SchedulerWorld::client_sends,
      &SchedulerWorld::queue_works,    &SchedulerWorld::queue_works,
      &SchedulerWorld::deliver_one,    &SchedulerWorld::deliver_one,
      &SchedulerWorld::deliver_one,    &SchedulerWorld::worker_runs,
      &SchedulerWorld::worker_runs,    &SchedulerWorld::cloud_answers,
      &SchedulerWorld::load_is_asked,  &SchedulerWorld::cloud_changes,
      &SchedulerWorld::late_answer,    &SchedulerWorld::queue_restarts,
      &SchedulerWorld::lease_runs_out,
  };
  (this->*events[random_.below(std::size(events))])();
  time_passes(std::chrono::milliseconds(random_.below(chance(3) ? 70'000 : 300)));
  if (scheduler_.away() > scheduler_.unanswered()) fail("more tasks away than unanswered");
}

void SchedulerWorld::time_passes(Duration length) {
  now_ += length;
  const auto next = scheduler_.next_tick();
  if (!next || *next > now_) return;
  Actions actions;
  scheduler_.on_tick(now_, actions);
  perform(std::move(actions));
  const auto later = scheduler_.next_tick();
  if (later && *later <= now_) fail("a tick leaves something to do");
}

void SchedulerWorld::client_sends() {
  constexpr const char* names[] = {"light", "medium", "heavy", "echo"};
  Task task;
  task.name = names[random_.below(4)];
  task.weight = parse_task_class(task.name).value_or(TaskClass::light);
  task.content = chance(80) ? "1" : "2";
  task.cloud_processing = chance(40);
  task.time_requirement = chance(50) ? std::chrono::milliseconds(1) : std::chrono::seconds(5);
  task.offload_times = chance(20) ? 1 : 0;
  if (chance(50)) {
    task.uid = "chosen-" + std::to_string(random_.below(6));
    task.uid_chosen = true;
  }
  const std::string id = std::to_string(answers_.size() + 1);
  answers_[id] = 0;
  Actions actions;
  scheduler_.on_task(std::move(task), {1, id, false, false}, now_, actions);
  perform(std::move(actions));
}

/// The lane tells only a change, and before the answers of the calls in which it saw it.
void SchedulerWorld::note(bool is_there) {
  if (!is_there) {
    if (lane_is_up_) {
      deliveries_.emplace_back([this](Actions&) {
        scheduler_knows_up_ = false;
        scheduler_.on_queue_down();
      });
    }
    lane_is_up_ = false;
    return;
  }
  const bool has_lost = std::exchange(restarted_, false);
  if (lane_is_up_ && !has_lost) return;
  lane_is_up_ = true;
  deliveries_.emplace_back([this, has_lost](Actions& out) {
    scheduler_knows_up_ = true;
    if (has_lost) told_away_.clear();
    scheduler_.on_queue_up(has_lost, now_, out);
  });
}

/// First what was finished and given back, so that a uid which comes again meets what became of it.
void SchedulerWorld::queue_works() {
  std::vector<Op> rest = std::exchange(unsettled_, {});
  std::ranges::copy_if(lane_, std::back_inserter(rest), &Op::settles);
  std::erase_if(lane_, &Op::settles);
  if (!rest.empty()) note(store_is_up_);
  for (const Op& op : rest) store_is_up_ ? settle_op(op) : unsettled_.push_back(op);

  for (; !lane_.empty(); lane_.pop_front()) {
    const bool is_lost = options_.loses_answers && !is_calm_ && chance(10);
    EnqueueAnswer answer{Kind::unavailable, 0, {}, "away"};
    if (store_is_up_) answer = enqueue(lane_.front());
    if (is_lost) answer = {Kind::unavailable, 0, {}, "timed out"};
    note(answer.kind != Kind::unavailable);
    deliveries_.emplace_back([this, uid = lane_.front().uid, answer](Actions& out) {
      if (answer.kind == Kind::away) told_away_.insert(uid);
      if (answer.kind == Kind::unavailable) scheduler_knows_up_ = false;
      scheduler_.on_enqueued(uid, answer, now_, out);
    });
  }
}

EnqueueAnswer SchedulerWorld::enqueue(const Op& op) {
  const auto is_other = [&](const Stored& stored) {
    return stored.task->name != op.task->name || stored.task->content != op.task->content;
  };
  if (const auto kept = kept_.find(op.uid); kept != kept_.end()) {
    if (is_other(kept->second)) return {Kind::conflict, 0, {}, {}};
    return {Kind::done, 0, run(op.uid), {}};
  }
  if (const auto known = store_.find(op.uid); known != store_.end()) {
    if (is_other(known->second)) return {Kind::conflict, 0, {}, {}};
    Stored& stored = known->second;
    if (stored.is_away && op.away) return {Kind::away, stored.number, {}, {}};
    // A call that is made again leaves as away what it had sent away; a new one takes it back.
    if (stored.arrival != op.arrival) stored.is_away = false;
    return {Kind::queued, 0, {}, {}};
  }
  if (!is_calm_ && chance(3)) return {Kind::overloaded, 0, {}, {}};
  if (!is_calm_ && chance(2)) return {Kind::failed, 0, {}, "no"};
  const Stored stored{op.task, op.arrival, op.away, ++last_number_};
  store_.emplace(op.uid, stored);
  return {op.away ? Kind::away : Kind::queued, stored.number, {}, {}};
}

void SchedulerWorld::settle_op(const Op& op) {
  const auto known = store_.find(op.uid);
  if (known == store_.end() || !known->second.is_away || known->second.number != op.number) return;
  if (op.kind == Op::Kind::give_back) {
    known->second.is_away = false;
    return;
  }
  keep(known->second);
  store_.erase(known);
}

void SchedulerWorld::keep(const Stored& stored) {
  if (stored.task->uid_chosen && chance(70)) kept_[stored.task->uid] = stored;
}

void SchedulerWorld::queue_restarts() {
  if (store_is_up_ && chance(60)) return;
  store_is_up_ = !store_is_up_;
  if (!store_is_up_ || chance(60)) return;
  restarted_ = true;
  std::erase_if(store_, [&](const auto&) { return chance(50); });
  std::erase_if(kept_, [&](const auto&) { return chance(50); });
}

/// Others have put back into the queue what this node held; it hears of it, not from the lane.
void SchedulerWorld::lease_runs_out() {
  if (!store_is_up_ || chance(70)) return;
  for (auto& [uid, stored] : store_) stored.is_away = false;
  deliveries_.emplace_back([this](Actions& out) {
    if (scheduler_knows_up_) told_away_.clear();
    scheduler_.on_queue_lost(now_, out);
  });
}

void SchedulerWorld::load_is_asked() {
  if (!is_calm_ && chance(20)) workers_ = random_.below(3);
  note(store_is_up_);
  if (!store_is_up_) return;
  QueueBacklog load;
  load.workers = workers_;
  for (const auto& [uid, stored] : store_) {
    if (!stored.is_away) ++load.tasks[index_of(stored.task->weight)];
  }
  deliveries_.emplace_back([this, load](Actions& out) { scheduler_.on_load(load, now_, out); });
}

void SchedulerWorld::worker_runs() {
  if (!store_is_up_ || workers_ == 0 || store_.empty()) return;
  auto chosen =
      std::next(store_.begin(), static_cast<std::ptrdiff_t>(random_.below(store_.size())));
  if (chosen->second.is_away) return;
  const TaskResult result = run(chosen->first, chance(10));
  keep(chosen->second);
  store_.erase(chosen);
  for (int times = chance(10) ? 2 : 1; times > 0; --times) {  // told twice: an answer was lost
    deliveries_.emplace_back(
        [this, result](Actions& out) { scheduler_.on_result(result, now_, out); });
  }
}

void SchedulerWorld::cloud_answers() {
  if (with_cloud_.empty()) return;
  const auto chosen = with_cloud_.begin();
  const std::int64_t id = chosen->first;
  TaskResult result = run(chosen->second);
  with_cloud_.erase(chosen);
  if (cloud_loses_tasks_ && !is_calm_ && chance(30)) return;
  if (chance(15)) result.error = TaskError{TaskErrorCode::unavailable, "stopping"};
  Actions actions;
  scheduler_.on_link_result(cloud_link, id, std::move(result), now_, actions);
  perform(std::move(actions));
}

void SchedulerWorld::late_answer() {
  if (late_.empty()) return;
  Actions actions;
  if (scheduler_.on_link_result(cloud_link, late_.back(), run("late"), now_, actions)) {
    fail("an answer of a link that broke was taken");
  }
  if (!actions.empty()) fail("an answer of a link that broke brought something about");
  late_.pop_back();
}

void SchedulerWorld::cloud_changes() {
  Actions actions;
  const bool may_greet_late = cloud_is_original_ && !cloud_loses_tasks_;
  if (link_is_up_ && may_greet_late && chance(70)) {
    cloud_is_original_ = false;
    scheduler_.on_cloud_up(false, no_limit, now_, actions);
  } else if (link_is_up_) {
    link_is_up_ = false;
    for (const auto& [id, uid] : with_cloud_) late_.push_back(id);
    with_cloud_.clear();
    scheduler_.on_cloud_down(now_, actions);
    if (scheduler_.away() > 0) fail("a task is with a cloud that is down");
  } else {
    link_is_up_ = true;
    cloud_is_original_ = chance(60);
    cloud_loses_tasks_ = cloud_is_original_ && chance(60);
    scheduler_.on_cloud_up(cloud_is_original_, no_limit, now_, actions);
  }
  perform(std::move(actions));
}

void SchedulerWorld::deliver_one() {
  if (deliveries_.empty()) return;
  const auto event = std::move(deliveries_.front());
  deliveries_.pop_front();
  Actions actions;
  event(actions);
  perform(std::move(actions));
}

void SchedulerWorld::perform(Actions actions) {
  for (const Action& action : actions) {
    std::visit([this](const auto& kind) { perform(kind); }, action);
  }
}

void SchedulerWorld::perform(const EnqueueTask& action) {
  if (action.start_by < action.arrival) fail("start-by lies before the arrival");
  lane_.push_back(
      {Op::Kind::enqueue, action.task->uid, 0, action.task, action.arrival, action.away});
}

void SchedulerWorld::perform(const HandOn& action) {
  const std::string& uid = action.task->uid;
  if (!link_is_up_) fail("sent to a cloud that is down");
  if (!cloud_ids_.insert(action.id).second) fail("an id for the cloud came twice");
  if (action.task->process_by != "cloud") fail("process_by is not cloud");
  if (cloud_is_original_ && action.task->name == "echo") fail("an original cloud got echo");
  if (scheduler_knows_up_ && !told_away_.contains(uid)) fail("sent before it was held as away");
  with_cloud_.emplace(action.id, uid);
}

void SchedulerWorld::perform(const ReturnResult& action) {
  const auto origin = answers_.find(action.origin.task_id);
  if (origin == answers_.end()) return fail("an answer to nobody");
  if (++origin->second > 1) fail("task_id " + origin->first + " was answered twice");
  if (action.result.uid != action.task->uid) fail("an answer of another uid");
}

void SchedulerWorld::perform(const FinishAway& action) {
  lane_.push_back({Op::Kind::finish, action.task->uid, action.lease_number, nullptr, {}, true});
}

void SchedulerWorld::perform(const TakeBack& action) {
  lane_.push_back({Op::Kind::give_back, action.uid, action.lease_number, nullptr, {}, true});
}

std::size_t SchedulerWorld::unanswered_origins() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(answers_, [](const auto& answer) { return answer.second == 0; }));
}

std::size_t SchedulerWorld::held_away() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(store_, [](const auto& entry) { return entry.second.is_away; }));
}

void SchedulerWorld::settle() {
  is_calm_ = true;
  store_is_up_ = true;
  workers_ = 1;
  for (int round = 0; round < 200; ++round) {
    load_is_asked();
    queue_works();
    while (!deliveries_.empty()) deliver_one();
    for (std::size_t i = store_.size() * 4; i > 0; --i) worker_runs();
    while (!with_cloud_.empty()) cloud_answers();
    const bool is_quiet = deliveries_.empty() && lane_.empty() && store_.empty();
    if (is_quiet && scheduler_.unanswered() == 0) return;
    if (round > 20) time_passes(std::chrono::seconds(5));
  }
}

void SchedulerWorld::stop() {
  Actions actions;
  scheduler_.on_stop(false, actions);
  perform(std::move(actions));
}

double SchedulerWorld::wait_of_new_task() {
  load_is_asked();
  while (!deliveries_.empty()) deliver_one();
  Task task;
  task.name = "light";
  Actions actions;
  scheduler_.on_task(std::move(task), {1, "last", false, false}, now_, actions);
  for (const Action& action : actions) {
    if (const auto* placed = std::get_if<EnqueueTask>(&action)) {
      return placed->task->estimated_queuing_time;
    }
  }
  return -1;
}

}  // namespace fogctl::support
