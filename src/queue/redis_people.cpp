// The calls of RedisQueue that people make: what lies in the queue, pausing it, giving a task up.
// They look at the keys one after the other, so what they say may be a moment old.
#include <algorithm>
#include <utility>

#include "queue/record.hpp"
#include "queue/redis_batch.hpp"
#include "queue/redis_queue.hpp"

namespace fogctl {
namespace {

constexpr std::string_view page = "1000";
/// A holder with more unread replies than this is not told how far tasks are.
constexpr std::int64_t most_unread = 1000;

std::uint32_t failures_in(std::string_view ticket) {
  return static_cast<std::uint32_t>(read_number(ticket.substr(16, 2)));
}

/// For each of a hash's or sorted set's entries, page by page, so that the server serves others in
/// between: `use(key, value)`.
template <typename Session, typename Use>
Result<void> scan(Session& session, std::string_view command, const std::string& key, Use use) {
  std::string cursor = "0";
  do {
    const auto found = RedisCaller::command(session, {command, key, cursor, "COUNT", page});
    if (!found) return std::unexpected(found.error());
    if (found->size() != 2) return failure(ErrorCode::failed, "unexpected answer to a scan");
    cursor = (*found)[0].text();
    const RedisReply entries = (*found)[1];
    for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
      use(entries[i].text(), entries[i + 1].text());
    }
  } while (cursor != "0");
  return {};
}

TaskState state_of_held(std::string_view value) {
  return value.size() > ticket_width && value[ticket_width] == 'w' ? TaskState::away
                                                                   : TaskState::leased;
}

}  // namespace

/// Where a task lies, and what is known of it from there.
struct RedisQueue::Place {
  std::string uid;
  TaskState state = TaskState::queued;
  std::string holder;
  std::uint32_t failures = 0;
};

Result<void> RedisQueue::pause(bool is_paused) {
  const std::string_view doing = is_paused ? "pause the queue" : "resume the queue";
  return call({doing}, [&](Session& session) -> Result<void> {
    const auto set = is_paused
                         ? RedisCaller::command(session, {"HSET", keys_.counts, "paused", "1"})
                         : RedisCaller::command(session, {"HDEL", keys_.counts, "paused"});
    if (!set) return std::unexpected(set.error());
    if (is_paused) return {};
    const auto woken =
        RedisCaller::command(session, {"XADD", keys_.wake, "MAXLEN", "1", "*", "w", "1"});
    if (!woken) return std::unexpected(woken.error());
    return {};
  });
}

Result<std::vector<RedisQueue::Place>> RedisQueue::waiting_places(Session& session, TaskState state,
                                                                  std::size_t most) {
  std::vector<Place> places;
  std::vector<std::string> keys = {keys_.delayed};
  if (state == TaskState::queued) keys = {keys_.ready, keys_.oldest};
  for (const std::string& key : keys) {
    if (places.size() >= most) break;
    const std::string last = std::to_string(most - places.size() - 1);
    const auto members = RedisCaller::command(session, {"ZRANGE", key, "0", last});
    if (!members) return std::unexpected(members.error());
    for (std::size_t i = 0; i < members->size(); ++i) {
      const RedisReply reply = (*members)[i];
      const std::string_view member = reply.text();
      if (member.size() <= ticket_width) continue;
      places.push_back({std::string(member.substr(ticket_width)), state, {}, failures_in(member)});
    }
  }
  return places;
}

Result<std::vector<std::string>> RedisQueue::holders(Session& session) {
  std::vector<std::string> names;
  const auto found = RedisCaller::command(session, {"HKEYS", keys_.lives});
  if (!found) return std::unexpected(found.error());
  names.reserve(found->size());
  for (std::size_t i = 0; i < found->size(); ++i) names.emplace_back((*found)[i].text());
  return names;
}

Result<std::vector<RedisQueue::Place>> RedisQueue::held_places(Session& session) {
  std::vector<Place> places;
  const auto names = holders(session);
  if (!names) return std::unexpected(names.error());
  for (const std::string& holder : *names) {
    const auto note = [&](std::string_view uid, std::string_view value) {
      places.push_back({std::string(uid), state_of_held(value), holder, failures_in(value)});
    };
    const auto scanned = scan(session, "HSCAN", keys_.held(holder), note);
    if (!scanned) return std::unexpected(scanned.error());
  }
  return places;
}

/// What lies there; none: it has left meanwhile.
Result<std::optional<TaskInfo>> RedisQueue::look_at(Session& session, const Place& place) {
  const auto found = RedisCaller::command(session, {"HGET", keys_.tasks, place.uid});
  if (!found) return std::unexpected(found.error());
  if (found->kind() != RedisReply::Kind::text) return std::nullopt;
  TaskBody body = read_body(place.uid, found->text());
  const auto tries = RedisCaller::command(session, {"HGET", keys_.attempts, place.uid});
  if (!tries) return std::unexpected(tries.error());
  const std::uint32_t attempt = first_attempt(*body.task) + place.failures +
                                static_cast<std::uint32_t>(read_number(tries->text()));
  return TaskInfo{std::move(body.task),
                  place.state,
                  caller_->from_queue_time(body.arrival),
                  caller_->from_queue_time(body.start_by),
                  attempt,
                  place.holder};
}

