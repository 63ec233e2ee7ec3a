// The calls of RedisQueue by which a task comes to its worker: enqueue, lease.
#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "queue/record.hpp"
#include "queue/redis_batch.hpp"
#include "queue/redis_queue.hpp"

namespace fogctl {
namespace {

constexpr std::size_t lease_keys = 12;  // of the enqueue script too

constexpr std::string_view status_letters = "aldkcoh";  // as EnqueueStatus lists them, and `h`

EnqueueStatus enqueue_status_of(char letter) {
  if (letter == 'h') return EnqueueStatus::leased;  // away already
  return static_cast<EnqueueStatus>(status_letters.find(letter));
}

// How many of these tasks the want takes, the most urgent first, when nothing else is queued.
std::size_t takes_of(const LeaseWant& want, std::span<const TaskEntry> entries,
                     std::span<const std::uint32_t> order) {
  std::size_t taken = 0;
  Duration sum{};
  for (std::size_t i = 0; i < entries.size() && taken < want.at_most; ++i) {
    const TaskEntry& entry = entries[order.empty() ? i : order[i]];
    if (entry.away) continue;
    if (taken >= want.idle && sum >= want.ahead) break;
    ++taken;
    sum += want.estimates[index_of(entry.task->weight)];
  }
  return taken;
}

// A task given to this very enqueue that its want took answers by its outcome, not as another one.
// One that had been tried before stays a Lease, which tells the attempt.
void claim_own(std::span<const NewTask> tasks, Enqueued& done) {
  if (done.leased.empty()) return;
  std::unordered_map<std::string_view, EnqueueOutcome*> own;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (done.outcomes[i].status != EnqueueStatus::accepted) continue;
    own.emplace(tasks[i].task->uid, &done.outcomes[i]);
  }
  std::erase_if(done.leased, [&](const Lease& lease) {
    const auto found = own.find(lease.task->uid);
    if (found == own.end() || lease.attempt > first_attempt(*lease.task)) return false;
    found->second->status = EnqueueStatus::leased;
    found->second->number = lease.number;
    return true;
  });
}

}  // namespace

struct RedisQueue::EnqueueBatch {
  std::span<const NewTask> tasks;       // of the whole call
  std::span<const std::uint32_t> part;  // positions of those to send now
  LeaseWant want;
  bool repeats = false;  // their uids came before in the same call
};

Result<Enqueued> RedisQueue::enqueue(std::span<const NewTask> tasks, const LeaseWant& want,
                                     Instant now) {
  Enqueued done;
  done.outcomes.resize(tasks.size());
  if (tasks.empty()) {
    auto leased = lease(want, now);
    if (!leased) return std::unexpected(leased.error());
    done.leased = std::move(*leased);
    return done;
  }
  const auto parts = parts_without_repeats(tasks);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    std::span<const std::uint32_t> rest = parts[p];
    while (!rest.empty()) {
      const auto some = rest.first(std::min(rest.size(), script_batch));
      rest = rest.subspan(some.size());
      const bool last = rest.empty() && p + 1 == parts.size();
      const EnqueueBatch batch{tasks, some, last ? want : LeaseWant{}, p > 0};
      auto sent = enqueue_some(batch, done, now);
      if (!sent && sent.error().code == ErrorCode::no_room) sent = enqueue_apart(batch, done, now);
      if (!sent) return std::unexpected(sent.error());
    }
  }
  claim_own(tasks, done);
  return done;
}

Result<void> RedisQueue::enqueue_some(const EnqueueBatch& batch, Enqueued& done, Instant now) {
  const std::vector<TaskEntry> entries = entries_of(batch);
  return call({"enqueue", entries.size()}, [&](Session& session) -> Result<void> {
    const std::uint32_t number = next_number();
    const RedisArguments arguments = enqueue_arguments(batch, entries, number, now);
    const auto reply = caller_->run(session, Script::enqueue, lease_keys, arguments);
    const std::size_t leased_before = done.leased.size();
    Result<void> read;
    if (!reply) read = std::unexpected(reply.error());
    if (reply) read = read_enqueued(session, *reply, batch, number, done);
    // What it read of this call stays in its memory for a while, as long as the connection does.
    if (!read && read.error().code == ErrorCode::no_room) session.discard(read.error());
    if (read) return {};
    done.leased.resize(leased_before);
    if (batch.want.at_most > 0) note_lost(number);
    return read;
  });
}

/// Its memory has no room for all of them: the smallest ones go first, until it has none for one.
/// Where it takes no write at all, it is away.
Result<void> RedisQueue::enqueue_apart(const EnqueueBatch& batch, Enqueued& done, Instant now) {
  std::vector<std::uint32_t> part(batch.part.begin(), batch.part.end());
  std::ranges::stable_sort(part, {},
                           [&](std::uint32_t i) { return batch.tasks[i].task->content.size(); });
  for (std::size_t k = 0; k < part.size(); ++k) {
    const auto sent =
        enqueue_some({batch.tasks, {&part[k], 1}, LeaseWant{}, batch.repeats}, done, now);
    if (sent) continue;
    const bool is_full = sent.error().code == ErrorCode::no_room;
    if (!is_full || (k == 0 && !probe())) return sent;
    for (const std::uint32_t left : std::span(part).subspan(k)) {
      done.outcomes[left] = {EnqueueStatus::no_room, 0, {}, sent.error().message};
    }
    break;
  }
  return {};
}

