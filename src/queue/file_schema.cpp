#include "queue/file_schema.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace fogctl {
namespace {

// "fogq", by which SQLite files of this kind are told from all others.
constexpr std::int64_t application_id = 0x666f6771;

// The step from each version to the next. `ready` and `by_age` hold what is queued, in the two
// orders of a lease; `held` what somebody holds. States are written as numbers, for a partial index
// serves only statements whose text implies its condition.
constexpr std::array<const char*, 3> steps = {R"sql(
CREATE TABLE tasks(
  id       INTEGER PRIMARY KEY,
  uid      BLOB NOT NULL UNIQUE,
  state    INTEGER NOT NULL,
  class    INTEGER NOT NULL,
  suspect  INTEGER NOT NULL DEFAULT 0,  -- its lease was lost: it comes alone
  tries    INTEGER NOT NULL DEFAULT 0,  -- runs that may have begun and whose lease was lost
  number   INTEGER NOT NULL,            -- of the last lease
  holder   INTEGER NOT NULL,            -- of that lease
  origin   INTEGER NOT NULL,            -- the holder that enqueued it
  asker    INTEGER NOT NULL DEFAULT 0,  -- not used
  arrival  INTEGER NOT NULL,
  start_by INTEGER NOT NULL,
  failures   INTEGER NOT NULL DEFAULT 0,  -- runs that failed
  not_before INTEGER NOT NULL DEFAULT 0,  -- of a delayed one
  cancelled  INTEGER NOT NULL DEFAULT 0,  -- given up while it was held
  record   BLOB NOT NULL);
CREATE INDEX ready  ON tasks(start_by) WHERE state = 2;
CREATE INDEX by_age ON tasks(arrival)  WHERE state = 2;
CREATE INDEX held   ON tasks(holder)   WHERE state BETWEEN 3 AND 6;
CREATE INDEX delayed  ON tasks(not_before) WHERE state = 7;
CREATE INDEX given_up ON tasks(id)         WHERE cancelled = 1;
CREATE TABLE results(
  id     INTEGER PRIMARY KEY,
  uid    BLOB NOT NULL UNIQUE,
  digest INTEGER NOT NULL,  -- of the task
  expiry INTEGER NOT NULL,
  record BLOB NOT NULL);
CREATE TABLE dead(
  id       INTEGER PRIMARY KEY,
  uid      BLOB NOT NULL UNIQUE,
  attempts INTEGER NOT NULL,
  died_at  INTEGER NOT NULL,
  task     BLOB NOT NULL,
  result   BLOB NOT NULL);
CREATE TABLE file(life INTEGER NOT NULL, clock INTEGER NOT NULL, paused INTEGER NOT NULL);
INSERT INTO file VALUES(0, 0, 0);
)sql",
                                              // what the file holds, as of its last change
                                              "ALTER TABLE file ADD COLUMN counts BLOB",
                                              "CREATE TABLE reserve(bytes BLOB NOT NULL)"};

Result<void> outcome(const sqlite::Database& database) {
  if (database.has_failed()) return std::unexpected(database.error());
  return {};
}

}  // namespace

Result<void> prepare_queue_file(sqlite::Database& database) {
  const std::int64_t version = database.number("PRAGMA user_version");
  const std::int64_t tables = database.number("SELECT count(*) FROM sqlite_schema");
  const std::int64_t kind = database.number("PRAGMA application_id");
  if (database.has_failed()) return outcome(database);
  if (kind != application_id && (tables > 0 || kind != 0 || version != 0)) {
    return failure(ErrorCode::invalid, "it is an SQLite file of something else");
  }
  const auto known = static_cast<std::int64_t>(steps.size());
  if (version > known || version < 0) {
    return failure(
        ErrorCode::invalid,
        fmt::format("it is of schema version {}, and this fogctl knows up to {}", version, known));
  }
  if (version == known) return {};
  database.execute("BEGIN IMMEDIATE");
  for (auto step = version; step < known; ++step) {
    database.execute(steps[static_cast<std::size_t>(step)]);
  }
  database.execute(fmt::format("PRAGMA application_id = {}", application_id));
  database.execute(fmt::format("PRAGMA user_version = {}", known));
  database.execute("COMMIT");
  return outcome(database);
}