Result<std::vector<TaskInfo>> RedisQueue::list(TaskState state, std::size_t most, Instant) {
  using Listed = Result<std::vector<TaskInfo>>;
  if (most == 0) return std::vector<TaskInfo>{};
  return call({"list tasks"}, [&](Session& session) -> Listed {
    const bool is_held = state == TaskState::leased || state == TaskState::away;
    auto places = is_held ? held_places(session) : waiting_places(session, state, most);
    if (!places) return std::unexpected(places.error());
    std::vector<TaskInfo> tasks;
    for (const Place& place : *places) {
      if (place.state != state || tasks.size() >= most) continue;
      auto task = look_at(session, place);
      if (!task) return std::unexpected(task.error());
      if (*task) tasks.push_back(std::move(**task));
    }
    return tasks;
  });
}

Result<std::optional<TaskInfo>> RedisQueue::find(const std::string& uid, Instant) {
  using Found = Result<std::optional<TaskInfo>>;
  return call({"look up a task"}, [&](Session& session) -> Found {
    auto held = held_places(session);
    if (!held) return std::unexpected(held.error());
    const auto place = std::ranges::find(*held, uid, &Place::uid);
    if (place != held->end()) return look_at(session, *place);
    auto delayed = waiting_places(session, TaskState::delayed, 1'000'000);
    if (!delayed) return std::unexpected(delayed.error());
    const auto waiting = std::ranges::find(*delayed, uid, &Place::uid);
    return look_at(session,
                   waiting != delayed->end() ? *waiting : Place{uid, TaskState::queued, {}, 0});
  });
}

Result<OldestTasks> RedisQueue::oldest(Instant) {
  return call({"look for the oldest tasks"}, [&](Session& session) -> Result<OldestTasks> {
    OldestTasks oldest;
    const auto note = [&](TaskState state, std::string_view ticket) {
      const Instant arrival = caller_->from_queue_time(read_number(ticket.substr(0, 16)));
      const auto known = oldest.emplace(state, arrival).first;
      known->second = std::min(known->second, arrival);
    };
    for (const auto& [key, state] : {std::pair(&keys_.ready, TaskState::queued),
                                     {&keys_.oldest, TaskState::queued},
                                     {&keys_.delayed, TaskState::delayed}}) {
      const auto note_member = [&, of = state](std::string_view member, auto) { note(of, member); };
      const auto scanned = scan(session, "ZSCAN", *key, note_member);
      if (!scanned) return std::unexpected(scanned.error());
    }
    const auto names = holders(session);
    if (!names) return std::unexpected(names.error());
    for (const std::string& holder : *names) {
      const auto note_held = [&](auto, std::string_view value) {
        note(state_of_held(value), value);
      };
      const auto scanned = scan(session, "HSCAN", keys_.held(holder), note_held);
      if (!scanned) return std::unexpected(scanned.error());
    }
    const auto dead =
        RedisCaller::command(session, {"ZRANGE", keys_.dead_age, "0", "0", "WITHSCORES"});
    if (!dead) return std::unexpected(dead.error());
    if (dead->size() == 2) note(TaskState::dead, time_digits(read_number((*dead)[1].text())));
    return oldest;
  });
}

Result<std::vector<std::uint32_t>> RedisQueue::withdraw(std::span<const std::string> uids,
                                                        Instant now) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(uids.size());
  for (; !uids.empty(); uids = uids.subspan(std::min(uids.size(), script_batch))) {
    const auto some = uids.first(std::min(uids.size(), script_batch));
    const auto taken = call({"withdraw", some.size()}, [&](Session& session) {
      return withdraw_some(session, some, now, numbers);
    });
    if (!taken) return std::unexpected(taken.error());
  }
  return numbers;
}

Result<void> RedisQueue::withdraw_some(Session& session, std::span<const std::string> uids,
                                       Instant now, std::vector<std::uint32_t>& numbers) {
  const std::uint32_t number = next_number();
  RedisArguments arguments;
  for (const std::string& key : {keys_.tasks, keys_.ready, keys_.oldest, held_key_, keys_.counts,
                                 keys_.holders, keys_.lives, keys_.askers}) {
    arguments.add(key);
  }
  add_holder(arguments, number, now);
  for (const std::string& uid : uids) arguments.add(uid);
  const auto reply = caller_->run(session, Script::withdraw, 8, arguments);
  if (!reply) return std::unexpected(reply.error());
  if (reply->size() != 2 || (*reply)[1].size() != uids.size()) {
    return failure(ErrorCode::failed, "unexpected answer of the withdraw script");
  }
  note_life((*reply)[0].text());
  const RedisReply given = (*reply)[1];
  for (std::size_t i = 0; i < given.size(); ++i) {
    numbers.push_back(static_cast<std::uint32_t>(given[i].integer()));
  }
  return {};
}