std::vector<TaskEntry> RedisQueue::entries_of(const EnqueueBatch& batch) const {
  std::vector<TaskEntry> entries;
  entries.reserve(batch.part.size());
  for (const std::uint32_t i : batch.part) {
    const NewTask& task = batch.tasks[i];
    const auto call_id = static_cast<std::uint64_t>(task.arrival.time_since_epoch().count());
    entries.push_back({.task = task.task.get(),
                       .position = entries.size(),
                       .start_by = caller_->to_queue_time(task.start_by),
                       .arrival = caller_->to_queue_time(task.arrival),
                       .call = batch.repeats ? ~call_id : call_id,
                       .away = task.away,
                       .holder = options_.holder});
  }
  return entries;
}

RedisArguments RedisQueue::enqueue_arguments(const EnqueueBatch& batch,
                                             std::span<const TaskEntry> entries,
                                             std::uint32_t number, Instant now) const {
  std::size_t bytes = 0;
  std::size_t away = 0;
  bool chosen = false;
  std::array<std::int64_t, task_class_count> by_class{};
  for (const TaskEntry& entry : entries) {
    bytes += body_size(entry);
    away += entry.away ? 1 : 0;
    chosen = chosen || entry.task->uid_chosen;
    ++by_class[index_of(entry.task->weight)];
  }
  std::vector<std::uint32_t> order;
  if (batch.want.at_most > 0) {
    order = urgency_order(batch.tasks, batch.part, batch.want.order, now);
  }
  const std::size_t straight = takes_of(batch.want, entries, order);

  RedisArguments arguments(bytes + entries.size() * 180 + order.size() * 4 + 1024);
  add_lease_keys(arguments);
  add_lease_head(arguments, batch.want, number, now);
  arguments.add_number(static_cast<std::int64_t>(options_.limits.max_tasks));
  arguments.add_number(static_cast<std::int64_t>(options_.limits.max_bytes));
  arguments.add_number(static_cast<std::int64_t>(bytes));
  arguments.add(chosen ? "1" : "0");
  arguments.add(position_digits(order));
  arguments.add_number(static_cast<std::int64_t>(straight));
  for (const std::int64_t count : by_class) arguments.add_number(count);
  arguments.add_number(static_cast<std::int64_t>(away));
  for (const TaskEntry& entry : entries) add_body(arguments, entry);
  const char flag = straight == 1 ? 'a' : 'l';
  for (const TaskEntry& entry : entries) {
    add_held(arguments, entry, entry.away ? 'w' : flag, number);
  }
  return arguments;
}

Result<void> RedisQueue::read_enqueued(Session& session, const RedisReply& reply,
                                       const EnqueueBatch& batch, std::uint32_t number,
                                       Enqueued& done) {
  const auto unexpected = [] {
    return failure(ErrorCode::failed, "unexpected answer of the enqueue script");
  };
  const std::string_view letters = reply[1].text();
  const bool one_for_all = letters.size() == 1;
  const bool is_one_each = one_for_all || letters.size() == batch.part.size();
  const bool is_known = letters.find_first_not_of(status_letters) == std::string_view::npos;
  const bool has_leases = reply[3].is_array() && reply[4].is_array() && reply[5].is_array();
  if (!has_leases || !is_one_each || !is_known) return unexpected();
  note_life(reply[0].text());
  for (std::size_t i = 0; i < batch.part.size(); ++i) {
    EnqueueOutcome& outcome = done.outcomes[batch.part[i]];
    outcome.status = enqueue_status_of(letters[one_for_all ? 0 : i]);
    if (outcome.status == EnqueueStatus::leased) outcome.number = number;
  }
  const RedisReply payloads = reply[3];
  for (std::size_t i = 0; i + 1 < payloads.size(); i += 2) {
    const auto position = static_cast<std::size_t>(payloads[i].integer() - 1);
    if (position >= batch.part.size()) return unexpected();
    EnqueueOutcome& outcome = done.outcomes[batch.part[position]];
    if (outcome.status == EnqueueStatus::leased) {
      outcome.number = static_cast<std::uint32_t>(read_number(payloads[i + 1].text()));
    } else {
      const Task& task = *batch.tasks[batch.part[position]].task;
      auto kept = read_kept(payloads[i + 1].text());
      outcome.result = kept ? std::move(kept->result) : unreadable_result(task.uid);
    }
  }
  return read_bodies(session, {reply[4], reply[2].integer(), reply[5], number}, done.leased);
}

