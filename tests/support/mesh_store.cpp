#include "support/mesh_store.hpp"

#include <algorithm>
#include <utility>

#include "queue/task_queue.hpp"
#include "support/mesh_world.hpp"

namespace fogctl::support {
namespace {

constexpr Duration lease_length = std::chrono::seconds(2);
/// What happened in so much time before the store went away may be lost with it.
constexpr Duration loses_up_to = std::chrono::seconds(1);

}  // namespace

void MeshStore::join(const std::string& holder, Ears ears) {
  holders_[holder] = {std::move(ears), world_.now() + lease_length, 0, true, false};
}

void MeshStore::set_workers(const std::string& holder, std::size_t workers) {
  holders_.at(holder).workers = workers;
}

void MeshStore::leave(const std::string& holder, bool in_order) {
  const auto known = holders_.find(holder);
  if (known == holders_.end()) return;
  if (!in_order) {
    known->second.is_there = false;
    return;
  }
  put_back_all(holder, true);
  holders_.erase(known);
}

bool MeshStore::extend(const std::string& holder) {
  const Instant now = world_.now();
  Holder& me = holders_.at(holder);
  me.expiry = now + lease_length;
  const bool is_lost = std::exchange(me.has_lost, false);
  for (auto it = holders_.begin(); it != holders_.end();) {
    Holder& other = it->second;
    if (other.expiry >= now || other.expiry == Instant::min()) {
      ++it;
      continue;
    }
    put_back_all(it->first, true);
    other.expiry = Instant::min();
    other.has_lost = true;
    it = other.is_there ? std::next(it) : holders_.erase(it);
  }
  return !is_lost;
}

void MeshStore::put_back_all(const std::string& holder, bool leased_too) {
  for (auto& [uid, stored] : store_) {
    const bool is_held = stored.is_away || (leased_too && stored.is_leased);
    if (is_held && stored.holder == holder) put_back(stored);
  }
}

EnqueueAnswer MeshStore::enqueue(const std::string& holder, const EnqueueTask& task) {
  const std::string& uid = task.task->uid;
  const auto is_other = [&](const Task& known) {
    return known.name != task.task->name || known.content != task.task->content;
  };
  if (const auto known = store_.find(uid); known != store_.end()) {
    if (is_other(*known->second.task)) return {Kind::conflict, 0, {}, {}};
    return meet_again(known->second, holder, task);
  }
  if (const auto kept = kept_.find(uid); kept != kept_.end() && task.task->uid_chosen) {
    if (is_other(*kept->second.first)) return {Kind::conflict, 0, {}, {}};
    return {Kind::done, 0, kept->second.second, {}};
  }
  if (world_.fault(world_.options().queue_refuses)) {
    if (world_.chance(70)) return {Kind::overloaded, 0, {}, {}};
    return {Kind::failed, 0, {}, "no"};
  }
  Stored& stored = store_[uid];
  stored.task = task.task;
  stored.arrival = task.arrival;
  stored.origin = holder;
  if (task.away) {
    hold(stored, holder, true);
    return {Kind::away, stored.number, {}, {}};
  }
  ready_.emplace(task.arrival, uid);
  return {Kind::queued, 0, {}, {}};
}

/// A call that is made again leaves as away what it had sent away, and so does a new one.
EnqueueAnswer MeshStore::meet_again(Stored& stored, const std::string& holder,
                                    const EnqueueTask& task) const {
  const bool is_own = stored.origin == holder;
  const bool is_repeated = is_own && stored.arrival == task.arrival;
  if (!is_own) {
    if (stored.askers.size() >= most_askers && !stored.askers.contains(holder)) {
      return {Kind::overloaded, 0, {}, {}};
    }
    stored.askers.insert(holder);
  }
  const bool is_held_here = (stored.is_away || stored.is_leased) && stored.holder == holder;
  if (is_repeated && is_held_here && stored.is_away && task.away) {
    return {Kind::away, stored.number, {}, {}};
  }
  return {Kind::queued, 0, {}, {}, !is_repeated || is_held_here};
}

WithdrawAnswer MeshStore::withdraw(const std::string& holder, const std::string& uid) {
  const auto known = store_.find(uid);
  if (known == store_.end()) return {};
  Stored& stored = known->second;
  if (stored.is_away && stored.holder == holder) {
    return {WithdrawAnswer::Kind::away, stored.number};
  }
  if (!stored.askers.empty()) return {};
  const bool waits = ready_.erase({stored.arrival, uid}) > 0;
  if (!waits) return {};
  hold(stored, holder, true);
  return {WithdrawAnswer::Kind::away, stored.number};
}

void MeshStore::finish(const std::string& holder, const FinishAway& end_of) {
  const std::string& uid = end_of.task->uid;
  const auto known = store_.find(uid);
  if (known == store_.end()) return;
  Stored& stored = known->second;
  if (!stored.is_away || stored.holder != holder || stored.number != end_of.lease_number) return;
  were_away_.emplace_back(world_.now(), stored);
  if (end_of.unless_asked && !stored.askers.empty()) return put_back(stored);
  end(uid, *end_of.task, end_of.result, end_of.reply_to == holder ? "" : end_of.reply_to);
}

void MeshStore::give_back(const std::string& holder, const Stored& run) {
  if (Stored* stored = held_by(holder, run)) put_back(*stored);
}

MeshStore::Stored* MeshStore::held_by(const std::string& holder, const Stored& run) {
  const auto known = store_.find(run.task->uid);
  const bool is_held = known != store_.end() && known->second.number == run.number &&
                       known->second.is_leased && known->second.holder == holder;
  return is_held ? &known->second : nullptr;
}

void MeshStore::retry(const std::string& holder, const Stored& run, Instant not_before) {
  Stored* stored = held_by(holder, run);
  if (stored == nullptr) return;
  stored->is_leased = false;
  stored->is_delayed = true;
  stored->holder.clear();
  delayed_.emplace(not_before, run.task->uid);
}

void MeshStore::end_delays() {
  while (!delayed_.empty() && delayed_.begin()->first <= world_.now()) {
    Stored& stored = store_.at(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    put_back(stored);
  }
}

bool MeshStore::waits(const std::string& uid) const {
  const auto known = store_.find(uid);
  return known != store_.end() && !known->second.is_leased && !known->second.is_away;
}

void MeshStore::hold_away(const std::string& uid) {
  Stored& stored = store_.at(uid);
  stored.is_leased = false;
  stored.is_away = true;
}

void MeshStore::take_back(const std::string& holder, const TakeBack& back) {
  const auto known = store_.find(back.uid);
  if (known == store_.end()) return;
  Stored& stored = known->second;
  const bool is_held = stored.is_away && stored.holder == holder;
  if (!is_held || stored.number != back.lease_number) return;
  were_away_.emplace_back(world_.now(), stored);
  put_back(stored);
}

/// A holder whose lease had run out has a new one from then on.
void MeshStore::hold(Stored& stored, const std::string& holder, bool away) {
  (away ? stored.is_away : stored.is_leased) = true;
  stored.holder = holder;
  stored.number = ++last_number_;
  Holder& me = holders_.at(holder);
  if (me.expiry == Instant::min()) me.expiry = world_.now() + lease_length;
}

void MeshStore::put_back(Stored& stored) {
  stored.is_away = stored.is_leased = stored.is_delayed = false;
  stored.holder.clear();
  ready_.emplace(stored.arrival, stored.task->uid);
}

void MeshStore::keep(const Task& task, const TaskResult& result) {
  if (!is_kept(task, result)) return;
  kept_[task.uid] = {std::make_shared<const Task>(task), result};
}

std::optional<MeshStore::Stored> MeshStore::lease(const std::string& holder, bool away) {
  if (is_paused_ && !away) return std::nullopt;
  end_delays();
  if (ready_.empty()) return std::nullopt;
  Stored& stored = store_.at(ready_.begin()->second);
  ready_.erase(ready_.begin());
  hold(stored, holder, away);
  return stored;
}

void MeshStore::end_run(const std::string& holder, const Stored& run, const TaskResult& result) {
  const std::string& uid = result.uid;
  const auto known = store_.find(uid);
  if (known == store_.end() || known->second.number != run.number) return;  // superseded: dropped
  if (!known->second.is_leased || known->second.holder != holder) return;
  end(uid, *known->second.task, cancelled_.contains(uid) ? cancelled_result(uid) : result,
      run.origin);
}

void MeshStore::end(const std::string& uid, const Task& task, const TaskResult& result,
                    const std::string& reply_to) {
  const auto known = store_.find(uid);
  std::set<std::string> waiting = std::move(known->second.askers);
  if (!reply_to.empty()) waiting.insert(reply_to);
  keep(task, result);
  store_.erase(known);
  cancelled_.erase(uid);
  for (const std::string& one : waiting) {
    const auto holder = holders_.find(one);
    if (holder != holders_.end() && holder->second.is_there) holder->second.ears.on_reply(result);
  }
}

/// One that waits ends; of one that is held its holder hears, and it ends at the latest when it is
/// looked at again.
void MeshStore::cancel(const std::string& uid) {
  const auto known = store_.find(uid);
  if (known == store_.end()) return;
  const Stored& stored = known->second;
  if (waits(uid)) {
    forget_turn(stored);
    return end(uid, *stored.task, cancelled_result(uid), stored.origin);
  }
  cancelled_.insert(uid);
  const auto holder = holders_.find(stored.holder);
  const bool hears = holder != holders_.end() && holder->second.is_there;
  if (stored.is_away && hears) holder->second.ears.on_cancelled(uid);
}

void MeshStore::sweep_cancelled() {
  for (const std::string& uid : std::set<std::string>(cancelled_)) {
    if (store_.contains(uid)) {
      cancel(uid);
    } else {
      cancelled_.erase(uid);
    }
  }
}

void MeshStore::come_back(bool has_lost) {
  is_up_ = true;
  if (!has_lost) return;
  ++losses_;
  for (auto it = store_.begin(); it != store_.end();) {
    if (it->second.is_leased || world_.chance(50)) {
      ++it;
      continue;
    }
    forget_turn(it->second);
    it = store_.erase(it);
  }
  for (const auto& [until, was] : std::exchange(were_away_, {})) {
    if (world_.now() - until < loses_up_to && world_.chance(50)) hold_again(was);
  }
}

/// Of one that waits.
void MeshStore::forget_turn(const Stored& stored) {
  const std::string& uid = stored.task->uid;
  ready_.erase({stored.arrival, uid});
  std::erase_if(delayed_, [&](const auto& delayed) { return delayed.second == uid; });
}

void MeshStore::hold_again(const Stored& was) {
  const auto holder = holders_.find(was.holder);
  if (holder == holders_.end() || !holder->second.is_there) return;
  const std::string& uid = was.task->uid;
  const auto known = store_.find(uid);
  if (known != store_.end() && (known->second.is_leased || known->second.is_away)) return;
  if (known != store_.end()) forget_turn(known->second);
  store_[uid] = was;
  kept_.erase(uid);
}

std::vector<TakeBack> MeshStore::held_away_by(const std::string& holder) const {
  std::vector<TakeBack> held;
  for (const auto& [uid, stored] : store_) {
    if (stored.is_away && stored.holder == holder) held.push_back({uid, stored.number});
  }
  return held;
}

QueueBacklog MeshStore::load() const {
  QueueBacklog load;
  load.is_paused = is_paused_;
  for (const auto& [name, holder] : holders_) {
    if (holder.expiry >= world_.now()) load.workers += holder.workers;
  }
  for (const auto& [uid, stored] : store_) {
    if (!stored.is_away && !stored.is_delayed) ++load.tasks[index_of(stored.task->weight)];
    if (stored.is_leased) ++load.running;
  }
  return load;
}

std::size_t MeshStore::held_away() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(store_, [](const auto& entry) { return entry.second.is_away; }));
}

}  // namespace fogctl::support
