#include "queue/file_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "queue/record.hpp"

namespace fogctl {
namespace {

// Of the file's life in the id of a holder: the rest tells the holders of one life apart.
constexpr int holder_bits = 16;

constexpr Duration sync_interval = std::chrono::seconds(1);

constexpr std::int64_t no_time = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

FileState state_of(std::int64_t number) {
  return static_cast<FileState>(number);
}

std::size_t count(std::int64_t number) {
  return static_cast<std::size_t>(number);
}

}  // namespace

FileStore::FileStore(FileQueueOptions options, FileLock lock,
                     std::unique_ptr<sqlite::Database> database, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      lock_(std::move(lock)),
      database_(std::move(database)) {}

FileStore::~FileStore() = default;

void FileStore::begin() {
  counts_before_ = counts_;
  effects_ = {};
  sql_->begin.run();
}

Result<void> FileStore::commit(std::string_view what, std::size_t tasks) {
  if (std::string counts = record_of(counts_); counts != record_of(counts_before_)) {
    sql_->set_counts.run(std::string_view(counts));
  }
  take_pages();
  sql_->commit.run();
  if (database_->has_failed()) {
    const Error why = database_->error();
    Error error = explained(why, what, tasks);
    database_->recover();
    counts_ = counts_before_;
    note_fault(why);
    return std::unexpected(std::move(error));
  }
  keeps_ends_ = true;
  for (auto& [holder, result] : effects_.replies) holder->replies.push_back(std::move(result));
  for (auto& [holder, uid] : effects_.cancelled) holder->cancelled.push_back(std::move(uid));
  for (Holder* holder : effects_.ended) {
    holder->life = 0;
    holder->workers = 0;
  }
  for (const std::int64_t task : effects_.answered) askers_.erase(task);
  const bool wakes = effects_.wake || (counts_before_.queued() == 0 && counts_.queued() > 0);
  if (wakes) ++wakes_;
  const bool tells = !effects_.replies.empty() || !effects_.cancelled.empty();
  if (waiting_ > 0 && (wakes || tells)) news_.notify_all();
  return {};
}

Result<void> FileStore::check_file() const {
  if (damage_) return std::unexpected(*damage_);
  if (!database_->has_moved()) return {};
  return failure(
      ErrorCode::unavailable,
      fmt::format("queue file {} was removed, or another one put in its place: stop this "
                  "node, which ends what it holds, and start it again",
                  options_.path));
}

Error FileStore::explained(const Error& why, std::string_view what, std::size_t tasks) const {
  const std::string object =
      tasks == 0 ? "" : fmt::format(" {} task{}", tasks, tasks > 1 ? "s" : "");
  return {why.code, fmt::format("cannot {}{} in queue file {}: {}", what, object, options_.path,
                                why.message)};
}

FileStore::Holder& FileStore::holder_named(const std::string& name) {
  Holder& holder = holders_[name];
  if (holder.id == 0) {
    holder.name = name;
    holder.id = (life_ << holder_bits) + static_cast<std::int64_t>(holders_.size());
  }
  return holder;
}

// nullptr: of an earlier life, so nobody.
FileStore::Holder* FileStore::holder_of(std::int64_t id) {
  for (auto& [name, holder] : holders_) {
    if (holder.id == id) return &holder;
  }
  return nullptr;
}

void FileStore::register_holder(Holder& me, Instant now) {
  if (me.life != 0 && me.expiry >= now) return;
  if (me.life == 0) me.life = next_life_++;
  me.expiry = now + options_.first_lease;
}

void FileStore::extend(Holder& me, std::size_t workers, Instant expiry) {
  if (me.life == 0) me.life = next_life_++;
  me.expiry = expiry;
  me.workers = workers;
}

QueueLoad FileStore::load(Instant now) const {
  QueueLoad load = counts_.load;
  for (const auto& [name, holder] : holders_) {
    if (holder.life != 0 && holder.expiry >= now) load.workers += holder.workers;
  }
  return load;
}

void FileStore::started(Holder& me, std::span<const LeaseRef> leases) {
  for (const LeaseRef& lease : leases) sql_->start.run(lease.uid, lease.number, me.id);
}

FinishStatus FileStore::finish(Holder& me, const Finished& done, Instant now) {
  const auto row = find(done.lease.uid);
  if (!row) return FinishStatus::gone;
  if (!is_held_by(me, *row, done.lease.number)) return FinishStatus::superseded;
  if (done.unless_asked && askers_.contains(row->id)) {
    put_back(*row);
    return FinishStatus::superseded;
  }
  const bool is_cancelled = row->is_cancelled && row->state != FileState::away;
  if (done.dead_after > 0 && !is_cancelled) bury(done, *row, now);
  // As the other implementations, whose results go where the lease said.
  const bool for_another = !done.reply_to.empty() && done.reply_to != me.name;
  const auto waits = for_another ? holders_.find(done.reply_to) : holders_.end();
  end(*row, *done.task, is_cancelled ? cancelled_result(done.lease.uid) : done.result,
      waits == holders_.end() ? nullptr : &waits->second, now);
  return is_cancelled ? FinishStatus::cancelled : FinishStatus::done;
}

/// The task has its one effective result. `waits`: a holder that is to hear of it.
void FileStore::end(const Row& row, const Task& task, const TaskResult& result, Holder* waits,
                    Instant now) {
  if (is_kept(task, result)) keep_result(task, result, now);
  if (waits != nullptr) effects_.replies.emplace_back(waits, result);
  if (const auto askers = askers_.find(row.id); askers != askers_.end()) {
    for (Holder* asker : askers->second) effects_.replies.emplace_back(asker, result);
    effects_.answered.push_back(row.id);
  }
  --count_of(row.state, row.weight);
  counts_.load.bytes -= row.bytes;
  sql_->drop.run(row.id);
}

void FileStore::give_back(Holder& me, std::span<const LeaseRef> leases) {
  for (const LeaseRef& lease : leases) {
    const auto row = find(lease.uid);
    if (row && is_held_by(me, *row, lease.number)) put_back(*row);
  }
}

std::size_t FileStore::recover_expired(Instant now) {
  std::size_t recovered = 0;
  for (auto& [name, holder] : holders_) {
    if (holder.life != 0 && holder.expiry < now) recovered += evict(holder, true);
  }
  sweep_cancelled(now);
  bury_surplus();
  return recovered;
}

// `lost`: its lease ran out. Then runs that may have begun count, and what was leased is suspect.
std::size_t FileStore::evict(Holder& holder, bool lost) {
  std::size_t put = 0;
  {
    sqlite::Rows rows(sql_->held_by_class, holder.id);
    while (rows.next()) {
      const auto weight = count(rows.number(1));
      const auto tasks = count(rows.number(2));
      count_of(state_of(rows.number(0)), weight) -= tasks;
      count_of(FileState::queued, weight) += tasks;
      put += tasks;
    }
  }
  (lost ? sql_->evict_lost : sql_->evict).run(holder.id);
  effects_.ended.push_back(&holder);
  return put;
}

std::optional<FileStore::Row> FileStore::find(std::string_view uid) {
  sqlite::Rows rows(sql_->find, uid);
  if (!rows.next()) return std::nullopt;
  return Row{.id = rows.number(0),
             .state = state_of(rows.number(1)),
             .weight = count(rows.number(2)),
             .number = rows.number(3),
             .holder = rows.number(4),
             .origin = rows.number(5),
             .arrival = rows.number(6),
             .bytes = count(rows.number(7)),
             .is_cancelled = rows.number(8) != 0};
}

// A row keeps the holder and the number of its last lease when it is queued again.
bool FileStore::is_held_by(const Holder& me, const Row& row, std::uint32_t number) const {
  const bool is_held = row.state != FileState::queued && row.state != FileState::delayed;
  return is_held && row.holder == me.id && row.number == number;
}

std::size_t& FileStore::count_of(FileState state, std::size_t weight) {
  if (state == FileState::away) return counts_.load.away;
  if (state == FileState::delayed) return counts_.load.delayed;
  auto& counts = state == FileState::queued ? counts_.load.queued : counts_.load.leased;
  return counts.at(weight);
}

void FileStore::put_back(const Row& row) {
  --count_of(row.state, row.weight);
  ++count_of(FileState::queued, row.weight);
  sql_->put_back.run(row.id);
}

bool FileStore::has_room(std::size_t bytes, std::size_t share) const {
  return !is_tight_ && counts_.tasks() < share * options_.limits.max_tasks &&
         counts_.load.bytes + bytes <= share * options_.limits.max_bytes;
}

std::uint32_t FileStore::next_number() {
  if (next_number_ == last_lease_number) next_number_ = first_lease_number;
  return ++next_number_;
}

std::int64_t FileStore::to_file(Instant instant) const {
  const std::int64_t time = instant.time_since_epoch().count();
  std::int64_t sum = 0;
  if (__builtin_add_overflow(time, offset_.count(), &sum)) return time > 0 ? never : no_time;
  return sum;
}

Instant FileStore::from_file(std::int64_t time) const {
  std::int64_t difference = 0;
  if (time == never || __builtin_sub_overflow(time, offset_.count(), &difference)) {
    return time > 0 ? Instant::max() : Instant::min();
  }
  return Instant(Duration(difference));
}

bool FileStore::is_sync_due() {
  const std::int64_t changes = database_->all_changes();
  if (changes == changes_synced_ || options_.sync == FileSync::full) return false;
  const Instant now = clock_.now();
  if (now - synced_at_ < sync_interval) return false;
  synced_at_ = now;
  changes_synced_ = changes;
  return true;
}

void FileStore::note_clock(Instant now) {
  clock_noted_at_ = now;
  sql_->set_clock.run(to_file(now));
}

}  // namespace fogctl