// The KEYS that enqueue, lease and finish begin with.
void RedisQueue::add_lease_keys(RedisArguments& arguments) const {
  for (const std::string& key :
       {keys_.tasks, keys_.ready, keys_.oldest, held_key_, keys_.counts, keys_.attempts,
        keys_.holders, keys_.lives, keys_.wake, keys_.results, keys_.askers, keys_.delayed}) {
    arguments.add(key);
  }
}

// What lets a call hold something.
void RedisQueue::add_holder(RedisArguments& arguments, std::uint32_t number, Instant now) const {
  arguments.add(time_digits(caller_->to_queue_time(now)));
  arguments.add(options_.holder);
  arguments.add(time_digits(caller_->to_queue_time(now + options_.lease)));
  arguments.add_number(number);
}

// ... and their first ARGV.
void RedisQueue::add_lease_head(RedisArguments& arguments, const LeaseWant& want,
                                std::uint32_t number, Instant now) const {
  add_holder(arguments, number, now);
  add_want(arguments, want);
}

Result<void> RedisQueue::read_bodies(Session& session, const LeasedBodies& leased,
                                     std::vector<Lease>& leases) {
  const std::size_t first = leases.size();
  leases.reserve(first + leased.bodies.size());
  bool is_all_read = true;
  for (std::size_t i = 0; i < leased.bodies.size(); ++i) {
    const RedisReply bytes = leased.bodies[i];
    TaskBody body = read_body("", bytes.text());
    is_all_read = is_all_read && !body.task->is_unreadable;
    const std::uint32_t attempt = first_attempt(*body.task);
    leases.push_back({.task = std::move(body.task),
                      .number = leased.number,
                      .attempt = attempt + static_cast<std::uint32_t>(leased.tries),
                      .arrival = caller_->from_queue_time(body.arrival),
                      .reply_to = std::string(body.holder)});
  }
  for (std::size_t i = 0; i + 1 < leased.failed.size(); i += 2) {
    const auto place = first + static_cast<std::size_t>(leased.failed[i].integer() - 1);
    if (place < first || place >= leases.size()) continue;
    leases[place].attempt += static_cast<std::uint32_t>(leased.failed[i + 1].integer());
  }
  if (is_all_read) return {};
  const auto named = name_unreadable(session, leased, std::span(leases).subspan(first));
  if (!named) return named;
  // What cannot be read is not handed on: others may run it from the queue.
  std::vector<LeaseRef> returned;
  std::erase_if(leases, [&](const Lease& lease) {
    const bool is_returned = leased.away && lease.task->is_unreadable;
    if (is_returned) returned.push_back({lease.task->uid, lease.number});
    return is_returned;
  });
  const auto given = give_back_some(session, returned);
  return given ? Result<void>() : std::unexpected(given.error());
}

/// Which tasks they are is not in what came: these uids are held under this lease, and theirs is
/// the same body.
Result<void> RedisQueue::name_unreadable(Session& session, const LeasedBodies& leased,
                                         std::span<Lease> leases) const {
  const auto held = list_held(session, leased.away);
  if (!held) return std::unexpected(held.error());
  for (const LeaseRef& one : *held) {
    if (one.number != leased.number) continue;
    const auto body = RedisCaller::command(session, {"HGET", keys_.tasks, one.uid});
    if (!body) return std::unexpected(body.error());
    for (std::size_t i = 0; i < leases.size(); ++i) {
      const bool is_it = leases[i].task->uid.empty() && leased.bodies[i].text() == body->text();
      if (!is_it) continue;
      leases[i].task = unreadable_task(one.uid);
      break;
    }
  }
  const auto is_nameless = [](const Lease& lease) { return lease.task->uid.empty(); };
  if (std::ranges::none_of(leases, is_nameless)) return {};
  return failure(ErrorCode::failed, "what was leased is not what is held");
}

Result<std::vector<Lease>> RedisQueue::lease(const LeaseWant& want, Instant now) {
  std::vector<Lease> leases;
  if (want.at_most == 0) return leases;
  const auto leased = call({"lease"}, [&](Session& session) -> Result<void> {
    const std::uint32_t number = next_number();
    RedisArguments arguments(1024);
    add_lease_keys(arguments);
    add_lease_head(arguments, want, number, now);
    const auto reply = caller_->run(session, Script::lease, lease_keys, arguments);
    Result<void> read = failure(ErrorCode::failed, "unexpected answer of the lease script");
    if (!reply) read = std::unexpected(reply.error());
    if (reply && (*reply)[2].is_array() && (*reply)[3].is_array()) {
      note_life((*reply)[0].text());
      leases.clear();
      read = read_bodies(
          session, {(*reply)[2], (*reply)[1].integer(), (*reply)[3], number, want.away}, leases);
    }
    if (!read) note_lost(number, want.away);
    return read;
  });
  if (!leased) return std::unexpected(leased.error());
  return leases;
}

}  // namespace fogctl
