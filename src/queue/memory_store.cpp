#include "queue/memory_store.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.hpp"
#include "queue/record.hpp"

namespace fogctl {

MemoryStore::Holder& MemoryStore::holder_named(const std::string& name) {
  Holder& holder = holders_[name];
  holder.name = name;
  return holder;
}

Enqueued MemoryStore::enqueue(Holder& me, std::span<const NewTask> tasks, const LeaseWant& want,
                              Instant now) {
  Enqueued done;
  done.outcomes.reserve(tasks.size());
  const bool was_empty = queued_ == 0;
  const bool straight = was_empty && want.at_most > 0 && !want.away && !load_.is_paused &&
                        in_urgency_order(tasks, want.order, now);
  Want wanted{.want = want, .now = now, .number = next_number()};
  ++next_call_;
  std::vector<Slot> fresh;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::size_t before = tasks_.size();
    done.outcomes.push_back(enqueue_one(me, tasks[i], now));
    if (done.outcomes.back().status != EnqueueStatus::accepted) continue;
    const Slot slot = tasks_.find(tasks[i].task->uid)->second;
    Entry& entry = entries_[slot];
    entry.position = i;
    if (tasks_.size() == before) continue;  // it was there, and this call repeats an earlier one
    if (tasks[i].away) {
      register_holder(me, now);
      hold(me, entry, slot, wanted.number, State::away);
      done.outcomes.back() = {EnqueueStatus::leased, wanted.number, std::nullopt};
    } else if (straight) {
      fresh.push_back(slot);
    } else {
      queue(entry, slot);
    }
  }
  if (straight) lease_straight(me, wanted, fresh, done);
  lease_ready(me, wanted, done.leased, &done);
  if (was_empty && queued_ > 0) wake();
  return done;
}

// Tasks that come to an empty queue go to this holder without touching the order.
void MemoryStore::lease_straight(Holder& me, Want& want, std::span<const Slot> fresh,
                                 Enqueued& done) {
  std::size_t first_left = 0;
  for (; first_left < fresh.size() && queued_ == 0 && want.has_room(); ++first_left) {
    Entry& entry = entries_[fresh[first_left]];
    ++want.taken;
    want.sum += want.want.estimates[index_of(entry.task->weight)];
    hold(me, entry, fresh[first_left], want.number, State::ahead);
    done.outcomes[entry.position] = {EnqueueStatus::leased, want.number, std::nullopt};
  }
  for (const Slot slot : fresh.subspan(first_left)) queue(entries_[slot], slot);
  if (want.taken == 0) return;
  register_holder(me, want.now);
  if (want.taken == 1) entries_[fresh[0]].state = State::alone;
}

bool MemoryStore::in_urgency_order(std::span<const NewTask> tasks, QueueOrder order,
                                   Instant now) const {
  if (tasks.size() == 1) return true;
  return std::ranges::is_sorted(tasks, {}, [&](const NewTask& task) {
    const bool late = order == QueueOrder::start_by && task.start_by < now;
    const bool by_age = late || order == QueueOrder::fifo;
    return std::tuple(late, by_age ? task.arrival : task.start_by);
  });
}

EnqueueOutcome MemoryStore::enqueue_one(Holder& me, const NewTask& task, Instant now) {
  const auto known = tasks_.find(task.task->uid);
  if (known != tasks_.end()) {
    return meet_again(me, task, known->second);
  }
  if (task.task->uid_chosen && !results_.empty()) {
    if (const auto* kept = results_.find(task.task->uid, now); kept != nullptr) {
      if (kept->digest != content_digest(*task.task)) {
        return {.status = EnqueueStatus::conflict, .result = {}};
      }
      return {.status = EnqueueStatus::done, .result = kept->result};
    }
  }
  const std::size_t bytes = record_size(*task.task);
  // What goes elsewhere makes room here: it may be half of what a full queue holds.
  const std::size_t share = task.away ? 2 : 1;
  if (tasks_.size() >= share * limits_.max_tasks ||
      load_.bytes + bytes > share * limits_.max_bytes) {
    return {.status = EnqueueStatus::overloaded, .result = {}};
  }
  const Slot slot = new_slot();
  Entry& entry = entries_[slot];
  entry.task = task.task;
  entry.arrival = task.arrival;
  entry.start_by = task.start_by;
  entry.ticket = next_ticket_++;
  entry.bytes = bytes;
  entry.origin = &me;
  entry.call = next_call_;
  load_.bytes += bytes;
  tasks_.emplace(entry.task->uid, slot);
  return {};
}

