// The queue's contract: leases, their fencing, what is lost and recovered, and what counts.
#include "contract/queues.hpp"
#include "support/failing_queue.hpp"

namespace fogctl::contract {

constexpr Duration past = first_lease + 1s;  // after which a first lease has run out

QUEUE_CASE("queue: a superseded run can change nothing any more") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "t"}});
  const auto old = lease(*a, 1);
  REQUIRE(old.size() == 1);
  CHECK(must(b->recover_expired(start() + past)) == 1);

  CHECK(finish(*a, old) == std::vector{FinishStatus::superseded});
  const auto current = lease(*b, 1, start() + past);
  REQUIRE(current.size() == 1);
  CHECK(current[0].number != old[0].number);
  const LeaseRef stale = ref(old[0]);
  must(a->started({&stale, 1}, start() + past));
  must(a->give_back({&stale, 1}, start() + past));
  CHECK(finish(*a, old) == std::vector{FinishStatus::superseded});
  CHECK(finish(*b, {{.lease = stale, .task = old[0].task, .result = {}, .reply_to = {}}}) ==
        std::vector{FinishStatus::superseded});
  CHECK(finish(*b, current) == std::vector{FinishStatus::done});
  CHECK(finish(*b, current) == std::vector{FinishStatus::gone});
  CHECK(finish(*a, old) == std::vector{FinishStatus::gone});
}

QUEUE_CASE("queue: the same holder leasing again gets another number, and the old one is void") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t"}});
  const auto old = lease(*a, 1);
  CHECK(must(a->recover_expired(start() + past)) == 1);
  const auto current = lease(*a, 1, start() + past);
  REQUIRE(current.size() == 1);
  CHECK(current[0].number != old[0].number);
  CHECK(finish(*a, old) == std::vector{FinishStatus::superseded});
  CHECK(finish(*a, current) == std::vector{FinishStatus::done});
}

QUEUE_CASE("queue: only holders whose lease ran out are recovered") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "1"}, {.uid = "2"}});
  const auto of_a = lease(*a, 1);
  const auto of_b = lease(*b, 1);
  CHECK(must(b->extend(1, 60s, start() + 5s)));
  CHECK(recover(*a, start() + 1s, start() + first_lease) == 0);
  CHECK(must(b->recover_expired(start() + past)) == 1);
  CHECK(must(b->recover_expired(start() + past)) == 0);
  CHECK(finish(*a, of_a) == std::vector{FinishStatus::superseded});
  CHECK(finish(*b, of_b) == std::vector{FinishStatus::done});
}

QUEUE_CASE("queue: extend tells a holder once that it lost what it held") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  CHECK(must(a->extend(2, 5s, start())));
  enqueue(*a, {{.uid = "t"}}, up_to(1));
  CHECK(must(a->extend(2, 5s, start() + 4s)));
  SUBCASE("not when its lease ran out and nobody recovered it") {
    CHECK(must(a->extend(2, 5s, start() + 30s)));
    CHECK(must(b->recover_expired(start() + 31s)) == 0);
  }
  SUBCASE("when others recovered it") {
    CHECK(must(b->recover_expired(start() + 30s)) == 1);
    CHECK_FALSE(must(a->extend(2, 5s, start() + 30s)));
    CHECK(must(a->extend(2, 5s, start() + 31s)));
  }
  SUBCASE("even if it has leased again in between") {
    CHECK(must(b->recover_expired(start() + 30s)) == 1);
    CHECK(lease(*a, 1, start() + 30s).size() == 1);
    CHECK_FALSE(must(a->extend(2, 5s, start() + 31s)));
  }
}

QUEUE_CASE("queue: leasing after the lease ran out makes it live again") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "1"}, {.uid = "2"}});
  const auto old = lease(*a, 1);
  const auto current = lease(*a, 1, start() + past);
  CHECK(must(b->recover_expired(start() + past + 1s)) == 0);
  CHECK(finish(*a, old) == std::vector{FinishStatus::done});
  CHECK(finish(*a, current) == std::vector{FinishStatus::done});
}

QUEUE_CASE("queue: a run that may have begun counts as an attempt when its lease is lost") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(
      *a,
      {{.uid = "1", .start_by = 1s}, {.uid = "2", .start_by = 2s}, {.uid = "3", .start_by = 3s}});
  const auto batch = lease(*a, 2);  // 1 and 2: leased ahead of each other
  const LeaseRef begun = ref(batch[0]);
  must(a->started({&begun, 1}, start()));
  const auto alone = lease(*a, 1);  // 3
  CHECK(must(b->recover_expired(start() + past)) == 3);

  const std::pair<std::string, std::uint32_t> expected[] = {{"1", 2}, {"2", 1}, {"3", 2}};
  for (const auto& [uid, attempt] : expected) {
    const auto leases = lease(*b, 10, start());
    REQUIRE(leases.size() == 1);  // recovered: it comes alone
    CHECK(leases[0].task->uid == uid);
    CHECK(leases[0].attempt == attempt);
  }
}

QUEUE_CASE("queue: attempts add up, and a task that was recovered comes alone until it is done") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "killer", .start_by = 1s}, {.uid = "other", .start_by = 2s}});
  Instant now = start();
  CHECK(lease(*a, 9, now).size() == 2);
  for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
    CHECK(recover(*a, now, now + past) > 0);
    now += past;
    const auto leases = must(a->lease(
        {.idle = 9, .at_most = 9, .ahead = 1s, .estimates = {}, .order = QueueOrder::fifo}, now));
    REQUIRE(uids(leases) == Names{"killer"});
    CHECK(leases[0].attempt == attempt);
    CHECK(must(a->extend(1, first_lease, now)) == false);
  }
}

