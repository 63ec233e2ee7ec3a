// Opening a queue file: what an earlier life held is queued again, and how much it holds is known.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "queue/file_path.hpp"
#include "queue/file_store.hpp"
#include "queue/record.hpp"

namespace fogctl {
namespace {

// SQLite looks through a GB a second or so where it is in memory.
constexpr std::int64_t most_to_check = std::int64_t{64} << 20;

std::size_t as_size(std::int64_t number) {
  return static_cast<std::size_t>(number);
}

}  // namespace

Result<std::shared_ptr<FileStore>> FileStore::open(FileQueueOptions options, const Clock& clock) {
  options.path = without_links(options.path);
  const auto named = [&](Error error) {
    error.message = fmt::format("cannot open queue file {}: {}", options.path, error.message);
    return std::unexpected(std::move(error));
  };
  auto lock = FileLock::take(options.path);
  if (!lock) return named(lock.error());
  auto database = sqlite::Database::open(options.path);
  if (!database) return named(database.error());
  std::shared_ptr<FileStore> store(
      new FileStore(options, std::move(*lock), std::move(*database), clock));
  if (const auto started = store->start(); !started) return named(started.error());
  return store;
}

/// 1. nobody else gets in; 2. the file is ours to write, and whole; 3. what an earlier life held is
/// queued again, runs that may have begun counting as attempts; 4. time goes on from where it was.
Result<void> FileStore::start() {
  database_->execute("PRAGMA locking_mode = EXCLUSIVE");
  database_->grow_in_steps(growth_step);
  if (auto prepared = prepare_queue_file(*database_); !prepared) return prepared;
  const bool is_full = options_.sync == FileSync::full;
  database_->execute("PRAGMA journal_mode = WAL");
  database_->execute(fmt::format("PRAGMA synchronous = {}", is_full ? "FULL" : "NORMAL"));
  // KiB where negative. What was dropped is not written over: that would take the room of writing.
  database_->execute("PRAGMA cache_size = -65536; PRAGMA secure_delete = FAST");
  database_->execute("PRAGMA journal_size_limit = 67108864");
  sql_ = std::make_unique<FileStatements>(*database_);
  if (auto there = make_journal(); !there) return there;
  check_pages();
  if (database_->has_failed()) return std::unexpected(database_->error());
  while (!begin_life()) {
    Error why = database_->error();
    database_->recover();
    if (auto room = make_room(std::move(why), 0); !room) return room;
  }
  if (database_->number("SELECT count(*) FROM reserve") == 0) is_tight_ = true;
  if (is_tight_ && !fill_reserve()) {
    if (database_->error().code != ErrorCode::overloaded)
      return std::unexpected(database_->error());
    say_full(database_->error());
    database_->recover();
  }
  database_->execute("PRAGMA wal_checkpoint");  // the folder's entries reach the disk, too
  if (!is_full_ && database_->has_failed()) return std::unexpected(database_->error());
  database_->recover();
  return {};
}

/// A damaged page is found now rather than by the first task that needs it, where that is quick.
void FileStore::check_pages() {
  const std::int64_t bytes = database_->number("PRAGMA page_count") * page_bytes;
  if (database_->has_failed() || bytes > most_to_check) return;
  std::string found = database_->text("PRAGMA quick_check(1)");
  if (!database_->has_failed() && found != "ok") {
    std::ranges::replace(found, '\n', ' ');
    database_->fail({ErrorCode::failed, "it is damaged: " + found});
  }
}

bool FileStore::begin_life() {
  counts_ = {};
  database_->execute("BEGIN IMMEDIATE");
  recall_counts();
  database_->execute(
      "UPDATE tasks SET suspect = suspect OR state < 6, tries = tries + (state IN (4, 5)),"
      " state = 2 WHERE state BETWEEN 3 AND 6");
  database_->execute("UPDATE file SET life = life + 1");
  life_ = database_->number("SELECT life FROM file");
  const std::int64_t known = std::max(database_->number("SELECT clock FROM file"),
                                      database_->number("SELECT max(arrival) FROM tasks INDEXED BY"
                                                        " by_age WHERE state = 2"));
  take_pages();
  database_->execute("COMMIT");

  const Duration wall = clock_.wall_now().time_since_epoch();
  const Instant now = clock_.now();
  offset_ = std::max(wall, Duration(known)) - now.time_since_epoch();
  clock_noted_at_ = now;
  return !database_->has_failed();
}

/// The counts as the last change left them, what was held counting as queued.
void FileStore::recall_counts() {
  const auto slots = [this] {
    auto& [light, medium, heavy] = counts_.load.queued;
    return std::array{&light,
                      &medium,
                      &heavy,
                      &counts_.load.delayed,
                      &counts_.load.bytes,
                      &counts_.load.dead,
                      &counts_.load.dead_bytes,
                      &counts_.results,
                      &counts_.result_bytes};
  }();
  counts_.load.is_paused = database_->number("SELECT paused FROM file") != 0;
  sqlite::Statement kept(*database_, "SELECT counts FROM file");
  sqlite::Rows row(kept);
  const std::string_view bytes = row.next() ? row.bytes(0) : std::string_view();
  if (bytes.size() != slots.size() * sizeof(std::uint64_t)) return count_rows();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    *slots[i] = read_fixed(bytes.substr(i * sizeof(std::uint64_t)));
  }
  sqlite::Statement held(*database_,
                         "SELECT class, count(*) FROM tasks INDEXED BY held"
                         " WHERE state BETWEEN 3 AND 6 GROUP BY class");
  sqlite::Rows rows(held);
  while (rows.next()) {
    const auto weight = as_size(rows.number(0));
    if (weight < task_class_count) counts_.load.queued[weight] += as_size(rows.number(1));
  }
}

std::string FileStore::record_of(const Counts& counts) {
  std::string record;
  const QueueLoad& load = counts.load;
  for (const std::size_t number :
       {load.queued[0], load.queued[1], load.queued[2], load.delayed, load.bytes, load.dead,
        load.dead_bytes, counts.results, counts.result_bytes}) {
    append_fixed(record, number);
  }
  return record;
}

/// Of a file that an older fogctl wrote.
void FileStore::count_rows() {
  sqlite::Statement tasks(*database_,
                          "SELECT class, count(*), sum(length(record)), sum(state = 7) FROM tasks"
                          " GROUP BY class");
  sqlite::Rows rows(tasks);
  while (rows.next()) {
    const auto weight = as_size(rows.number(0));
    if (weight >= task_class_count) continue;
    counts_.load.queued[weight] = as_size(rows.number(1) - rows.number(3));
    counts_.load.delayed += as_size(rows.number(3));
    counts_.load.bytes += as_size(rows.number(2));
  }
  counts_.load.dead = as_size(database_->number("SELECT count(*) FROM dead"));
  counts_.load.dead_bytes =
      as_size(database_->number("SELECT sum(length(task) + length(result)) FROM dead"));
  counts_.results = as_size(database_->number("SELECT count(*) FROM results"));
  counts_.result_bytes = as_size(database_->number("SELECT sum(length(record)) FROM results"));
}

}  // namespace fogctl
