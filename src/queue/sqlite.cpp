#include "queue/sqlite.hpp"

#include <sqlite3.h>

#include <system_error>

#include "queue/file_errors.hpp"

namespace fogctl::sqlite {
namespace {

ErrorCode code_of(int code, int reason) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::overloaded;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return ErrorCode::unauthorized;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return file_error_code(reason);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::in_use;
    case SQLITE_NOTADB:
      return ErrorCode::invalid;
    case SQLITE_CORRUPT:
    case SQLITE_MISUSE:
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
      return ErrorCode::failed;
    default:
      return ErrorCode::unavailable;  // memory, above all
  }
}

/// Of the last call that failed on the file, or on its journal; 0 where none is known. What errno
/// was then may have been lost since.
int reason_of(sqlite3* handle) {
  int reason = sqlite3_system_errno(handle);
  if (reason != 0) return reason;
  for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
    sqlite3_file* file = nullptr;
    sqlite3_file_control(handle, "main", which, static_cast<void*>(&file));
    if (file == nullptr || file->pMethods == nullptr) continue;
    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &reason);
    if (reason != 0) return reason;
  }
  return 0;
}

Error error_of(sqlite3* handle, int code) {
  std::string text = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  const int reason = handle != nullptr ? reason_of(handle) : 0;
  const int kind = code & 0xff;
  if (reason != 0 && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN)) {
    text += std::string(": ") + std::generic_category().message(reason);
  }
  return {code_of(code, reason), std::move(text)};
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  // Else ":memory:" and "file:…" would be no names of files.
  const std::string name = path.starts_with('/') ? path : "./" + path;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags, nullptr);
  std::unique_ptr<Database> database(new Database(handle));
  if (code != SQLITE_OK) return std::unexpected(error_of(handle, code));
  // SQLite opens what it may not write all the same, and fails somewhere later.
  if (sqlite3_db_readonly(handle, "main") == 1) {
    return failure(ErrorCode::unauthorized, "it may be read, and not written");
  }
  return database;
}

bool Database::has_moved() const {
  int moved = 0;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved != 0;
}

Database::~Database() {
  // What is damaged, and its journal, stay as they are for whoever mends them.
  const bool is_damaged = failed_ && error_.code == ErrorCode::failed;
  if (is_damaged) sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_close_v2(handle_);
}

void Database::note(int code) {
  if (failed_ || code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
  fail(error_of(handle_, code));
}

void Database::fail(Error error) {
  if (failed_) return;
  failed_ = true;
  error_ = std::move(error);
}

void Database::execute(const std::string& sql) {
  if (!failed_) note(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr));
}

std::int64_t Database::number(const std::string& sql) {
  Statement statement(*this, sql);
  Rows rows(statement);
  return rows.next() ? rows.number(0) : 0;
}

std::string Database::text(const std::string& sql) {
  Statement statement(*this, sql);
  Rows rows(statement);
  return rows.next() ? std::string(rows.bytes(0)) : std::string();
}

void Database::grow_in_steps(int bytes) {
  if (!failed_) note(sqlite3_file_control(handle_, "main", SQLITE_FCNTL_CHUNK_SIZE, &bytes));
}

void Database::allocate(std::int64_t bytes) {
  if (failed_) return;
  const int code = sqlite3_file_control(handle_, "main", SQLITE_FCNTL_SIZE_HINT, &bytes);
  if (code != SQLITE_OK) fail({ErrorCode::overloaded, sqlite3_errstr(SQLITE_FULL)});
}

void Database::recover() {
  failed_ = false;
  error_ = {};
  // What failed badly enough was rolled back by SQLite itself.
  if (sqlite3_get_autocommit(handle_) == 0) {
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

std::int64_t Database::last_id() const {
  return sqlite3_last_insert_rowid(handle_);
}

std::int64_t Database::changes() const {
  return sqlite3_changes(handle_);
}

std::int64_t Database::all_changes() const {
  return sqlite3_total_changes64(handle_);
}

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  if (database.has_failed()) return;
  database.note(sqlite3_prepare_v3(database.handle_, sql.data(), static_cast<int>(sql.size()),
                                   SQLITE_PREPARE_PERSISTENT, &handle_, nullptr));
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

void Statement::bind(int position, std::int64_t value) {
  if (!database_.has_failed()) database_.note(sqlite3_bind_int64(handle_, position, value));
}

void Statement::bind(int position, std::string_view bytes) {
  if (database_.has_failed()) return;
  // Not null for the empty text: that would be SQL's NULL.
  const char* begin = bytes.data() != nullptr ? bytes.data() : "";
  database_.note(sqlite3_bind_blob64(handle_, position, begin, bytes.size(), SQLITE_STATIC));
}

bool Statement::step() {
  if (database_.has_failed()) return false;
  const int code = sqlite3_step(handle_);
  database_.note(code);
  return code == SQLITE_ROW;
}

// Says again what step() said, so that its answer is not needed.
void Statement::reset() {
  sqlite3_reset(handle_);
}

std::int64_t Rows::number(int column) const {
  return sqlite3_column_int64(statement_.handle_, column);
}

std::string_view Rows::bytes(int column) const {
  const auto* begin = static_cast<const char*>(sqlite3_column_blob(statement_.handle_, column));
  return {begin, static_cast<std::size_t>(sqlite3_column_bytes(statement_.handle_, column))};
}

}  // namespace fogctl::sqlite
