// What every task passes through in a queue file: enqueue and lease.
#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

#include "base/check.hpp"
#include "queue/file_store.hpp"
#include "queue/record.hpp"

namespace fogctl {

Enqueued FileStore::enqueue(Holder& me, std::span<const NewTask> tasks, const LeaseWant& want,
                            Instant now) {
  Batch batch{.tasks = tasks, .done = {}, .own = {}, .record = {}};
  batch.done.outcomes.reserve(tasks.size());
  Want wanted{.want = want, .now = now, .number = next_number()};
  // Tasks that come to an empty queue go to this holder without touching the order.
  std::vector<bool> straight(tasks.size());
  const bool may_run = !want.away && !counts_.load.is_paused;
  if (counts_.queued() == 0 && wanted.has_room() && may_run) {
    straight = straight_ones(tasks, wanted);
  }
  const bool one = std::ranges::count(straight, true) == 1;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    FileState state = FileState::queued;
    if (straight[i]) state = one ? FileState::alone : FileState::ahead;
    if (tasks[i].away) state = FileState::away;
    batch.done.outcomes.push_back(enqueue_one(me, batch, i, state, wanted));
  }
  if (wanted.taken == 1 && !one) mark_alone(me, batch, wanted.number);
  lease_ready(me, wanted, batch.done.leased, &batch);
  return std::move(batch.done);
}

// Those that the want takes, the most urgent first, if all of them are new.
std::vector<bool> FileStore::straight_ones(std::span<const NewTask> tasks, Want want) const {
  std::vector<std::size_t> order(tasks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) {
    const bool late = want.want.order == QueueOrder::start_by && tasks[i].start_by < want.now;
    const bool by_age = late || want.want.order == QueueOrder::fifo;
    return std::tuple(late, by_age ? tasks[i].arrival : tasks[i].start_by);
  });
  std::vector<bool> taken(tasks.size());
  for (const std::size_t i : order) {
    if (!want.has_room()) break;
    if (tasks[i].away) continue;
    want.take(index_of(tasks[i].task->weight));
    taken[i] = true;
  }
  return taken;
}

// Of what was to go together only one was new.
void FileStore::mark_alone(Holder& me, const Batch& batch, std::uint32_t number) {
  for (const auto& [id, position] : batch.own) {
    const bool is_leased = batch.done.outcomes[position].status == EnqueueStatus::leased;
    if (!is_leased || batch.tasks[position].away) continue;
    sql_->hold.run(static_cast<std::int64_t>(FileState::alone), number, me.id, id);
  }
}

EnqueueOutcome FileStore::enqueue_one(Holder& me, Batch& batch, std::size_t position,
                                      FileState state, Want& want) {
  const NewTask& task = batch.tasks[position];
  if (task.task->uid_chosen && counts_.results > 0) {
    if (auto known = known_result(*task.task, want.now)) return std::move(*known);
  }
  // What goes elsewhere makes room here: it may be half of what a full queue holds.
  if (has_room(record_size(*task.task), task.away ? 2 : 1))
    return add(me, batch, position, state, want);
  if (const auto row = find(task.task->uid)) return meet_again(me, batch, position, *row);
  if (is_tight_) return {.status = EnqueueStatus::no_room, .result = {}, .why = full_};
  return {.status = EnqueueStatus::overloaded, .result = {}};
}

EnqueueOutcome FileStore::add(Holder& me, Batch& batch, std::size_t position, FileState state,
                              Want& want) {
  const NewTask& task = batch.tasks[position];
  const std::size_t weight = index_of(task.task->weight);
  const bool is_held = state != FileState::queued;
  batch.record.clear();
  append_record(batch.record, *task.task);
  sql_->add.run(task.task->uid, static_cast<std::int64_t>(state), static_cast<std::int64_t>(weight),
                is_held ? want.number : first_lease_number, me.id, me.id, to_file(task.arrival),
                to_file(task.start_by), batch.record);
  if (database_->has_failed()) return {};
  if (database_->changes() == 0) {
    const auto row = find(task.task->uid);
    return row ? meet_again(me, batch, position, *row) : EnqueueOutcome{};
  }
  ++count_of(state, weight);
  counts_.load.bytes += batch.record.size();
  batch.own.emplace(database_->last_id(), position);
  if (!is_held) return {};
  register_holder(me, want.now);
  if (state != FileState::away) want.take(weight);
  return {EnqueueStatus::leased, want.number, std::nullopt};
}

