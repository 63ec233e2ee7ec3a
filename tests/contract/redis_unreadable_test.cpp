// Tasks in Redis that this version cannot read, as another one wrote them: each comes to a worker
// as a task that fails, and none keeps the others from being run, listed or ended.
#include "contract/queues.hpp"
#include "queue/redis_connection.hpp"

namespace fogctl::contract {
namespace {

struct MixedQueue {
  /// What the queue holds of the task is of a later version from now on.
  void age(std::string_view uid) const {
    change(uid, "{fog}:tasks", "17 + string.byte(value, 17) + 16 + 1");
  }
  /// Likewise what it keeps of the result.
  void age_result(std::string_view uid) const { change(uid, "{fog}:results", "16 + 8 + 1"); }

  void change(std::string_view uid, std::string_view key, const std::string& place) const {
    const std::string script =
        "local value = redis.call('HGET', KEYS[1], ARGV[1]) local at = " + place +
        " value = string.sub(value, 1, at - 1) .. '\\255' .. "
        "string.sub(value, at + 1) "
        "return redis.call('HSET', KEYS[1], ARGV[1], value)";
    const auto hand = must(RedisConnection::open(server.address(), {}));
    REQUIRE_FALSE(must(hand->call({"EVAL", script, "1", key, uid})).is_error());
  }

  [[nodiscard]] Names listed(TaskState state) const {
    Names names;
    for (const TaskInfo& task : must(queue->list(state, 9, start()))) {
      names.push_back(task.task->uid + (task.task->is_unreadable ? "?" : ""));
    }
    return names;
  }

  RedisServer server{"no"};
  std::unique_ptr<TaskQueue> queue = open_redis(redis_options(server, "fog", "a"));
};

Names marked(const std::vector<Lease>& leases) {
  Names names;
  for (const Lease& lease : leases) {
    names.push_back(lease.task->uid + (lease.task->is_unreadable ? "?" : ""));
    CHECK(lease.reply_to == "a");
    CHECK(lease.attempt == 1);
  }
  return names;
}

}  // namespace

TEST_CASE("redis unreadable: tasks of another version are leased by their uids, and end") {
  MixedQueue mixed;
  TaskQueue& queue = *mixed.queue;
  enqueue(queue, {{.uid = "1", .start_by = 1s},
                  {.uid = "2", .start_by = 2s},
                  {.uid = "3", .start_by = 3s},
                  {.uid = "4", .start_by = 4s}});
  mixed.age("2");
  mixed.age("4");
  CHECK(mixed.listed(TaskState::queued) == Names{"1", "2?", "3", "4?"});
  std::vector<Lease> leases;
  SUBCASE("by a lease") {
    leases = lease(queue, 4);
  }
  SUBCASE("by an enqueue") {
    const auto done = enqueue(queue, {{.uid = "5", .start_by = 5s}}, up_to(4));
    CHECK(statuses(done) == std::vector{accepted});
    leases = done.leased;
  }
  SUBCASE("by a finish") {
    const auto first = lease(queue, 1);
    CHECK(must(queue.finish(std::vector{finished(first[0])}, up_to(3), start(), leases)) ==
          std::vector{FinishStatus::done});
    leases.insert(leases.begin(), first[0]);
  }
  CHECK(marked(leases) == Names{"1", "2?", "3", "4?"});
  for (const Lease& lease : leases) finish(queue, std::vector{finished(lease)});
  CHECK(mixed.listed(TaskState::leased).empty());
}

TEST_CASE("redis unreadable: a task of another version is not handed on, and comes back") {
  MixedQueue mixed;
  TaskQueue& queue = *mixed.queue;
  enqueue(queue, {{.uid = "1", .start_by = 1s}, {.uid = "2", .start_by = 2s}});
  mixed.age("1");
  LeaseWant want = up_to(2);
  want.away = true;
  CHECK(marked(must(queue.lease(want, start()))) == Names{"2"});
  const auto other = open_redis(redis_options(mixed.server, "fog", "b"));
  CHECK(marked(lease(*other, 2)) == Names{"1?"});
}

TEST_CASE("redis unreadable: a task of another version can be given up, and buried") {
  MixedQueue mixed;
  TaskQueue& queue = *mixed.queue;
  enqueue(queue, {{.uid = "1", .start_by = 1s}, {.uid = "2", .start_by = 2s}});
  mixed.age("1");
  mixed.age("2");
  CHECK(must(queue.find("1", start()))->task->is_unreadable);
  CHECK(must(queue.cancel(Names{"1"}, start())) == std::vector{CancelStatus::cancelled});
  auto dead = finished(lease(queue, 1)[0]);
  CHECK(dead.lease.uid == "2");
  dead.dead_after = 1;
  CHECK(finish(queue, std::vector{dead}) == std::vector{FinishStatus::done});
  REQUIRE(must(queue.dead(9)).size() == 1);
  CHECK(must(queue.dead(9))[0].task->is_unreadable);
  const auto revived = queue.revive(Names{"2"}, start());
  REQUIRE_FALSE(revived.has_value());
  CHECK(revived.error().message.find("cannot read task '2'") != std::string::npos);
  CHECK(must(queue.bury(Names{"2"})) == 1);
}

TEST_CASE("redis unreadable: a result that another version kept costs no other task") {
  MixedQueue mixed;
  TaskQueue& queue = *mixed.queue;
  enqueue(queue, {{.uid = "1", .chosen = true}});
  finish(queue, lease(queue, 1));
  mixed.age_result("1");
  const auto done = enqueue(queue, {{.uid = "1", .arrival = 1s, .chosen = true}, {.uid = "2"}});
  CHECK(statuses(done) == std::vector{EnqueueStatus::done, accepted});
  REQUIRE(done.outcomes[0].result);
  CHECK(done.outcomes[0].result->error->message.contains("another version"));
}

TEST_CASE("redis unreadable: one that says not whose it is does not stop the others") {
  MixedQueue mixed;
  TaskQueue& queue = *mixed.queue;
  enqueue(queue, {{.uid = "1", .start_by = 1s}, {.uid = "2", .start_by = 2s}});
  const auto hand = must(RedisConnection::open(mixed.server.address(), {}));
  must(hand->call({"HSET", "{fog}:tasks", "1", "junk"}));
  CHECK(mixed.listed(TaskState::queued) == Names{"1?", "2"});
  Names names = uids(lease(queue, 9));
  const Names more = uids(lease(queue, 9));
  names.insert(names.end(), more.begin(), more.end());
  CHECK(std::ranges::count(names, "2") == 1);
}

}  // namespace fogctl::contract