// A call that is made again because its answer was lost carries the same arrivals: then what it
// had leased at once, which nobody knows of, is queued, and what it had sent away stays so.
EnqueueOutcome MemoryStore::meet_again(Holder& me, const NewTask& task, Slot slot) {
  Entry& entry = entries_[slot];
  const Task& old = *entry.task;
  if (old.name != task.task->name || old.content != task.task->content) {
    return {.status = EnqueueStatus::conflict, .result = {}};
  }
  const bool repeated =
      entry.origin == &me && entry.arrival == task.arrival && entry.call != next_call_;
  if (!repeated) {
    const bool is_heard = entry.origin == &me || add_asker(entry, me);
    return {.status = is_heard ? EnqueueStatus::duplicate : EnqueueStatus::overloaded,
            .result = {}};
  }
  if (entry.state == State::queued) entry.call = next_call_;
  if (entry.holder != &me) return {};
  if (entry.state == State::away && task.away) {
    return {EnqueueStatus::leased, entry.number, std::nullopt};
  }
  if (entry.state == State::away || entry.state == State::started) {
    return {.status = EnqueueStatus::duplicate, .result = {}};
  }
  put_back(entry, slot);
  entry.call = next_call_;
  return {};
}

/// False: too many wait for it.
bool MemoryStore::add_asker(Entry& entry, Holder& me) {
  if (!entry.askers) entry.askers = std::make_unique<std::vector<Holder*>>();
  if (std::ranges::find(*entry.askers, &me) != entry.askers->end()) return true;
  if (entry.askers->size() >= most_askers) return false;
  entry.askers->push_back(&me);
  return true;
}

void MemoryStore::lease(Holder& me, const LeaseWant& want, Instant now,
                        std::vector<Lease>& leases) {
  if (queued_ == 0 && delayed_.empty()) return;
  Want wanted{.want = want, .now = now, .number = next_number()};
  lease_ready(me, wanted, leases, nullptr);
}

/// 0 stands for none.
std::uint32_t MemoryStore::next_number() {
  if (++next_number_ == 0) ++next_number_;
  return next_number_;
}

// `own`: the enqueue that this is part of; its tasks answer by their outcome.
void MemoryStore::lease_ready(Holder& me, Want& want, std::vector<Lease>& leases, Enqueued* own) {
  if (load_.is_paused && !want.want.away) return;
  end_delays(want.now);
  Entry* only = nullptr;
  const std::size_t before = want.taken;
  while (queued_ > 0 && want.has_room()) {
    const auto front = ready_.front(want.want.order, want.now, is_queued());
    FOGCTL_CHECK(front.has_value());
    Entry& entry = entries_[front->slot];
    if (entry.suspect) {
      wake();  // what is left behind a lone task may be for somebody else
      if (want.taken > 0) break;
    }
    ++want.taken;
    want.sum += want.want.estimates[index_of(entry.task->weight)];
    only = &entry;
    hold(me, entry, front->slot, want.number, want.want.away ? State::away : State::ahead);
    if (own != nullptr && entry.call == next_call_ && !entry.suspect && entry.failures == 0) {
      own->outcomes[entry.position] = {EnqueueStatus::leased, want.number, std::nullopt};
    } else {
      leases.push_back({.task = entry.task,
                        .number = want.number,
                        .attempt = attempt_of(entry),
                        .arrival = entry.arrival,
                        .reply_to = entry.origin->name});
    }
    if (entry.suspect) break;
  }
  if (want.taken == before) return;
  if (want.taken == 1 && !want.want.away) only->state = State::alone;
  register_holder(me, want.now);
  tidy();
}

