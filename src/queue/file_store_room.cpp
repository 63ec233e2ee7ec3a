// A queue file's room on the disk. What it holds can end however full the disk is, and whoever
// filled it, by these rules:
// 1. The pages of a transaction are on the disk before it is committed, so its journal can always
//    be written back, and then written over. The journal never gives back what it has.
// 2. `reserve` in the file has pages that new tasks do not get. The first call that finds no room
//    lets go of it and is made again; from then on new tasks are refused.
// 3. A call that is too much for the journal even so is made in parts. What does not fit by itself
//    ends without being kept: no result for who asks again, no dead task for a person.
// 4. New tasks come in again once the reserve is whole: from room on the disk, or from what ended.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/log.hpp"
#include "queue/file_errors.hpp"
#include "queue/file_store.hpp"

namespace fogctl {
namespace {

constexpr std::int64_t reserve_bytes = 512 << 10;
constexpr std::int64_t frame_bytes = 4096 + 24;  // of the journal, which has one for each page
constexpr std::int64_t least_journal = 512 * frame_bytes;
// A checkpoint waits for the disk.
constexpr std::int64_t most_between_checkpoints = 4000;
constexpr std::int64_t roomy_journal = (most_between_checkpoints + 512) * frame_bytes;
constexpr Duration look_interval = std::chrono::milliseconds(500);
/// So long without a failure, and the disk counts as in order.
constexpr Duration calm = std::chrono::seconds(10);

std::int64_t size_of(const std::string& path) {
  struct stat there{};
  return ::stat(path.c_str(), &there) == 0 ? there.st_size : 0;
}

/// 0, or why the file cannot have so many bytes on the disk.
int allocate(const std::string& path, std::int64_t bytes) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return errno;
  int why = EINTR;
  while (why == EINTR) why = ::posix_fallocate(descriptor, 0, bytes);
  ::close(descriptor);
  return why;
}

}  // namespace

Result<void> FileStore::make_journal() {
  const std::string path = options_.path + "-wal";
  set_checkpoints(roomy_journal);
  if (size_of(path) >= least_journal) return {};
  const int why = allocate(path, least_journal);
  if (why == 0) return {};
  return failure(file_error_code(why),
                 "no room for its journal: " + std::generic_category().message(why));
}

/// So seldom that it fits between two of them, with a call of the same size to spare.
void FileStore::set_checkpoints(std::int64_t journal_bytes) {
  const std::int64_t frames = std::min(roomy_journal, journal_bytes) / frame_bytes;
  const std::int64_t apart = journal_bytes >= roomy_journal ? most_between_checkpoints : frames / 2;
  database_->execute(fmt::format("PRAGMA wal_autocheckpoint = {}", apart));
}

void FileStore::take_pages() {
  std::int64_t bytes = 0;
  {
    sqlite::Rows rows(sql_->pages);
    if (rows.next()) bytes = rows.number(0) * page_bytes;
  }
  if (bytes <= allocated_) return;
  database_->allocate(bytes);
  // A checkpoint may cut the file back to a whole step.
  const std::int64_t steps = (bytes + growth_step - 1) / growth_step;
  if (!database_->has_failed()) allocated_ = steps * growth_step;
}

Result<void> FileStore::make_room(Error why, std::size_t items) {
  if (why.code != ErrorCode::overloaded) return std::unexpected(std::move(why));
  say_full(why);
  allocated_ = 0;
  database_->execute("PRAGMA wal_checkpoint(PASSIVE)");
  database_->recover();
  if (!is_tight_) {
    release_reserve();
    return {};
  }
  items = std::min(items, most_at_once_);
  if (items > 1) {
    most_at_once_ = items / 2;
    return {};
  }
  if (std::exchange(keeps_ends_, false)) return {};
  why.code = ErrorCode::unavailable;
  return std::unexpected(std::move(why));
}

LeaseWant FileStore::part_of(LeaseWant want) const {
  want.at_most = std::min(want.at_most, most_at_once_);
  return want;
}

void FileStore::release_reserve() {
  is_tight_ = true;
  set_checkpoints(size_of(options_.path + "-wal"));
  sql_->begin.run();
  sql_->drop_reserve.run();
  sql_->commit.run();
  database_->recover();
}

/// False: there is no room for it; the database says why.
bool FileStore::fill_reserve() {
  std::int64_t free = 0;
  {
    sqlite::Rows rows(sql_->free_pages);
    if (rows.next()) free = rows.number(0) * page_bytes;
  }
  // Not by the last page: the next task would take it out again.
  if (free < 2 * reserve_bytes + growth_step) {
    const std::int64_t pages = database_->number("PRAGMA page_count");
    database_->allocate(pages * page_bytes + reserve_bytes + growth_step);
  }
  sql_->begin.run();
  sql_->fill_reserve.run(reserve_bytes);
  take_pages();
  sql_->commit.run();
  if (database_->has_failed()) {
    allocated_ = 0;
    return false;
  }
  is_tight_ = false;
  most_at_once_ = std::numeric_limits<std::size_t>::max();
  return true;
}

void FileStore::regain_room(Instant now) {
  if ((!is_tight_ && !is_full_) || now - room_looked_at_ < look_interval) return;
  room_looked_at_ = now;
  const bool has_room = !is_tight_ || fill_reserve();
  database_->recover();
  if (!has_room || now < full_until_) return;
  is_full_ = false;
  const std::string journal = options_.path + "-wal";
  (void)allocate(journal, roomy_journal);  // else it is written back more often
  set_checkpoints(size_of(journal));
  log(LogLevel::info, "queue file {} has room again", options_.path);
}

void FileStore::say_full(const Error& why) {
  full_until_ = clock_.now() + calm;
  if (std::exchange(is_full_, true)) return;
  full_ = fmt::format(
      "queue file {} finds no room on the disk ({}): make room on its file system, or raise the "
      "limit on the size of files (ulimit -f); until then new tasks are refused, and what it holds "
      "goes on",
      options_.path, why.message);
  log(LogLevel::warning, "{}", full_);
}

/// Of a call that failed: one that finds no room is made again, what is damaged does not mend.
void FileStore::note_fault(const Error& why) {
  if (why.code == ErrorCode::overloaded) return;
  is_failing_ = true;
  const bool is_damage = why.code == ErrorCode::failed || why.code == ErrorCode::invalid;
  if (!is_damage || damage_) return;
  damage_ = Error{
      ErrorCode::failed,
      fmt::format("queue file {0} is damaged ({1}): this node takes no new task; stop it, and move "
                  "{0} and {0}-wal away, or recover what is in them as fogctl-guarantees(7) says",
                  options_.path, why.message)};
  log(LogLevel::error, "{}", damage_->message);
}

}  // namespace fogctl
