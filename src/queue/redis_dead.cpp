// The calls of RedisQueue about tasks that failed for good. People make them, a few at a time.
#include <algorithm>
#include <utility>

#include "queue/redis_batch.hpp"
#include "queue/redis_queue.hpp"

namespace fogctl {

Result<std::vector<DeadTask>> RedisQueue::dead(std::size_t most) {
  using Found = Result<std::vector<DeadTask>>;
  std::vector<DeadTask> found;
  if (most == 0) return found;
  return call({"list dead tasks"}, [&](Session& session) -> Found {
    const auto uids =
        RedisCaller::command(session, {"ZREVRANGE", keys_.dead_age, "0", std::to_string(most - 1)});
    if (!uids) return std::unexpected(uids.error());
    found.clear();
    for (std::size_t i = 0; i < uids->size(); ++i) {
      const auto value = RedisCaller::command(session, {"HGET", keys_.dead, (*uids)[i].text()});
      if (!value) return std::unexpected(value.error());
      if (value->kind() != RedisReply::Kind::text) continue;  // buried meanwhile
      auto dead = read_dead((*uids)[i].text(), value->text());
      if (!dead) continue;  // it is none
      found.push_back({std::move(dead->body.task), std::move(dead->result), dead->attempts,
                       caller_->from_queue_time(dead->died_at)});
    }
    return found;
  });
}

// First into the queue, then out of the dead set: whoever dies in between leaves it in both, and a
// second try brings it nowhere twice. One that died again meanwhile stays.
Result<std::size_t> RedisQueue::revive(std::span<const std::string> uids, Instant now) {
  std::size_t revived = 0;
  for (const std::string& uid : uids) {
    TaskPtr task;
    std::string died_at;
    const auto found = call({"look up a dead task"}, [&](Session& session) -> Result<void> {
      const auto value = RedisCaller::command(session, {"HGET", keys_.dead, uid});
      if (!value) return std::unexpected(value.error());
      if (value->kind() != RedisReply::Kind::text) return {};
      auto dead = read_dead(uid, value->text());
      if (!dead) return std::unexpected(dead.error());
      if (dead->body.task->is_unreadable) {
        return failure(ErrorCode::failed, "this version cannot read task '" + uid +
                                              "': retry it with the one that queued it");
      }
      task = std::move(dead->body.task);
      died_at = time_digits(dead->died_at);
      RedisArguments arguments;
      for (const std::string& word : {keys_.results, keys_.results_age, keys_.counts, uid}) {
        arguments.add(word);
      }
      const auto forgotten = caller_->run(session, Script::forget, 3, arguments);
      if (!forgotten) return std::unexpected(forgotten.error());
      return {};
    });
    if (!found) return std::unexpected(found.error());
    if (!task) continue;
    const NewTask again{task, now, start_by(*task, now)};
    const auto queued = enqueue({&again, 1}, LeaseWant{}, now);
    if (!queued) return std::unexpected(queued.error());
    if (queued->outcomes.front().status == EnqueueStatus::overloaded) {
      return failure(ErrorCode::overloaded, "cannot retry task '" + uid + "': the queue is full");
    }
    const auto out = call({"remove a dead task"},
                          [&](Session& session) { return bury_one(session, uid, died_at); });
    if (!out) return std::unexpected(out.error());
    ++revived;
  }
  return revived;
}

Result<std::size_t> RedisQueue::bury(std::span<const std::string> uids) {
  return call({"remove dead tasks"}, [&](Session& session) -> Result<std::size_t> {
    std::size_t buried = 0;
    for (const std::string& uid : uids) {
      const auto out = bury_one(session, uid, "");
      if (!out) return std::unexpected(out.error());
      buried += *out ? 1 : 0;
    }
    return buried;
  });
}

Result<bool> RedisQueue::bury_one(Session& session, const std::string& uid,
                                  const std::string& died_at) {
  RedisArguments arguments;
  for (const std::string& word : {keys_.dead, keys_.dead_age, keys_.counts, uid, died_at}) {
    arguments.add(word);
  }
  const auto out = caller_->run(session, Script::bury, 3, arguments);
  if (!out) return std::unexpected(out.error());
  return out->integer() > 0;
}

Result<void> RedisQueue::bury_surplus(Session& session) {
  RedisArguments arguments;
  for (const std::string& key : {keys_.dead, keys_.dead_age, keys_.counts}) arguments.add(key);
  arguments.add_number(static_cast<std::int64_t>(options_.limits.max_dead));
  arguments.add_number(static_cast<std::int64_t>(options_.limits.max_dead_bytes));
  arguments.add_number(100);
  const auto out = caller_->run(session, Script::bury_surplus, 3, arguments);
  if (!out) return std::unexpected(out.error());
  return {};
}

}  // namespace fogctl
