// What a queue file keeps of tasks that ended: results for clients that may ask again, and the
// tasks that failed for good.
#include <algorithm>
#include <utility>

#include "queue/file_store.hpp"
#include "queue/record.hpp"

namespace fogctl {
namespace {

// Dead tasks that go in one call.
constexpr int most_dropped = 100;
constexpr std::size_t most_bytes_dropped = std::size_t{16} << 20;

}  // namespace

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

void FileStore::bury(const Finished& done, const Row& row, Instant now) {
  (void)forget_dead(done.lease.uid);
  if (!keeps_ends_) return;
  std::string record;
  append_record(record, done.result);
  const QueueLimits& limits = options_.limits;
  const std::size_t bytes = row.bytes + record.size();
  if (bytes > limits.max_dead_bytes) return;
  // What is beyond the bounds already grows no more; bury_surplus() brings it down.
  const std::size_t most = std::max(limits.max_dead, counts_.load.dead);
  const std::size_t most_bytes = std::max(limits.max_dead_bytes, counts_.load.dead_bytes);
  sql_->bury_task.run(done.dead_after, to_file(now), record, row.id);
  ++counts_.load.dead;
  counts_.load.dead_bytes += bytes;
  while (counts_.load.dead > most || counts_.load.dead_bytes > most_bytes) {
    if (!drop_eldest_dead()) return;
  }
}

/// A fogctl with other bounds, or without, may have kept far more than may be: that goes bit by
/// bit, so that no call takes long.
void FileStore::bury_surplus() {
  const QueueLimits& limits = options_.limits;
  const std::size_t before = counts_.load.dead_bytes;
  for (int dropped = 0; dropped < most_dropped; ++dropped) {
    const QueueLoad& load = counts_.load;
    if (load.dead <= limits.max_dead && load.dead_bytes <= limits.max_dead_bytes) return;
    if (before - load.dead_bytes >= most_bytes_dropped || !drop_eldest_dead()) return;
  }
}

bool FileStore::drop_eldest_dead() {
  std::int64_t id = 0;
  std::size_t bytes = 0;
  {
    sqlite::Rows rows(sql_->oldest_dead);
    if (!rows.next()) return false;
    id = rows.number(0);
    bytes = static_cast<std::size_t>(rows.number(1));
  }
  drop_dead(id, bytes);
  return true;
}

void FileStore::drop_dead(std::int64_t id, std::size_t bytes) {
  sql_->drop_dead.run(id);
  --counts_.load.dead;
  counts_.load.dead_bytes -= bytes;
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
  std::size_t bytes = 0;
  {
    sqlite::Rows rows(sql_->find_dead, uid);
    if (!rows.next()) return false;
    id = rows.number(0);
    bytes = static_cast<std::size_t>(rows.number(2));
  }
  drop_dead(id, bytes);
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