// A call that is made again because its answer was lost carries the same arrivals: then what it
// had leased at once, which nobody knows of, is queued, and what it had sent away stays so.
EnqueueOutcome FileStore::meet_again(Holder& me, Batch& batch, std::size_t position,
                                     const Row& row) {
  const NewTask& task = batch.tasks[position];
  {
    sqlite::Rows rows(sql_->record, row.id);
    const TaskPtr old = rows.next() ? task_in(rows.bytes(0)) : nullptr;
    if (!old) return {};
    if (old->name != task.task->name || old->content != task.task->content) {
      return {.status = EnqueueStatus::conflict, .result = {}};
    }
  }
  const bool repeated =
      row.origin == me.id && row.arrival == to_file(task.arrival) && !batch.own.contains(row.id);
  if (!repeated) {
    const bool is_heard = row.origin == me.id || add_asker(row.id, me);
    return {.status = is_heard ? EnqueueStatus::duplicate : EnqueueStatus::overloaded,
            .result = {}};
  }
  if (row.state == FileState::delayed) return {};
  const bool is_queued = row.state == FileState::queued;
  if (!is_queued && row.holder != me.id) return {};
  if (row.state == FileState::away && task.away) {
    return {EnqueueStatus::leased, static_cast<std::uint32_t>(row.number), std::nullopt};
  }
  if (row.state == FileState::away || row.state == FileState::started) {
    return {.status = EnqueueStatus::duplicate, .result = {}};
  }
  if (!is_queued) put_back(row);
  batch.own.emplace(row.id, position);
  return {};
}

/// False: too many wait for it.
bool FileStore::add_asker(std::int64_t task, Holder& me) {
  std::vector<Holder*>& askers = askers_[task];
  if (std::ranges::find(askers, &me) != askers.end()) return true;
  if (askers.size() >= most_askers) return false;
  askers.push_back(&me);
  return true;
}

void FileStore::lease(Holder& me, const LeaseWant& want, Instant now, std::vector<Lease>& leases) {
  Want wanted{.want = want, .now = now, .number = next_number()};
  lease_ready(me, wanted, leases, nullptr);
}

// `batch`: the enqueue that this is part of; its tasks answer by their outcome.
void FileStore::lease_ready(Holder& me, Want& want, std::vector<Lease>& leases, Batch* batch) {
  if (counts_.load.is_paused && !want.want.away) return;
  if (counts_.load.delayed > 0) end_delays(want.now);
  if (counts_.queued() == 0 || !want.has_room()) return;
  std::vector<Ready> found;
  const std::int64_t now = to_file(want.now);
  const bool by_age = want.want.order == QueueOrder::fifo;
  // Once nothing is left that can start in time, all that is left is late: oldest first.
  if (by_age || look_at(sql_->urgent, now, want, found, batch)) {
    const std::int64_t latest = by_age ? std::numeric_limits<std::int64_t>::max() : now - 1;
    (void)look_at(sql_->oldest, latest, want, found, batch);
  }
  if (found.empty()) return;
  FileState state = want.taken == 1 ? FileState::alone : FileState::ahead;
  if (want.want.away) state = FileState::away;
  for (Ready& ready : found) {
    sql_->hold.run(static_cast<std::int64_t>(state), want.number, me.id, ready.id);
    --count_of(FileState::queued, ready.weight);
    ++count_of(state, ready.weight);
    if (ready.lease.task) {
      leases.push_back(std::move(ready.lease));
    } else {
      FOGCTL_CHECK(batch != nullptr);
      batch->done.outcomes[batch->own.at(ready.id)] = {EnqueueStatus::leased, want.number,
                                                       std::nullopt};
    }
  }
  register_holder(me, want.now);
}

// Adds to `found` what the want takes in this order; whether it wants more, in another one.
bool FileStore::look_at(sqlite::Statement& order, std::int64_t bound, Want& want,
                        std::vector<Ready>& found, const Batch* batch) {
  sqlite::Rows rows(order, bound);
  while (want.has_room() && rows.next()) {
    Ready ready{.id = rows.number(0),
                .weight = static_cast<std::size_t>(rows.number(1)),
                .is_suspect = rows.number(2) != 0,
                .lease = {}};
    if (ready.is_suspect) {
      effects_.wake = true;  // what is left behind a lone task may be for somebody else
      if (want.taken > 0) return false;
    }
    const std::int64_t failures = rows.number(7);
    const bool is_new = !ready.is_suspect && failures == 0;
    if (!is_new || batch == nullptr || !batch->own.contains(ready.id)) {
      const Holder* origin = holder_of(rows.number(4));
      ready.lease = {.task = task_in(rows.bytes(6)),
                     .number = want.number,
                     .attempt = static_cast<std::uint32_t>(rows.number(3) + failures),
                     .arrival = from_file(rows.number(5)),
                     .reply_to = origin != nullptr ? origin->name : std::string()};
      if (!ready.lease.task) return false;
      ready.lease.attempt += first_attempt(*ready.lease.task);
    }
    want.take(ready.weight);
    found.push_back(std::move(ready));
    if (found.back().is_suspect) return false;
  }
  return want.has_room();
}

}  // namespace fogctl
