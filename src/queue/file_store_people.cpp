// Tasks in a queue file that wait to be tried again or go elsewhere, and what people ask of it:
// what lies in it, pausing it, giving a task up.
#include <algorithm>
#include <utility>

#include "queue/file_store.hpp"

namespace fogctl {
namespace {

/// The states in the file that are one to people.
std::pair<FileState, FileState> states_of(TaskState state) {
  switch (state) {
    case TaskState::queued:
      return {FileState::queued, FileState::queued};
    case TaskState::leased:
      return {FileState::ahead, FileState::started};
    case TaskState::away:
      return {FileState::away, FileState::away};
    default:
      return {FileState::delayed, FileState::delayed};
  }
}

TaskState state_for_people(std::int64_t number) {
  switch (static_cast<FileState>(number)) {
    case FileState::queued:
      return TaskState::queued;
    case FileState::away:
      return TaskState::away;
    case FileState::delayed:
      return TaskState::delayed;
    default:
      return TaskState::leased;
  }
}

}  // namespace

void FileStore::retry(Holder& me, const Retry& run) {
  const auto row = find(run.lease.uid);
  if (!row || row->state == FileState::away || !is_held_by(me, *row, run.lease.number)) return;
  --count_of(row->state, row->weight);
  ++counts_.load.delayed;
  sql_->put_off.run(run.counts ? 1 : 0, to_file(run.not_before), row->id);
}

void FileStore::end_delays(Instant now) {
  {
    sqlite::Rows rows(sql_->due_by_class, to_file(now));
    while (rows.next()) {
      const auto tasks = static_cast<std::size_t>(rows.number(1));
      counts_.load.delayed -= tasks;
      count_of(FileState::queued, static_cast<std::size_t>(rows.number(0))) += tasks;
    }
  }
  sql_->end_delays.run(to_file(now));
}

/// The number of its lease, or 0. Made again, it says what it said before.
std::uint32_t FileStore::withdraw(Holder& me, const std::string& uid, std::uint32_t number) {
  const auto row = find(uid);
  if (!row) return 0;
  if (row->state == FileState::away && row->holder == me.id) {
    return static_cast<std::uint32_t>(row->number);
  }
  if (row->state != FileState::queued || askers_.contains(row->id)) return 0;
  sql_->hold.run(static_cast<std::int64_t>(FileState::away), number, me.id, row->id);
  --count_of(FileState::queued, row->weight);
  ++count_of(FileState::away, row->weight);
  return number;
}

CancelStatus FileStore::cancel(const std::string& uid, Instant now) {
  const auto row = find(uid);
  if (!row) {
    const bool is_dead = sqlite::Rows(sql_->find_dead, uid).next();
    const bool is_known = is_dead || kept_result(uid, now).has_value();
    return is_known ? CancelStatus::already_done : CancelStatus::unknown;
  }
  if (row->state != FileState::queued && row->state != FileState::delayed) {
    sql_->give_up.run(row->id);
    if (Holder* holder = holder_of(row->holder)) effects_.cancelled.emplace_back(holder, uid);
    return CancelStatus::will_apply;
  }
  TaskPtr task;
  {
    sqlite::Rows rows(sql_->record, row->id);
    if (rows.next()) task = task_in(rows.bytes(0));
  }
  if (task) end(*row, *task, cancelled_result(uid), holder_of(row->origin), now);
  return CancelStatus::cancelled;
}

/// What was given up while it was held, and is no longer held, ends.
void FileStore::sweep_cancelled(Instant now) {
  std::vector<std::string> uids;
  {
    sqlite::Rows rows(sql_->given_up);
    while (rows.next()) uids.emplace_back(rows.bytes(0));
  }
  for (const std::string& uid : uids) (void)cancel(uid, now);
}

void FileStore::pause(bool is_paused) {
  sql_->set_paused.run(is_paused ? 1 : 0);
  counts_.load.is_paused = is_paused;
  effects_.wake = !is_paused;
}

std::optional<TaskInfo> FileStore::info_in(const sqlite::Rows& rows) {
  TaskPtr task = task_in(rows.bytes(0));
  if (!task) return std::nullopt;
  const std::uint32_t attempt = first_attempt(*task) + static_cast<std::uint32_t>(rows.number(5));
  TaskInfo info{std::move(task),
                state_for_people(rows.number(1)),
                from_file(rows.number(3)),
                from_file(rows.number(4)),
                attempt,
                {}};
  const bool is_held = info.state == TaskState::leased || info.state == TaskState::away;
  const Holder* holder = is_held ? holder_of(rows.number(2)) : nullptr;
  if (holder != nullptr) info.holder = holder->name;
  return info;
}

std::vector<TaskInfo> FileStore::list(TaskState state, std::size_t most) {
  std::vector<TaskInfo> tasks;
  if (state == TaskState::dead) return tasks;
  const auto [first, last] = states_of(state);
  sqlite::Rows rows(sql_->list, static_cast<std::int64_t>(first), static_cast<std::int64_t>(last),
                    static_cast<std::int64_t>(std::min(most, counts_.tasks())));
  while (rows.next()) {
    if (auto info = info_in(rows)) tasks.push_back(std::move(*info));
  }
  return tasks;
}

std::optional<TaskInfo> FileStore::info(const std::string& uid) {
  sqlite::Rows rows(sql_->show, uid);
  return rows.next() ? info_in(rows) : std::nullopt;
}

OldestTasks FileStore::first_of_each() {
  OldestTasks oldest;
  {
    sqlite::Rows rows(sql_->first_arrivals);
    while (rows.next()) {
      const Instant arrival = from_file(rows.number(1));
      const auto known = oldest.emplace(state_for_people(rows.number(0)), arrival).first;
      known->second = std::min(known->second, arrival);
    }
  }
  sqlite::Rows rows(sql_->first_death);
  if (rows.next()) oldest.emplace(TaskState::dead, from_file(rows.number(0)));
  return oldest;
}

}  // namespace fogctl
