// The calls of RedisQueue that are about its server and what that believes, not about tasks.
#include <string>

#include "queue/redis_batch.hpp"
#include "queue/redis_queue.hpp"

namespace fogctl {

// Read-only, full or without a disk: Redis tells by a write alone. By a script, as all is written.
Result<void> RedisQueue::probe() {
  const auto written = caller_->call({"write"}, [&](Session& session) {
    return RedisCaller::command(
        session, {"EVAL", "return redis.call('SET', KEYS[1], '1', 'PX', '1')", "1", keys_.probe});
  });
  if (!written) return std::unexpected(written.error());
  return {};
}

Result<std::vector<Finding>> RedisQueue::find_losses() {
  return call({"look at the settings"}, [](Session& session) {
    auto losses = fogctl::find_losses(*session, session.session().server);
    if (!losses) session.discard(losses.error());
    return losses;
  });
}

Result<std::vector<LeaseRef>> RedisQueue::held(bool as_away) {
  return call({"list what is held"}, [&](Session& session) { return list_held(session, as_away); });
}

// A held task's value is its ticket, a flag ('w' where it is away) and the lease's number.
Result<std::vector<LeaseRef>> RedisQueue::list_held(Session& session, bool as_away) const {
  constexpr std::size_t flag = 58;
  std::vector<LeaseRef> held;
  std::string cursor = "0";
  do {
    const auto page = RedisCaller::command(session, {"HSCAN", held_key_, cursor, "COUNT", "500"});
    if (!page) return std::unexpected(page.error());
    if (page->size() != 2) return failure(ErrorCode::failed, "unexpected answer to HSCAN");
    cursor = (*page)[0].text();
    const RedisReply entries = (*page)[1];
    for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
      const RedisReply value = entries[i + 1];
      if (value.text().size() <= flag || (value.text()[flag] == 'w') != as_away) continue;
      const auto number = static_cast<std::uint32_t>(read_number(value.text().substr(flag + 1)));
      held.push_back({std::string(entries[i].text()), number});
    }
  } while (cursor != "0");
  return held;
}

void RedisQueue::reconnect() {
  caller_->reconnect();
  news_.reconnect();
}

}  // namespace fogctl