void MemoryStore::started(Holder& me, std::span<const LeaseRef> leases) {
  for (const LeaseRef& lease : leases) {
    Slot slot = no_slot;
    Entry* entry = held_by(me, lease.uid, lease.number, slot);
    if (entry != nullptr && entry->state != State::away) entry->state = State::started;
  }
}

void MemoryStore::extend(Holder& me, std::size_t workers, Instant expiry) {
  if (me.life == 0) me.life = next_life_++;
  me.expiry = expiry;
  me.workers = workers;
}

FinishStatus MemoryStore::finish(Holder& me, const Finished& done, Instant now) {
  const auto found = tasks_.find(done.lease.uid);
  if (found == tasks_.end()) return FinishStatus::gone;
  Entry& entry = entries_[found->second];
  if (entry.holder != &me || entry.number != done.lease.number) return FinishStatus::superseded;
  if (done.unless_asked && entry.askers) {
    give_back(me, {&done.lease, 1});
    return FinishStatus::superseded;
  }
  const bool is_cancelled = entry.cancelled && entry.state != State::away;
  if (done.dead_after > 0 && !is_cancelled) {
    dead_.add({entry.task, done.result, done.dead_after, now}, limits_);
  }
  // As the other implementations, whose results go where the lease said.
  const bool for_another = !done.reply_to.empty() && done.reply_to != me.name;
  Holder* waits = for_another ? &holder_named(done.reply_to) : nullptr;
  end(entry, *done.task, is_cancelled ? cancelled_result(done.lease.uid) : done.result, waits, now);
  return is_cancelled ? FinishStatus::cancelled : FinishStatus::done;
}

/// The task has its one effective result. `waits`: a holder that is to hear of it.
void MemoryStore::end(Entry& entry, const Task& task, const TaskResult& result, Holder* waits,
                      Instant now) {
  const auto found = tasks_.find(entry.task->uid);
  if (is_kept(task, result)) {
    results_.keep(entry.task->uid, result, content_digest(*entry.task), now, limits_);
  }
  if (waits != nullptr) waits->replies.push_back(result);
  if (entry.askers) {
    for (Holder* asker : *entry.askers) asker->replies.push_back(result);
  }
  if ((waits != nullptr || entry.askers) && waiting_ > 0) news_.notify_all();
  --count_of(entry);
  load_.bytes -= entry.bytes;
  if (entry.holder != nullptr) unlink(entry);
  if (entry.state == State::queued) --queued_;
  const Slot slot = found->second;
  tasks_.erase(found);
  entry = Entry{};
  free_.push_back(slot);
}

bool MemoryStore::revive(Holder& me, const std::string& uid, Instant now) {
  const auto dead = dead_.take(uid);
  if (!dead) return false;
  results_.drop(uid);
  const NewTask task{dead->task, now, start_by(*dead->task, now)};
  (void)enqueue(me, {&task, 1}, LeaseWant{}, now);
  return true;
}

std::uint32_t MemoryStore::attempt_of(const Entry& entry) const {
  return first_attempt(*entry.task) + entry.tries + entry.failures;
}

void MemoryStore::give_back(Holder& me, std::span<const LeaseRef> leases) {
  const bool was_empty = queued_ == 0;
  for (const LeaseRef& lease : leases) {
    Slot slot = no_slot;
    if (Entry* entry = held_by(me, lease.uid, lease.number, slot)) put_back(*entry, slot);
  }
  if (was_empty && queued_ > 0) wake();
}

