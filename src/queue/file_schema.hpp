// What a queue file holds: its tables, made or checked when it is opened, and every statement that
// the file queue runs. Nothing else writes SQL.
//
// tasks    one row for each accepted task until it is finished; `id` rises with each
//          enqueue, so it tells who came first. Times are queue time in ns (design.md §8).
// results  kept for clients that chose the uid, oldest first by `id`
// dead     tasks that failed for good, oldest first by `id`
// file     one row: how often the file was opened, the latest queue time known, whether paused
// reserve  one row of nothing, whose pages the others get when the disk is full; else none
//
// A later schema adds its step to the list in file_schema.cpp, and `PRAGMA user_version` says which
// were taken; a file of a version that this program does not know is left alone.
#pragma once

#include <cstdint>

#include "queue/sqlite.hpp"

namespace fogctl {

/// Of a row in `tasks`. None is 0 or 1, which SQLite stores in no bytes: so a row keeps its length
/// when its state changes, and is written over in place, whatever the length of the record.
enum class FileState : std::uint8_t {
  queued = 2,
  ahead = 3,    // leased with others: may not have begun
  alone = 4,    // leased alone
  started = 5,  // recorded as begun
  away = 6,     // with a neighbour or the cloud
  delayed = 7,  // failed, and waits to be tried again
};
/// Lease numbers likewise take four bytes each.
inline constexpr std::uint32_t first_lease_number = 1U << 24;
inline constexpr std::uint32_t last_lease_number = (1U << 31) - 1;

/// Sets up an empty file, or takes an older one through the steps that it lacks.
/// Error: invalid when it is something else's, or of a newer version; else what SQLite says.
[[nodiscard]] Result<void> prepare_queue_file(sqlite::Database& database);

struct FileStatements {
  explicit FileStatements(sqlite::Database& database);

  sqlite::Statement begin;
  sqlite::Statement commit;

  // Columns of what is found: see the .cpp, beside the statement.
  sqlite::Statement add;
  sqlite::Statement find;
  sqlite::Statement record;
  sqlite::Statement urgent;
  sqlite::Statement oldest;
  sqlite::Statement hold;
  sqlite::Statement start;
  sqlite::Statement put_back;
  sqlite::Statement drop;
  sqlite::Statement held_by_class;
  sqlite::Statement evict;
  sqlite::Statement evict_lost;

  sqlite::Statement put_off;
  sqlite::Statement due_by_class;
  sqlite::Statement end_delays;

  sqlite::Statement give_up;
  sqlite::Statement given_up;
  sqlite::Statement set_paused;
  sqlite::Statement list;
  sqlite::Statement show;
  sqlite::Statement first_arrivals;
  sqlite::Statement first_death;

  sqlite::Statement keep_result;
  sqlite::Statement find_result;
  sqlite::Statement drop_result;
  sqlite::Statement oldest_result;

  sqlite::Statement bury_task;
  sqlite::Statement newest_dead;
  sqlite::Statement find_dead;
  sqlite::Statement drop_dead;
  sqlite::Statement oldest_dead;

  sqlite::Statement set_clock;
  sqlite::Statement set_counts;

  sqlite::Statement pages;
  sqlite::Statement free_pages;
  sqlite::Statement fill_reserve;
  sqlite::Statement drop_reserve;
};

}  // namespace fogctl