Result<std::vector<CancelStatus>> RedisQueue::cancel(std::span<const std::string> uids,
                                                     Instant now) {
  using Given = Result<std::vector<CancelStatus>>;
  return call({"give up", uids.size()}, [&](Session& session) -> Given {
    std::vector<CancelStatus> statuses;
    for (const std::string& uid : uids) {
      const auto status = cancel_one(session, uid, now);
      if (!status) return std::unexpected(status.error());
      statuses.push_back(*status);
    }
    return statuses;
  });
}

Result<CancelStatus> RedisQueue::cancel_one(Session& session, const std::string& uid, Instant now) {
  const auto found = RedisCaller::command(session, {"HGET", keys_.tasks, uid});
  if (!found) return std::unexpected(found.error());
  if (found->kind() != RedisReply::Kind::text) return status_of_ended(session, uid);
  const TaskBody body = read_body(uid, found->text());
  std::string record;
  append_record(record, cancelled_result(uid));
  RedisArguments arguments;
  for (const std::string& key : {keys_.tasks, keys_.ready, keys_.oldest, keys_.delayed,
                                 keys_.counts, keys_.attempts, keys_.cancelled, keys_.results,
                                 keys_.results_age, keys_.replies(body.holder), keys_.askers}) {
    arguments.add(key);
  }
  const std::string digest = body.task->uid_chosen ? digest_bytes(*body.task) : "";
  const std::string expiry = time_digits(caller_->to_queue_time(now + options_.limits.result_ttl));
  arguments.add(uid);
  arguments.add(time_digits(body.arrival));
  arguments.add(time_digits(body.start_by));
  arguments.add(record);
  arguments.add(digest);
  arguments.add(expiry);
  arguments.add(replies_wait_ms);
  arguments.add(keys_.replies(""));
  const auto ended = caller_->run(session, Script::cancel, 11, arguments);
  if (!ended) return std::unexpected(ended.error());
  if (ended->integer() < 0) return status_of_ended(session, uid);
  if (ended->integer() > 0) return CancelStatus::cancelled;
  if (auto told = tell_holder(session, uid); !told) return std::unexpected(told.error());
  return CancelStatus::will_apply;
}

Result<CancelStatus> RedisQueue::status_of_ended(Session& session, const std::string& uid) {
  for (const std::string& key : {keys_.results, keys_.dead}) {
    const auto known = RedisCaller::command(session, {"HEXISTS", key, uid});
    if (!known) return std::unexpected(known.error());
    if (known->integer() > 0) return CancelStatus::already_done;
  }
  return CancelStatus::unknown;
}

Result<void> RedisQueue::tell(Session& session, std::string_view holder, std::string_view kind,
                              std::string_view what) {
  const std::string stream = keys_.replies(holder);
  const auto told = RedisCaller::command(session, {"XADD", stream, "*", kind, what});
  if (!told) return std::unexpected(told.error());
  const auto kept = RedisCaller::command(session, {"PEXPIRE", stream, replies_wait_ms});
  if (!kept) return std::unexpected(kept.error());
  return {};
}

Result<void> RedisQueue::tell_progress(std::span<const TaskProgress> news) {
  return call({"tell how far tasks are"}, [&](Session& session) -> Result<void> {
    for (const TaskProgress& one : news) {
      const auto waiting = RedisCaller::command(session, {"XLEN", keys_.replies(one.reply_to)});
      if (!waiting) return std::unexpected(waiting.error());
      if (waiting->integer() >= most_unread) continue;
      auto told = tell(session, one.reply_to, "p", progress_record(one));
      if (!told) return told;
    }
    return {};
  });
}

/// Whoever holds it hears that it is given up.
Result<void> RedisQueue::tell_holder(Session& session, const std::string& uid) {
  const auto names = holders(session);
  if (!names) return std::unexpected(names.error());
  for (const std::string& holder : *names) {
    const auto holds = RedisCaller::command(session, {"HEXISTS", keys_.held(holder), uid});
    if (!holds) return std::unexpected(holds.error());
    if (holds->integer() == 0) continue;
    if (auto told = tell(session, holder, "c", uid); !told) return told;
  }
  return {};
}

/// What was given up while it was held, and is no longer held, ends.
Result<void> RedisQueue::sweep_cancelled(Session& session, Instant now) {
  const auto uids = RedisCaller::command(session, {"HKEYS", keys_.cancelled});
  if (!uids) return std::unexpected(uids.error());
  for (std::size_t i = 0; i < uids->size(); ++i) {
    const std::string uid((*uids)[i].text());
    const auto status = cancel_one(session, uid, now);
    if (!status) return std::unexpected(status.error());
    if (*status != CancelStatus::unknown && *status != CancelStatus::already_done) continue;
    const auto gone = RedisCaller::command(session, {"HDEL", keys_.cancelled, uid});
    if (!gone) return std::unexpected(gone.error());
  }
  return {};
}

}  // namespace fogctl