QUEUE_CASE("queue: tasks before a recovered one are leased without it, and those behind after it") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "2", .start_by = 22s}}, up_to(1));
  CHECK(must(b->recover_expired(start() + past)) == 1);
  enqueue(*b, {{.uid = "1", .start_by = 21s},
               {.uid = "3", .start_by = 23s},
               {.uid = "4", .start_by = 24s}});
  CHECK(uids(lease(*b, 9)) == Names{"1"});
  CHECK(uids(lease(*b, 9)) == Names{"2"});
  CHECK(uids(lease(*b, 9)) == Names{"3", "4"});
}

QUEUE_CASE("queue: giving back is no attempt, and the task comes back where it was") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "1"}, {.uid = "2"}, {.uid = "3"}});
  const auto first = lease(*a, 1);
  const LeaseRef begun = ref(first[0]);
  must(a->started({&begun, 1}, start()));
  must(a->give_back({&begun, 1}, start()));
  const auto leases = lease(*a, 9);
  CHECK(uids(leases) == Names{"1", "2", "3"});
  CHECK(leases[0].attempt == 1);
  CHECK(leases[0].number != first[0].number);
}

QUEUE_CASE("queue: who leaves puts back what it holds and no longer counts") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  must(a->leave(start()));  // before it ever held anything
  CHECK(must(a->extend(3, 10s, start())));
  CHECK(must(b->extend(2, 10s, start())));
  const auto done = enqueue(*a, {{.uid = "1"}, {.uid = "2"}, {.uid = "3", .away = true}}, up_to(2));
  const LeaseRef begun{"1", done.outcomes[0].number};
  must(a->started({&begun, 1}, start()));
  CHECK(must(a->load(start())).workers == 5);
  must(a->leave(start()));
  const auto load = must(b->load(start()));
  CHECK(load.workers == 2);
  CHECK(load.away == 0);
  const auto leases = lease(*b, 9);
  REQUIRE(uids(leases) == Names{"1", "2", "3"});
  for (const Lease& one : leases) CHECK(one.attempt == 1);
  CHECK(must(a->extend(3, 10s, start())));  // it may come back: nothing was lost to it
}

QUEUE_CASE("queue: the load counts by state and class and returns to nothing") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  CHECK(must(a->load(start())).bytes == 0);
  enqueue(*a, {{.uid = "l1", .start_by = 1s},
               {.uid = "l2"},
               {.uid = "m", .weight = TaskClass::medium},
               {.uid = "h", .weight = TaskClass::heavy},
               {.uid = "w", .weight = TaskClass::heavy, .away = true}});
  const auto one = lease(*b, 1);
  auto load = must(b->load(start()));
  CHECK(load.queued == std::array<std::size_t, 3>{1, 1, 1});
  CHECK(load.leased == std::array<std::size_t, 3>{1, 0, 0});
  CHECK(load.away == 1);
  CHECK(load.bytes > 0);

  finish(*b, one);
  CHECK(must(a->extend(4, 10s, start())));
  CHECK(must(a->load(start() + 10s)).workers == 4);
  CHECK(must(a->load(start() + 10001ms)).workers == 0);
  CHECK(must(a->recover_expired(start() + past)) == 1);
  finish(*a, lease(*a, 9, start() + past));
  load = must(a->load(start() + past));
  CHECK(load.queued == std::array<std::size_t, 3>{});
  CHECK(load.leased == std::array<std::size_t, 3>{});
  CHECK(load.away == 0);
  CHECK(load.workers == 0);
  CHECK(load.bytes == 0);
}

QUEUE_CASE("queue: finishing leases the next in the same call") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "1", .start_by = 1s}, {.uid = "2", .start_by = 2s}});
  const auto first = lease(*a, 1);
  const Finished done = finished(first[0]);
  std::vector<Lease> next;
  CHECK(must(a->finish({&done, 1}, up_to(3), start(), next)) == std::vector{FinishStatus::done});
  CHECK(uids(next) == Names{"2"});
  CHECK(must(a->finish({}, up_to(3), start(), next)).empty());
  CHECK(next.size() == 1);
}

QUEUE_CASE("queue: every other call that failed may be made again too") {
  Queues<Backend> queues;
  FailingQueue a(queues.open("a"));
  const auto again = [&](FailingQueue::When when, auto call) {
    a.fail_next(when);
    CHECK(call().error().code == ErrorCode::unavailable);
    return must(call());
  };
  for (const auto when : {FailingQueue::When::before, FailingQueue::When::after}) {
    CAPTURE(static_cast<int>(when));
    CHECK(again(when, [&] { return a.extend(1, 60s, start()); }));
    enqueue(a, {{.uid = "t"}});
    const LeaseRef given = ref(lease(a, 1).at(0));
    again(when, [&] { return a.started({&given, 1}, start()); });
    again(when, [&] { return a.give_back({&given, 1}, start()); });
    const auto leases = lease(a, 2);
    REQUIRE(leases.size() == 1);
    const Finished done = finished(leases[0]);
    std::vector<Lease> next;
    const auto ended = again(when, [&] { return a.finish({&done, 1}, {}, start(), next); });
    const bool took_effect = when == FailingQueue::When::after;
    CHECK(ended[0] == (took_effect ? FinishStatus::gone : FinishStatus::done));
    enqueue(a, {{.uid = "u"}}, up_to(1));
    again(when, [&] { return a.leave(start()); });
    finish(a, lease(a, 2));
    const auto load = again(when, [&] { return a.load(start()); });
    CHECK(load.bytes == 0);
  }
}

}  // namespace fogctl::contract
