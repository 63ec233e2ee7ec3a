// How RedisQueue ends tasks.
#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "queue/record.hpp"
#include "queue/redis_batch.hpp"
#include "queue/redis_queue.hpp"

namespace fogctl {
namespace {

constexpr std::size_t first_stream = 17;  // of the finish script's keys
constexpr char wants_record = 'r';        // of the finish script: the task is held still

FinishStatus finish_status_of(char letter) {
  if (letter == 'd') return FinishStatus::done;
  if (letter == 'c') return FinishStatus::cancelled;
  return letter == 's' ? FinishStatus::superseded : FinishStatus::gone;
}

/// Whether the finish script needs the result of a task that goes to that stream, or to none (0).
bool needs_result(const Finished& task, std::size_t stream) {
  return stream > 0 || task.task->uid_chosen || task.dead_after > 0;
}

}  // namespace

struct RedisQueue::FinishBatch {
  std::span<const Finished> tasks;
  LeaseWant want;
  std::uint32_t number = 0;
  bool has_all_records = false;  // else of those whose results are known to be needed
};

Result<std::vector<FinishStatus>> RedisQueue::finish(std::span<const Finished> tasks,
                                                     const LeaseWant& want, Instant now,
                                                     std::vector<Lease>& next) {
  Statuses statuses;
  statuses.reserve(tasks.size());
  for (std::span<const Finished> rest = tasks; !rest.empty();) {
    const auto some = rest.first(std::min(rest.size(), script_batch));
    rest = rest.subspan(some.size());
    const LeaseWant wanted = rest.empty() ? want : LeaseWant{};
    const auto ended = call({"finish", some.size()}, [&](Session& session) {
      return finish_some(session, some, wanted, now, next);
    });
    if (!ended) return std::unexpected(ended.error());
    statuses.insert(statuses.end(), ended->begin(), ended->end());
  }
  if (!tasks.empty()) return statuses;
  auto leased = lease(want, now);
  if (!leased) return std::unexpected(leased.error());
  std::ranges::move(*leased, std::back_inserter(next));
  return statuses;
}

// Others may have asked for tasks whose results were not thought to be needed: these end in a
// second step, and until then they are held.
Result<RedisQueue::Statuses> RedisQueue::finish_some(Session& session,
                                                     std::span<const Finished> tasks,
                                                     const LeaseWant& want, Instant now,
                                                     std::vector<Lease>& next) {
  const std::size_t leased_before = next.size();
  const FinishBatch batch{tasks, want, next_number()};
  auto letters = finish_once(session, batch, now, next);
  if (!letters) return std::unexpected(letters.error());
  std::vector<Finished> asked;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if ((*letters)[i] == wants_record) asked.push_back(tasks[i]);
  }
  if (!asked.empty()) {
    const FinishBatch rest{asked, LeaseWant{}, next_number(), true};
    const auto told = finish_once(session, rest, now, next);
    if (!told) {
      note_lost(batch.number);
      next.resize(leased_before);
      return std::unexpected(told.error());
    }
    auto letter = told->begin();
    for (char& open : *letters) {
      if (open == wants_record) open = *letter++;
    }
  }
  Statuses statuses;
  for (const char letter : *letters) statuses.push_back(finish_status_of(letter));
  return statuses;
}

/// A letter for each task.
Result<std::string> RedisQueue::finish_once(Session& session, const FinishBatch& batch, Instant now,
                                            std::vector<Lease>& next) {
  std::size_t keys = 0;
  const RedisArguments arguments = finish_arguments(batch, now, keys);
  const auto reply = caller_->run(session, Script::finish, keys, arguments);
  const auto failed = [&](Error why) {
    if (batch.want.at_most > 0) note_lost(batch.number);
    return std::unexpected(std::move(why));
  };
  if (!reply) return failed(reply.error());
  const bool has_leases = (*reply)[3].is_array() && (*reply)[4].is_array();
  if (!has_leases || (*reply)[0].text().size() != batch.tasks.size()) {
    return failed({ErrorCode::failed, "unexpected answer of the finish script"});
  }
  note_life((*reply)[1].text());
  // Where it is not known what was leased, that the tasks ended is what counts.
  const std::size_t leased_before = next.size();
  const LeasedBodies leased{(*reply)[3], (*reply)[2].integer(), (*reply)[4], batch.number,
                            batch.want.away};
  if (!read_bodies(session, leased, next)) {
    next.resize(leased_before);
    note_lost(batch.number);
  }
  return std::string((*reply)[0].text());
}

RedisArguments RedisQueue::finish_arguments(const FinishBatch& batch, Instant now,
                                            std::size_t& keys) const {
  const std::span<const Finished> tasks = batch.tasks;
  // Redis wants the keys first: the streams of the holders that get replies among them.
  std::vector<std::string_view> holders;
  const auto stream_of = [&](const std::string& holder) -> std::size_t {
    if (holder.empty() || holder == options_.holder) return 0;
    const auto found = std::ranges::find(holders, std::string_view(holder)) - holders.begin();
    const auto place = static_cast<std::size_t>(found);
    if (place == holders.size()) holders.push_back(holder);
    return first_stream + place;
  };
  std::vector<std::size_t> streams;
  std::size_t bytes = 1024;
  for (const Finished& task : tasks) {
    streams.push_back(stream_of(task.reply_to));
    bytes += 100;
    if (batch.has_all_records || needs_result(task, streams.back()))
      bytes += record_size(task.result) + 100;
  }
  RedisArguments arguments(bytes);
  add_lease_keys(arguments);
  for (const std::string& key : {keys_.results_age, keys_.dead, keys_.dead_age, keys_.cancelled}) {
    arguments.add(key);
  }
  for (const std::string_view holder : holders) arguments.add(keys_.replies(holder));
  keys = arguments.count();
  add_lease_head(arguments, batch.want, batch.number, now);
  arguments.add_number(static_cast<std::int64_t>(tasks.size()));
  arguments.add(time_digits(caller_->to_queue_time(now + options_.limits.result_ttl)));
  arguments.add_number(static_cast<std::int64_t>(options_.limits.max_result_bytes));
  arguments.add(replies_wait_ms);
  arguments.add_number(static_cast<std::int64_t>(options_.limits.max_dead));
  arguments.add_number(static_cast<std::int64_t>(options_.limits.max_dead_bytes));
  arguments.add(keys_.replies(""));
  for (const Finished& task : tasks) {
    arguments.add(task.lease.uid);
    if (task.unless_asked) {
      arguments.add(std::to_string(task.lease.number) + '?');
    } else {
      arguments.add_number(task.lease.number);
    }
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const Finished& task = tasks[i];
    if (!batch.has_all_records && !needs_result(task, streams[i])) continue;
    arguments.add_number(static_cast<std::int64_t>(i + 1));
    arguments.add(is_kept(*task.task, task.result) ? digest_bytes(*task.task) : std::string());
    arguments.add_number(static_cast<std::int64_t>(streams[i]));
    arguments.add(task.dead_after > 0 ? eight_digits(task.dead_after) : std::string());
    append_record(arguments.open(record_size(task.result)), task.result);
    arguments.close();
  }
  return arguments;
}

}  // namespace fogctl
