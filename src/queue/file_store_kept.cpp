// What a queue file keeps of tasks that ended: results for clients that may ask again, and the
// tasks that failed for good.
#include <algorithm>
#include <utility>

#include "queue/file_store.hpp"
#include "queue/record.hpp"

namespace fogctl {

TaskPtr FileStore::task_in(std::string_view record) {
  auto task = read_task(record);
  if (!task) database_->fail(task.error());
  return task ? std::move(*task) : nullptr;
}

std::optional<EnqueueOutcome> FileStore::known_result(const Task& task, Instant now) {
  sqlite::Rows rows(sql_->find_result, task.uid);
  if (!rows.next() || rows.number(2) < to_file(now)) return std::nullopt;
  if (rows.number(1) != static_cast<std::int64_t>(content_digest(task))) {
    return EnqueueOutcome{.status = EnqueueStatus::conflict, .result = {}};
  }
  auto result = read_result(rows.bytes(3));
  if (!result) {
    database_->fail(result.error());
    return std::nullopt;
  }
  return EnqueueOutcome{.status = EnqueueStatus::done, .result = std::move(*result)};
}

void FileStore::keep_result(const Task& task, const TaskResult& result, Instant now) {
  drop_result(task.uid);
  if (!keeps_ends_) return;
  std::string record;
  append_record(record, result);
  const Instant expiry(add_saturating(now.time_since_epoch(), options_.limits.result_ttl));
  sql_->keep_result.run(task.uid, static_cast<std::int64_t>(content_digest(task)), to_file(expiry),
                        record);
  ++counts_.results;
  counts_.result_bytes += record.size();
}

void FileStore::trim_results(Instant now) {
  while (counts_.results > 0) {
    std::int64_t id = 0;
    std::size_t bytes = 0;
    {
      sqlite::Rows rows(sql_->oldest_result);
      if (!rows.next()) return;
      const bool is_over = rows.number(1) < to_file(now);
      if (!is_over && counts_.result_bytes <= options_.limits.max_result_bytes) return;
      id = rows.number(0);
      bytes = static_cast<std::size_t>(rows.number(2));
    }
    sql_->drop_result.run(id);
    --counts_.results;
    counts_.result_bytes -= bytes;
  }
}

void FileStore::drop_result(const std::string& uid) {
  if (counts_.results == 0) return;
  std::int64_t id = 0;
  {
    sqlite::Rows rows(sql_->find_result, uid);
    if (!rows.next()) return;
    id = rows.number(0);
    counts_.result_bytes -= static_cast<std::size_t>(rows.number(4));
  }
  sql_->drop_result.run(id);
  --counts_.results;
}

std::optional<TaskResult> FileStore::kept_result(const std::string& uid, Instant now) {
  if (counts_.results == 0) return std::nullopt;
  sqlite::Rows rows(sql_->find_result, uid);
  if (!rows.next() || rows.number(2) < to_file(now)) return std::nullopt;
  auto result = read_result(rows.bytes(3));
  if (result) return std::move(*result);
  database_->fail(result.error());
  return std::nullopt;
}

void FileStore::bury(const Finished& done, std::int64_t id, Instant now) {
  (void)forget_dead(done.lease.uid);
  if (!keeps_ends_) return;
  std::string record;
  append_record(record, done.result);
  sql_->bury_task.run(done.dead_after, to_file(now), record, id);
  ++counts_.load.dead;
  while (counts_.load.dead > options_.limits.max_dead) {
    sql_->drop_oldest_dead.run();
    --counts_.load.dead;
  }
}

std::vector<DeadTask> FileStore::newest_dead(std::size_t most) {
  std::vector<DeadTask> found;
  sqlite::Rows rows(sql_->newest_dead,
                    static_cast<std::int64_t>(std::min(most, counts_.load.dead)));
  while (rows.next()) {
    auto result = read_result(rows.bytes(1));
    if (!result) database_->fail(result.error());
    TaskPtr task = task_in(rows.bytes(0));
    if (!result || !task) break;
    found.push_back({std::move(task), std::move(*result),
                     static_cast<std::uint32_t>(rows.number(2)), from_file(rows.number(3))});
  }
  return found;
}

bool FileStore::forget_dead(const std::string& uid) {
  std::int64_t id = 0;
  {
    sqlite::Rows rows(sql_->find_dead, uid);
    if (!rows.next()) return false;
    id = rows.number(0);
  }
  sql_->drop_dead.run(id);
  --counts_.load.dead;
  return true;
}

// What the queue has no room for stays dead.
bool FileStore::revive(Holder& me, const std::string& uid, Instant now) {
  TaskPtr task;
  {
    sqlite::Rows rows(sql_->find_dead, uid);
    if (rows.next()) task = task_in(rows.bytes(1));
  }
  if (!task || !has_room(record_size(*task))) return false;
  drop_result(uid);
  (void)forget_dead(uid);
  const NewTask again{task, now, start_by(*task, now)};
  (void)enqueue(me, {&again, 1}, LeaseWant{}, now);
  return true;
}

}  // namespace fogctl
