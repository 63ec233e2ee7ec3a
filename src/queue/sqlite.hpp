// A thin wrap of SQLite: one database, and statements prepared once. The first call that fails
// is remembered by the database, and everything after it does nothing (a query has no rows) until
// recover(): so a transaction is written straight down and asked once, at its end, how it went.
// One thread at a time; whoever shares a database locks around it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace fogctl::sqlite {

class Database {
 public:
  /// Creates the file where there is none. The error says why, not what for.
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs one or more statements that give no rows that matter.
  void execute(const std::string& sql);
  /// The first number of the first row; 0 where there is none.
  [[nodiscard]] std::int64_t number(const std::string& sql);
  /// Likewise a text; "" where there is none.
  [[nodiscard]] std::string text(const std::string& sql);

  /// Makes the file grow in steps of so many bytes, and never shrink below a whole one.
  void grow_in_steps(int bytes);
  /// Takes the room on the disk that the file needs to be so long, in whole steps; nothing where it
  /// has it. Fails as a commit does on a full disk.
  void allocate(std::int64_t bytes);

  [[nodiscard]] bool has_failed() const { return failed_; }
  /// What failed since the last recover(). overloaded where the disk is full, failed where the file
  /// is damaged, invalid where it is no such file at all, else as file_error_code() has it.
  [[nodiscard]] const Error& error() const { return error_; }
  /// Makes what was begun fail: for whoever cannot read what it finds.
  void fail(Error error);
  /// Rolls back what was begun, and works again.
  void recover();

  /// The file is not any more where it was opened: what is written is lost with this process.
  [[nodiscard]] bool has_moved() const;

  [[nodiscard]] std::int64_t last_id() const;
  /// Rows that the last statement changed, and all since it was opened.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] std::int64_t all_changes() const;

 private:
  friend class Statement;
  friend class Rows;
  explicit Database(sqlite3* handle) : handle_(handle) {}
  void note(int code);

  sqlite3* handle_;
  bool failed_ = false;
  Error error_;
};

class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Runs it to its end with these parameters: numbers, and bytes (std::string_view).
  template <typename... Values>
  void run(const Values&... values) {
    bind_all(values...);
    (void)step();
    reset();
  }

 private:
  friend class Rows;
  template <typename... Values>
  void bind_all(const Values&... values) {
    int position = 0;
    (bind(++position, values), ...);
  }
  void bind(int position, std::int64_t value);
  void bind(int position, std::string_view bytes);
  [[nodiscard]] bool step();
  void reset();

  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
};

/// The rows of a query, one at a time; the query ends with it. What was given to it as bytes must
/// live as long.
class Rows {
 public:
  template <typename... Values>
  explicit Rows(Statement& statement, const Values&... values) : statement_(statement) {
    statement.bind_all(values...);
  }
  ~Rows() { statement_.reset(); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  /// False: there are no more.
  [[nodiscard]] bool next() { return statement_.step(); }
  [[nodiscard]] std::int64_t number(int column) const;
  /// Until the next row.
  [[nodiscard]] std::string_view bytes(int column) const;

 private:
  Statement& statement_;
};

}  // namespace fogctl::sqlite