FileStatements::FileStatements(sqlite::Database& database)
    : begin(database, "BEGIN"),
      commit(database, "COMMIT"),
      add(database,
          "INSERT INTO tasks(uid, state, class, number, holder, origin, arrival, start_by, record)"
          " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(uid) DO NOTHING"),
      find(database,
           "SELECT id, state, class, number, holder, origin, arrival, length(record),"
           " cancelled"
           " FROM tasks WHERE uid = ?"),
      record(database, "SELECT record FROM tasks WHERE id = ?"),
      // from a start-by on, that included
      urgent(database,
             "SELECT id, class, suspect, tries, origin, arrival, record, failures FROM tasks"
             " INDEXED BY ready"
             " WHERE state = 2 AND start_by >= ? ORDER BY start_by, id"),
      // up to a start-by, that included
      oldest(database,
             "SELECT id, class, suspect, tries, origin, arrival, record, failures FROM tasks"
             " INDEXED BY by_age WHERE state = 2 AND start_by <= ? ORDER BY arrival, id"),
      hold(database, "UPDATE tasks SET state = ?, number = ?, holder = ? WHERE id = ?"),
      start(database,
            "UPDATE tasks SET state = 5 WHERE uid = ? AND number = ? AND holder = ?"
            " AND state IN (3, 4)"),
      put_back(database, "UPDATE tasks SET state = 2 WHERE id = ?"),
      drop(database, "DELETE FROM tasks WHERE id = ?"),
      held_by_class(database,
                    "SELECT state, class, count(*) FROM tasks INDEXED BY held"
                    " WHERE state BETWEEN 3 AND 6 AND holder = ? GROUP BY state, class"),
      evict(database, "UPDATE tasks SET state = 2 WHERE state BETWEEN 3 AND 6 AND holder = ?"),
      evict_lost(database,
                 "UPDATE tasks SET suspect = suspect OR state < 6,"
                 " tries = tries + (state IN (4, 5)), state = 2 WHERE state BETWEEN 3 AND 6 AND "
                 "holder = ?"),
      put_off(database,
              "UPDATE tasks SET state = 7, failures = failures + ?, not_before = ? WHERE id = ?"),
      due_by_class(database,
                   "SELECT class, count(*) FROM tasks INDEXED BY delayed"
                   " WHERE state = 7 AND not_before <= ? GROUP BY class"),
      end_delays(database, "UPDATE tasks SET state = 2 WHERE state = 7 AND not_before <= ?"),
      give_up(database, "UPDATE tasks SET cancelled = 1 WHERE id = ?"),
      given_up(database, "SELECT uid FROM tasks INDEXED BY given_up WHERE cancelled = 1"),
      set_paused(database, "UPDATE file SET paused = ?"),
      // of the states from, to
      list(database,
           "SELECT record, state, holder, arrival, start_by, tries + failures FROM tasks"
           " WHERE state BETWEEN ? AND ?"
           " ORDER BY CASE state WHEN 7 THEN not_before ELSE start_by END, id LIMIT ?"),
      show(database,
           "SELECT record, state, holder, arrival, start_by, tries + failures FROM tasks"
           " WHERE uid = ?"),
      first_arrivals(database, "SELECT state, min(arrival) FROM tasks GROUP BY state"),
      first_death(database, "SELECT died_at FROM dead ORDER BY died_at LIMIT 1"),
      keep_result(database,
                  "INSERT OR REPLACE INTO results(uid, digest, expiry, record)"
                  " VALUES(?, ?, ?, ?)"),
      find_result(database,
                  "SELECT id, digest, expiry, record, length(record) FROM results WHERE uid = ?"),
      drop_result(database, "DELETE FROM results WHERE id = ?"),
      oldest_result(database, "SELECT id, expiry, length(record) FROM results ORDER BY id LIMIT 1"),
      bury_task(database,
                "INSERT OR REPLACE INTO dead(uid, attempts, died_at, task, result)"
                " SELECT uid, ?, ?, record, ? FROM tasks WHERE id = ?"),
      newest_dead(database,
                  "SELECT task, result, attempts, died_at FROM dead ORDER BY id DESC LIMIT ?"),
      find_dead(database, "SELECT id, task, length(task) + length(result) FROM dead WHERE uid = ?"),
      drop_dead(database, "DELETE FROM dead WHERE id = ?"),
      oldest_dead(database,
                  "SELECT id, length(task) + length(result) FROM dead ORDER BY id LIMIT 1"),
      set_clock(database, "UPDATE file SET clock = ?"),
      set_counts(database, "UPDATE file SET counts = ?"),
      pages(database, "PRAGMA page_count"),
      free_pages(database, "PRAGMA freelist_count"),
      fill_reserve(database, "INSERT INTO reserve VALUES(zeroblob(?))"),
      drop_reserve(database, "DELETE FROM reserve") {}

}  // namespace fogctl
