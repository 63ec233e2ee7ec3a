#include "queue/redis_queue.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "base/random.hpp"
#include "queue/redis_batch.hpp"

namespace fogctl {
namespace {

constexpr std::string_view expired = "expired";
constexpr std::string_view left = "left";

QueueLoad load_of(const RedisReply& live, const RedisReply& workers, const RedisReply& counts,
                  const RedisReply& dead) {
  QueueLoad load;
  const auto count = [&](std::size_t i) {
    return static_cast<std::size_t>(std::max<std::int64_t>(0, read_number(counts[i].text())));
  };
  if (counts.size() == 11) {
    for (std::size_t i = 0; i < task_class_count; ++i) {
      load.queued[i] = count(i);
      load.leased[i] = count(task_class_count + i);
    }
    load.away = count(6);
    load.bytes = count(7);
    load.delayed = count(8);
    load.is_paused = count(9) > 0;
    load.dead_bytes = count(10);
  }
  load.dead = static_cast<std::size_t>(dead.integer());
  for (std::size_t i = 0; i < live.size(); ++i) {
    for (std::size_t k = 0; k + 1 < workers.size(); k += 2) {
      if (workers[k].text() != live[i].text()) continue;
      load.workers += static_cast<std::size_t>(read_number(workers[k + 1].text()));
    }
  }
  return load;
}

}  // namespace

Result<std::unique_ptr<RedisQueue>> RedisQueue::open(RedisQueueOptions options,
                                                     const Clock& clock) {
  FOGCTL_CHECK(!options.holder.empty() && options.holder.size() < 256);
  auto caller = RedisCaller::open(options.address, options.timeouts, options.connections,
                                  QueueKeys(options.name).probe, clock);
  if (!caller) return std::unexpected(caller.error());
  return std::unique_ptr<RedisQueue>(new RedisQueue(std::move(options), std::move(*caller)));
}

// The numbers start anywhere, so that a holder which comes back under its old name does not repeat
// those of its earlier life.
RedisQueue::RedisQueue(RedisQueueOptions options, std::unique_ptr<RedisCaller> caller)
    : options_(std::move(options)),
      keys_(options_.name),
      held_key_(keys_.held(options_.holder)),
      caller_(std::move(caller)),
      news_(*caller_, keys_.replies(options_.holder), keys_.wake),
      number_(static_cast<std::uint32_t>(entropy())),
      lease_(options_.lease) {}

RedisQueue::~RedisQueue() = default;

std::uint32_t RedisQueue::next_number() {
  std::uint32_t number = ++number_;
  while (number == 0) number = ++number_;
  return number;
}

void RedisQueue::note_lost(std::uint32_t number, bool as_away) {
  const std::lock_guard lock(lost_mutex_);
  (as_away ? lost_away_ : lost_).push_back(number);
  has_lost_ = true;
}

Result<void> RedisQueue::give_back_lost(Session& session) {
  const std::lock_guard lock(lost_mutex_);
  for (const bool as_away : {false, true}) {
    std::vector<std::uint32_t>& lost = as_away ? lost_away_ : lost_;
    if (lost.empty()) continue;
    auto held = list_held(session, as_away);
    if (!held) return std::unexpected(held.error());
    std::erase_if(*held, [&](const LeaseRef& lease) {
      return std::ranges::find(lost, lease.number) == lost.end();
    });
    for (std::span<const LeaseRef> rest = *held; !rest.empty();) {
      const auto some = rest.first(std::min(rest.size(), script_batch));
      rest = rest.subspan(some.size());
      const auto given = give_back_some(session, some);
      if (!given) return std::unexpected(given.error());
    }
    lost.clear();
  }
  has_lost_ = false;
  return {};
}

// Answers may overtake each other between threads; only a later life is news.
void RedisQueue::note_life(std::string_view text) {
  if (text.empty()) return;
  const std::int64_t life = read_number(text);
  std::int64_t known = life_;
  while (life > known) {
    if (!life_.compare_exchange_weak(known, life)) continue;
    if (known != 0) evicted_ = true;
    break;
  }
}

Result<void> RedisQueue::started(std::span<const LeaseRef> leases, Instant) {
  for (; !leases.empty(); leases = leases.subspan(std::min(leases.size(), script_batch))) {
    RedisArguments arguments;
    arguments.add(held_key_);
    for (const LeaseRef& lease : leases.first(std::min(leases.size(), script_batch))) {
      arguments.add(lease.uid);
      arguments.add_number(lease.number);
    }
    const auto marked = call({"mark as started", leases.size()}, [&](Session& session) {
      return caller_->run(session, Script::started, 1, arguments);
    });
    if (!marked) return std::unexpected(marked.error());
  }
  return {};
}

Result<bool> RedisQueue::extend(std::size_t workers, Duration lease, Instant now) {
  lease_ = lease;
  const auto life = call({"renew the lease"}, [&](Session& session) -> Result<RedisReply> {
    // Its clock may have been set: by an old difference the lease would end at another time.
    if (auto measured = caller_->measure_time(session); !measured) {
      return std::unexpected(measured.error());
    }
    RedisArguments arguments;
    for (const std::string& key : {keys_.holders, keys_.lives, keys_.workers}) arguments.add(key);
    arguments.add(time_digits(caller_->to_queue_time(now)));
    arguments.add(options_.holder);
    arguments.add(time_digits(caller_->to_queue_time(now + lease)));
    arguments.add_number(static_cast<std::int64_t>(workers));
    return caller_->run(session, Script::extend, 3, arguments);
  });
  if (!life) return std::unexpected(life.error());
  note_life(life->text());
  return !evicted_.exchange(false);
}

Result<void> RedisQueue::retry(std::span<const Retry> runs, Instant) {
  for (; !runs.empty(); runs = runs.subspan(std::min(runs.size(), script_batch))) {
    const auto some = runs.first(std::min(runs.size(), script_batch));
    const auto done = call({"put off", some.size()}, [&](Session& session) {
      RedisArguments arguments;
      for (const std::string& key : {held_key_, keys_.delayed, keys_.counts}) arguments.add(key);
      for (const Retry& run : some) {
        arguments.add(run.lease.uid);
        arguments.add_number(run.lease.number);
        arguments.add(time_digits(caller_->to_queue_time(run.not_before)));
        arguments.add_number(run.counts ? 1 : 0);
      }
      return caller_->run(session, Script::retry, 3, arguments);
    });
    if (!done) return std::unexpected(done.error());
  }
  return {};
}

Result<void> RedisQueue::give_back(std::span<const LeaseRef> leases, Instant) {
  for (; !leases.empty(); leases = leases.subspan(std::min(leases.size(), script_batch))) {
    const auto some = leases.first(std::min(leases.size(), script_batch));
    const auto given = call({"give back", some.size()},
                            [&](Session& session) { return give_back_some(session, some); });
    if (!given) return std::unexpected(given.error());
  }
  return {};
}

Result<std::size_t> RedisQueue::give_back_some(Session& session, std::span<const LeaseRef> leases) {
  if (leases.empty()) return 0;
  RedisArguments arguments;
  for (const std::string& key :
       {keys_.tasks, keys_.ready, keys_.oldest, held_key_, keys_.counts, keys_.wake}) {
    arguments.add(key);
  }
  for (const LeaseRef& lease : leases) {
    arguments.add(lease.uid);
    arguments.add_number(lease.number);
  }
  const auto given = caller_->run(session, Script::give_back, 6, arguments);
  if (!given) return std::unexpected(given.error());
  return static_cast<std::size_t>(given->integer());
}

Result<std::size_t> RedisQueue::recover_expired(Instant now) {
  return call({"recover tasks"}, [&](Session& session) -> Result<std::size_t> {
    if (auto measured = caller_->measure_time(session); !measured) {
      return std::unexpected(measured.error());
    }
    const std::string now_text = time_digits(caller_->to_queue_time(now));
    // First: it makes room in a Redis that is full of dead tasks, where nothing else goes on.
    if (const auto buried = bury_surplus(session); !buried && is_transient(buried.error())) {
      return std::unexpected(buried.error());
    }
    const auto holders = overdue(session, now_text);
    if (!holders) return std::unexpected(holders.error());
    for (std::size_t i = 0; i < holders->size(); ++i) {
      const auto evicted = evict(session, std::string((*holders)[i].text()), now_text, expired);
      if (!evicted) return std::unexpected(evicted.error());
    }
    auto put = put_back_lost(session);
    if (!put) return put;
    if (auto swept = sweep_cancelled(session, now); !swept) return std::unexpected(swept.error());
    const auto adopted = adopt_strays(session);
    if (!adopted) return adopted;
    return *put + *adopted;
  });
}

Result<RedisReply> RedisQueue::overdue(Session& session, std::string_view now) {
  RedisArguments arguments;
  for (const std::string& key : {keys_.holders, keys_.counts, keys_.lives, keys_.delayed}) {
    arguments.add(key);
  }
  arguments.add(now);
  arguments.add_number(
      std::chrono::duration_cast<std::chrono::microseconds>(lease_.load()).count());
  return caller_->run(session, Script::overdue, 4, arguments);
}

// Ends the lease of a holder; an empty `now` ends one that has not run out.
Result<void> RedisQueue::evict(Session& session, const std::string& holder, const std::string& now,
                               std::string_view why) {
  const auto life = RedisCaller::command(session, {"HGET", keys_.lives, holder});
  if (!life) return std::unexpected(life.error());
  if (life->text().empty()) return {};
  RedisArguments arguments;
  for (const std::string& key : {keys_.holders, keys_.lives, keys_.workers, keys_.lost,
                                 keys_.held(holder), keys_.lost_tasks(holder, life->text())}) {
    arguments.add(key);
  }
  for (const std::string_view argument :
       {std::string_view(now), std::string_view(holder), life->text(), why}) {
    arguments.add(argument);
  }
  const auto done = caller_->run(session, Script::evict, 6, arguments);
  if (!done) return std::unexpected(done.error());
  return {};
}

// In steps, so that the server serves others in between; whoever comes next finishes what a
// process that dies here leaves undone.
Result<std::size_t> RedisQueue::put_back_lost(Session& session) {
  const auto lost = RedisCaller::command(session, {"HKEYS", keys_.lost});
  if (!lost) return std::unexpected(lost.error());
  std::size_t total = 0;
  for (std::size_t i = 0; i < lost->size(); ++i) {
    RedisArguments arguments;
    for (const std::string_view key :
         {std::string_view(keys_.tasks), std::string_view(keys_.ready),
          std::string_view(keys_.oldest), (*lost)[i].text(), std::string_view(keys_.counts),
          std::string_view(keys_.wake), std::string_view(keys_.attempts),
          std::string_view(keys_.lost)}) {
      arguments.add(key);
    }
    arguments.add_number(500);
    for (std::int64_t some = 1; some > 0;) {
      const auto put = caller_->run(session, Script::put_back, 8, arguments);
      if (!put) return std::unexpected(put.error());
      some = put->integer();
      total += static_cast<std::size_t>(some);
    }
  }
  return total;
}

Result<void> RedisQueue::leave(Instant) {
  return call({"leave the queue"}, [&](Session& session) -> Result<void> {
    if (auto evicted = evict(session, options_.holder, "", left); !evicted) return evicted;
    if (auto put = put_back_lost(session); !put) return std::unexpected(put.error());
    life_ = 0;
    evicted_ = false;
    return {};
  });
}

Result<QueueLoad> RedisQueue::load(Instant now) {
  const std::string now_text = time_digits(caller_->to_queue_time(now));
  return call({"ask for the load"}, [&](Session& session) -> Result<QueueLoad> {
    const std::string_view live[] = {"ZRANGEBYSCORE", keys_.holders, now_text, "+inf"};
    const std::string_view workers[] = {"HGETALL", keys_.workers};
    session->append(live);
    session->append(workers);
    const std::string_view ask[] = {"HMGET",   keys_.counts, "q0",        "q1",   "q2",
                                    "l0",      "l1",         "l2",        "away", "bytes",
                                    "delayed", "paused",     "dead_bytes"};
    session->append(ask);
    const std::string_view dead[] = {"HLEN", keys_.dead};
    session->append(dead);
    std::array<std::optional<RedisReply>, 4> replies;
    for (auto& slot : replies) {
      auto reply = RedisCaller::receive(session);
      if (!reply) return std::unexpected(reply.error());
      slot = std::move(*reply);
    }
    for (const auto& reply : replies) {
      if (reply->is_error()) return std::unexpected(error_of(*reply));
    }
    return load_of(*replies[0], *replies[1], *replies[2], *replies[3]);
  });
}

Result<std::optional<TaskResult>> RedisQueue::kept_result(const std::string& uid, Instant now) {
  const std::int64_t queue_now = caller_->to_queue_time(now);
  return call({"look up a result"}, [&](Session& session) -> Result<std::optional<TaskResult>> {
    const auto kept = RedisCaller::command(session, {"HGET", keys_.results, uid});
    if (!kept) return std::unexpected(kept.error());
    if (kept->kind() != RedisReply::Kind::text) return std::nullopt;
    auto result = read_kept(kept->text());
    if (!result) return std::unexpected(result.error());
    if (result->expiry < queue_now) return std::nullopt;
    return std::move(result->result);
  });
}

}  // namespace fogctl