std::size_t MemoryStore::recover_expired(Instant now) {
  std::size_t recovered = 0;
  for (auto& [name, holder] : holders_) {
    if (holder.life != 0 && holder.expiry < now) recovered += evict(holder, true);
  }
  for (const std::string& uid : std::exchange(given_up_, {})) (void)cancel(uid, now);
  return recovered;
}

// `lost`: its lease ran out. Then runs that may have begun count, and what was leased is suspect.
std::size_t MemoryStore::evict(Holder& holder, bool lost) {
  const bool was_empty = queued_ == 0;
  std::size_t put = 0;
  while (holder.first != no_slot) {
    const Slot slot = holder.first;
    Entry& entry = entries_[slot];
    if (lost && entry.state != State::away) {
      entry.suspect = true;
      if (entry.state != State::ahead) ++entry.tries;
    }
    put_back(entry, slot);
    ++put;
  }
  holder.life = 0;
  holder.workers = 0;
  if (was_empty && queued_ > 0) wake();
  return put;
}

QueueLoad MemoryStore::load(Instant now) const {
  QueueLoad load = load_;
  load.dead = dead_.size();
  load.dead_bytes = dead_.bytes();
  for (const auto& [name, holder] : holders_) {
    if (holder.life != 0 && holder.expiry >= now) load.workers += holder.workers;
  }
  return load;
}

void MemoryStore::register_holder(Holder& me, Instant now) {
  if (me.life != 0 && me.expiry >= now) return;
  if (me.life == 0) me.life = next_life_++;
  me.expiry = now + first_lease_;
}

void MemoryStore::queue(Entry& entry, Slot slot) {
  entry.state = State::queued;
  ++count_of(entry);
  ++queued_;
  ready_.push(entry.start_by, entry.arrival, entry.ticket, slot);
}

void MemoryStore::hold(Holder& me, Entry& entry, Slot slot, std::uint32_t number, State state) {
  if (entry.state == State::queued) {
    --count_of(entry);
    --queued_;
  }
  entry.state = state;
  entry.holder = &me;
  entry.number = number;
  entry.previous = no_slot;
  entry.next = me.first;
  if (me.first != no_slot) entries_[me.first].previous = slot;
  me.first = slot;
  ++count_of(entry);
}

void MemoryStore::unlink(Entry& entry) {
  (entry.previous == no_slot ? entry.holder->first : entries_[entry.previous].next) = entry.next;
  if (entry.next != no_slot) entries_[entry.next].previous = entry.previous;
  entry.holder = nullptr;
}

void MemoryStore::put_back(Entry& entry, Slot slot) {
  --count_of(entry);
  unlink(entry);
  queue(entry, slot);
}

MemoryStore::Entry* MemoryStore::held_by(const Holder& me, const std::string& uid,
                                         std::uint32_t number, Slot& slot) {
  const auto found = tasks_.find(uid);
  if (found == tasks_.end()) return nullptr;
  slot = found->second;
  Entry& entry = entries_[slot];
  return entry.holder == &me && entry.number == number ? &entry : nullptr;
}

MemoryStore::Slot MemoryStore::new_slot() {
  if (!free_.empty()) {
    const Slot slot = free_.back();
    free_.pop_back();
    return slot;
  }
  entries_.emplace_back();
  return static_cast<Slot>(entries_.size() - 1);
}

std::size_t& MemoryStore::count_of(const Entry& entry) {
  if (entry.state == State::away) return load_.away;
  if (entry.state == State::delayed) return load_.delayed;
  auto& counts = entry.state == State::queued ? load_.queued : load_.leased;
  return counts[index_of(entry.task->weight)];
}

void MemoryStore::wake() {
  ++wakes_;
  if (waiting_ > 0) news_.notify_all();
}

void MemoryStore::tidy() {
  ready_.tidy(queued_, is_queued());
}

}  // namespace fogctl
