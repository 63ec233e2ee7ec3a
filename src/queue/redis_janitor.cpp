// Mends what no call of the queue can leave behind, but a person with redis-cli, a restore or a
// failover can: a task that lies in the queue and waits nowhere. A place whose task is gone needs
// no mending: the lease that comes to it drops it.
#include <utility>

#include "queue/redis_batch.hpp"
#include "queue/redis_queue.hpp"

namespace fogctl {
namespace {

/// Each task looked at is a round trip, and the caller has a lease to renew.
constexpr int pages_a_call = 4;

}  // namespace

/// Queues what has no place; says how many tasks.
Result<std::size_t> RedisQueue::adopt_strays(Session& session) {
  RedisArguments arguments = place_keys();
  const std::size_t keys = arguments.count();
  arguments.add(keys_.held(""));
  const auto missing = caller_->run(session, Script::census, keys, arguments);
  if (!missing) return std::unexpected(missing.error());
  if (missing->integer() <= 0) return 0;
  std::size_t adopted = 0;
  const std::lock_guard lock(stray_mutex_);
  for (int pages = 0; pages < pages_a_call; ++pages) {
    const auto page =
        RedisCaller::command(session, {"HSCAN", keys_.tasks, stray_cursor_, "COUNT", "500"});
    if (!page) return std::unexpected(page.error());
    if (page->size() != 2) return failure(ErrorCode::failed, "unexpected answer to HSCAN");
    stray_cursor_ = (*page)[0].text();
    const RedisReply entries = (*page)[1];
    for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
      const auto one = adopt(session, std::string(entries[i].text()), entries[i + 1].text());
      if (!one) return std::unexpected(one.error());
      adopted += *one ? 1 : 0;
    }
    if (stray_cursor_ == "0") break;
  }
  return adopted;
}

/// The keys that tell of every place that a task may have.
RedisArguments RedisQueue::place_keys() const {
  RedisArguments keys;
  for (const std::string& key :
       {keys_.tasks, keys_.ready, keys_.oldest, keys_.delayed, keys_.lives, keys_.lost}) {
    keys.add(key);
  }
  return keys;
}

Result<bool> RedisQueue::adopt(Session& session, const std::string& uid, std::string_view bytes) {
  const TaskBody body = read_body(uid, bytes);
  if (body.task->is_unreadable) return false;  // for who can read it to mend
  TaskEntry entry;
  entry.task = body.task.get();
  entry.arrival = body.arrival;
  entry.start_by = body.start_by;
  entry.holder = body.holder;
  RedisArguments arguments = place_keys();
  arguments.add(keys_.counts);
  arguments.add(keys_.wake);
  const std::size_t keys = arguments.count();
  arguments.add(keys_.held(""));
  arguments.add(uid);
  arguments.add(time_digits(body.arrival));
  arguments.add(time_digits(body.start_by));
  arguments.add(ticket_of(entry));
  const auto adopted = caller_->run(session, Script::adopt, keys, arguments);
  if (!adopted) return std::unexpected(adopted.error());
  return adopted->integer() > 0;
}

}  // namespace fogctl
