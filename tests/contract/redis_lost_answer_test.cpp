// Calls of the queue in Redis whose answer is lost with its connection, although the server acted:
// each is made again at once, and has one effect.
#include "contract/queues.hpp"
#include "support/lossy_relay.hpp"

namespace fogctl::contract {
namespace {

struct LossyQueue {
  LossyQueue() {
    auto options = redis_options(server, "fog", "a");
    options.address.socket_path.clear();
    options.address.port = relay.port();
    options.connections = 1;
    queue = open_redis(options);
  }

  /// What the call says, of whose answers one was lost.
  template <typename Call>
  auto without_answer(Call call, int after = 0) {
    relay.lose_answer(after);
    auto outcome = call();
    CHECK(relay.has_lost());
    return must(std::move(outcome));
  }

  RedisServer server{"no"};
  LossyRelay relay{server.socket_path()};
  std::unique_ptr<TaskQueue> queue;
};

}  // namespace

TEST_CASE("redis lost answer: tasks are queued, held and leased once") {
  LossyQueue lossy;
  TaskQueue& queue = *lossy.queue;
  SUBCASE("by an enqueue") {
    const auto tasks = make_all({{.uid = "1"}, {.uid = "2", .away = true}});
    const auto done = lossy.without_answer([&] { return queue.enqueue(tasks, {}, start()); });
    CHECK(statuses(done) == std::vector{accepted, leased});
    CHECK(finish(queue, std::vector{finished(tasks[1], done.outcomes[1].number)}) ==
          std::vector{FinishStatus::done});
    CHECK(uids(lease(queue, 9)) == Names{"1"});
  }
  SUBCASE("by an enqueue that leases them at once") {
    const auto tasks = make_all({{.uid = "1"}, {.uid = "2", .start_by = 70s}});
    const auto done = lossy.without_answer([&] { return queue.enqueue(tasks, up_to(1), start()); });
    CHECK(statuses(done) == std::vector{leased, accepted});
    CHECK(uids(lease(queue, 9)) == Names{"2"});
    CHECK(finish(queue, std::vector{finished(tasks[0], done.outcomes[0].number)}) ==
          std::vector{FinishStatus::done});
  }
  SUBCASE("by an enqueue that leases one of those before") {
    enqueue(queue, {{.uid = "1"}});
    const auto tasks = make_all({{.uid = "2", .start_by = 70s}});
    const auto done = lossy.without_answer([&] { return queue.enqueue(tasks, up_to(1), start()); });
    CHECK(statuses(done) == std::vector{accepted});
    CHECK(uids(done.leased) == Names{"1"});
    CHECK(finish(queue, done.leased) == std::vector{FinishStatus::done});
    CHECK(uids(lease(queue, 9)) == Names{"2"});
  }
  SUBCASE("by a lease") {
    enqueue(queue, {{.uid = "1"}, {.uid = "2", .start_by = 70s}});
    const auto leases = lossy.without_answer([&] { return queue.lease(up_to(1), start()); });
    CHECK(uids(leases) == Names{"1"});
    CHECK(finish(queue, leases) == std::vector{FinishStatus::done});
    CHECK(uids(lease(queue, 9)) == Names{"2"});
  }
}

TEST_CASE("redis lost answer: what is leased to be handed on is held once") {
  LossyQueue lossy;
  TaskQueue& queue = *lossy.queue;
  enqueue(queue, {{.uid = "1"}, {.uid = "2", .start_by = 70s}});
  LeaseWant want = up_to(1);
  want.away = true;
  const auto leases = lossy.without_answer([&] { return queue.lease(want, start()); });
  CHECK(uids(leases) == Names{"1"});
  CHECK(finish(queue, leases) == std::vector{FinishStatus::done});
  CHECK(uids(lease(queue, 9)) == Names{"2"});
  CHECK(must(queue.load(start())).away == 0);
}

TEST_CASE("redis lost answer: what was leased ends, is put off or comes back once") {
  LossyQueue lossy;
  TaskQueue& queue = *lossy.queue;
  enqueue(queue, {{.uid = "1", .chosen = true}, {.uid = "2", .start_by = 70s}});
  const auto leases = lease(queue, 1);
  REQUIRE(leases.size() == 1);
  const LeaseRef held = ref(leases[0]);
  SUBCASE("by its end, and the next one is leased") {
    const std::vector<Finished> ended = {finished(leases[0])};
    std::vector<Lease> next;
    const auto statuses = lossy.without_answer([&] {
      next.clear();
      return queue.finish(ended, up_to(1), start(), next);
    });
    CHECK(statuses == std::vector{FinishStatus::gone});
    CHECK(uids(next) == Names{"2"});
    CHECK(finish(queue, next) == std::vector{FinishStatus::done});
    CHECK(must(queue.kept_result("1", start())).has_value());
  }
  SUBCASE("by the second half of its end, for which others asked") {
    const auto other = open_redis(redis_options(lossy.server, "fog", "b"));
    CHECK(statuses(enqueue(*other, {{.uid = "2", .arrival = 1s}})) == std::vector{duplicate});
    CHECK(finish(queue, leases) == std::vector{FinishStatus::done});
    const auto second = lease(queue, 1);
    enqueue(queue, {{.uid = "3"}});
    const std::vector<Finished> ended = {finished(second.at(0))};
    std::vector<Lease> next;
    const auto statuses = lossy.without_answer(
        [&] {
          next.clear();
          return queue.finish(ended, up_to(1), start(), next);
        },
        1);
    CHECK(statuses == std::vector{FinishStatus::gone});
    CHECK(uids(next) == Names{"3"});
    CHECK(finish(queue, next) == std::vector{FinishStatus::done});
    const auto replies = must(other->wait(0s)).replies;
    REQUIRE(replies.size() == 1);
    CHECK(replies[0].uid == "2");
  }
  SUBCASE("by a retry") {
    const Retry run{held, start() + 5s};
    lossy.without_answer([&] { return queue.retry({&run, 1}, start()); });
    CHECK(must(queue.load(start())).delayed == 1);
    CHECK(uids(lease(queue, 9)) == Names{"2"});
    CHECK(lease(queue, 9, start() + 6s).at(0).attempt == 2);
  }
  SUBCASE("by being given back, begun or not") {
    lossy.without_answer([&] { return queue.started({&held, 1}, start()); });
    lossy.without_answer([&] { return queue.give_back({&held, 1}, start()); });
    CHECK(uids(lease(queue, 9)) == Names{"1", "2"});
  }
  const QueueLoad load = must(queue.load(start()));
  CHECK(load.away + sum(load.queued) == 0);
}

TEST_CASE("redis lost answer: a task that is withdrawn is this holder's, and ends") {
  LossyQueue lossy;
  TaskQueue& queue = *lossy.queue;
  const auto tasks = make_all({{.uid = "1"}, {.uid = "2"}});
  (void)must(queue.enqueue(tasks, {}, start()));
  const Names names = {"1", "2"};
  const auto numbers = lossy.without_answer([&] { return queue.withdraw(names, start()); });
  REQUIRE(numbers.size() == 2);
  CHECK(
      finish(queue, std::vector{finished(tasks[0], numbers[0]), finished(tasks[1], numbers[1])}) ==
      std::vector(2, FinishStatus::done));
  CHECK(must(queue.load(start())).away == 0);
}

TEST_CASE("redis lost answer: a task that is given up is given up") {
  LossyQueue lossy;
  TaskQueue& queue = *lossy.queue;
  enqueue(queue, {{.uid = "1", .chosen = true}});
  const Names names = {"1"};
  const auto statuses = lossy.without_answer([&] { return queue.cancel(names, start()); }, 1);
  CHECK(statuses == std::vector{CancelStatus::already_done});
  CHECK(must(queue.kept_result("1", start()))->error->code == TaskErrorCode::cancelled);
  CHECK(lease(queue, 9).empty());
}

TEST_CASE("redis lost answer: a lease is renewed, and all is given back by who leaves") {
  LossyQueue lossy;
  TaskQueue& queue = *lossy.queue;
  enqueue(queue, {{.uid = "1"}, {.uid = "2", .start_by = 70s, .away = true}});
  (void)lease(queue, 1);
  CHECK(lossy.without_answer([&] { return queue.extend(1, 10s, start()); }));
  CHECK(uids(lease(queue, 9)).empty());
  lossy.without_answer([&] { return queue.leave(start()); }, 1);
  CHECK(uids(lease(queue, 9)) == Names{"1", "2"});
}

}  // namespace fogctl::contract
