// The queue's contract: runs that failed and are tried again, and tasks that are given up.
#include "contract/queues.hpp"

namespace fogctl::contract {

namespace {

void put_off(TaskQueue& queue, const Lease& lease, Duration until) {
  const Retry run{ref(lease), start() + until};
  must(queue.retry({&run, 1}, start()));
}

CancelStatus cancel(TaskQueue& queue, const std::string& uid, Instant now = start()) {
  return must(queue.cancel({&uid, 1}, now)).at(0);
}

std::vector<TaskResult> replies(TaskQueue& queue) {
  return must(queue.wait(2s)).replies;
}

constexpr Duration past = first_lease + 1s;

}  // namespace

QUEUE_CASE("queue: a failed run is tried again from its time on, and the attempt counts") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t", .weight = TaskClass::medium}});
  const auto first = lease(*a, 1);
  REQUIRE(first.size() == 1);
  put_off(*a, first[0], 5s);
  QueueLoad load = must(a->load(start()));
  CHECK(load.delayed == 1);
  CHECK(sum(load.queued) + sum(load.leased) == 0);
  CHECK(load.bytes > 0);
  CHECK(lease(*a, 1, start() + 4s).empty());
  const auto second = lease(*a, 1, start() + 5s);
  REQUIRE(uids(second) == Names{"t"});
  CHECK(second[0].attempt == 2);
  load = must(a->load(start()));
  CHECK(load.delayed == 0);
  CHECK(load.leased[1] == 1);
  put_off(*a, second[0], 6s);
  const auto third = lease(*a, 1, start() + 6s);
  REQUIRE(third.size() == 1);
  CHECK(third[0].attempt == 3);
  CHECK(finish(*a, first) == std::vector{FinishStatus::superseded});
  CHECK(finish(*a, third) == std::vector{FinishStatus::done});
  CHECK(must(a->load(start())).bytes == 0);
}

QUEUE_CASE("queue: a task that is put off comes back at its time, and its attempt is the same") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t", .weight = TaskClass::heavy}});
  auto now = start();
  for (int times = 0; times < 120; ++times) {  // more than the runs that a ticket can count
    const auto leases = lease(*a, 1, now);
    REQUIRE(uids(leases) == Names{"t"});
    REQUIRE(leases[0].attempt == 1);
    now += 1s;
    const Retry later{ref(leases[0]), now, false};
    must(a->retry({&later, 1}, now));
    REQUIRE(lease(*a, 1, now - 1ms).empty());
    must(a->extend(1, first_lease, now));
  }
  const auto failed = lease(*a, 1, now);
  const Retry again{ref(failed.at(0)), now, true};
  must(a->retry({&again, 1}, now));
  const auto second = lease(*a, 1, now);
  REQUIRE(second.size() == 1);
  CHECK(second[0].attempt == 2);
  const Retry later{ref(second[0]), now, false};
  must(a->retry({&later, 1}, now));
  const auto third = lease(*a, 1, now);
  REQUIRE(third.size() == 1);
  CHECK(third[0].attempt == 2);
  CHECK(finish(*a, third) == std::vector{FinishStatus::done});
  const QueueLoad load = must(a->load(now));
  CHECK(sum(load.queued) + sum(load.leased) + load.delayed + load.bytes == 0);
}

QUEUE_CASE("queue: a delayed task is leased by a finish or an enqueue that wants one") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t"}, {.uid = "u"}});
  const auto both = lease(*a, 2);
  put_off(*a, both[0], 1s);
  std::vector<Lease> next;
  must(a->finish(std::vector{finished(both[1])}, up_to(1), start() + 2s, next));
  REQUIRE(uids(next) == Names{both[0].task->uid});
  put_off(*a, next[0], 3s);
  // It is due, but a task that comes to an empty queue may go first.
  const auto enqueued = enqueue(*a, {{.uid = "v", .start_by = 90s}}, up_to(2), start() + 4s);
  const auto rest = lease(*a, 2, start() + 4s);
  CHECK(enqueued.leased.size() + rest.size() == 1);
}

QUEUE_CASE("queue: a superseded run cannot be put off") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t"}});
  const auto old = lease(*a, 1);
  CHECK(must(a->recover_expired(start() + past)) == 1);
  put_off(*a, old[0], 5s);
  CHECK(must(a->load(start())).delayed == 0);
  CHECK(lease(*a, 1, start() + past).size() == 1);
}

QUEUE_CASE("queue: an attempt elsewhere counts, and so do failed and lost runs together") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  NewTask task = make({.uid = "t"});
  Task travelled = *task.task;
  travelled.attempts = 2;
  task.task = std::make_shared<const Task>(travelled);
  must(a->enqueue({&task, 1}, {}, start()));
  const auto first = lease(*a, 1);
  REQUIRE(first.size() == 1);
  CHECK(first[0].attempt == 3);
  put_off(*a, first[0], 0s);
  const auto second = lease(*a, 1);
  REQUIRE(second.size() == 1);
  CHECK(second[0].attempt == 4);
  CHECK(must(a->recover_expired(start() + past)) == 1);  // it was leased alone
  const auto third = lease(*a, 1, start() + past);
  REQUIRE(third.size() == 1);
  CHECK(third[0].attempt == 5);
}

QUEUE_CASE("queue: a task that waits is given up at once") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "queued", .chosen = true}, {.uid = "late", .start_by = -5s}});
  enqueue(*a, {{.uid = "put_off"}});
  const auto all = lease(*b, 3);
  for (const Lease& one : all) {
    if (one.task->uid == "put_off") {
      put_off(*b, one, 60s);
    } else {
      const LeaseRef back = ref(one);
      must(b->give_back({&back, 1}, start()));
    }
  }
  for (const std::string uid : {"queued", "late", "put_off"}) {
    CHECK(cancel(*b, uid) == CancelStatus::cancelled);
    const auto heard = replies(*a);
    REQUIRE(heard.size() == 1);
    CHECK(heard[0] == cancelled_result(uid));
  }
  const QueueLoad load = must(a->load(start()));
  CHECK(sum(load.queued) + sum(load.leased) + load.delayed == 0);
  CHECK(load.bytes == 0);
  CHECK(lease(*a, 3, start() + 100s).empty());
  CHECK(cancel(*a, "queued") == CancelStatus::already_done);
  CHECK(cancel(*a, "late") == CancelStatus::unknown);
  CHECK(must(a->kept_result("queued", start()))->error->code == TaskErrorCode::cancelled);
}

QUEUE_CASE("queue: a task that is held is given up when its run ends") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "t", .chosen = true}});
  const auto run = lease(*b, 1);
  CHECK(cancel(*a, "t") == CancelStatus::will_apply);
  CHECK(must(b->wait(2s)).cancelled == Names{"t"});
  CHECK(finish(*b, run) == std::vector{FinishStatus::cancelled});
  const auto heard = replies(*a);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0] == cancelled_result("t"));
  CHECK(must(a->kept_result("t", start()))->error->code == TaskErrorCode::cancelled);
  CHECK(must(a->load(start())).bytes == 0);
  CHECK(cancel(*a, "t") == CancelStatus::already_done);
}

QUEUE_CASE("queue: a task that was given up while held ends when it comes back") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "t"}});
  const auto run = lease(*b, 1);
  CHECK(cancel(*a, "t") == CancelStatus::will_apply);
  SUBCASE("given back") {
    const LeaseRef back = ref(run[0]);
    must(b->give_back({&back, 1}, start()));
    must(a->recover_expired(start()));
  }
  SUBCASE("put off") {
    put_off(*b, run[0], 60s);
    must(a->recover_expired(start()));
  }
  SUBCASE("recovered") {
    must(a->recover_expired(start() + past));
  }
  const auto heard = replies(*a);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0] == cancelled_result("t"));
  CHECK(lease(*a, 1, start() + 100s).empty());
  CHECK(must(a->load(start())).bytes == 0);
}

QUEUE_CASE("queue: what a holder says of a task that was away stands") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t", .away = true, .chosen = true}});
  const auto leases = enqueue(*a, {{.uid = "t", .away = true, .chosen = true}});
  CHECK(cancel(*a, "t") == CancelStatus::will_apply);
  CHECK(must(a->wait(2s)).cancelled == Names{"t"});
  const NewTask task = make({.uid = "t", .away = true, .chosen = true});
  CHECK(finish(*a, std::vector{finished(task, leases.outcomes[0].number)}) ==
        std::vector{FinishStatus::done});
  CHECK(must(a->kept_result("t", start()))->content == "42");
}

QUEUE_CASE("queue: who asked for a task as well hears that it was given up") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "t", .chosen = true}});
  CHECK(statuses(enqueue(*b, {{.uid = "t", .chosen = true}})) == std::vector{duplicate});
  CHECK(cancel(*a, "t") == CancelStatus::cancelled);
  CHECK(replies(*a).size() == 1);
  CHECK(replies(*b).size() == 1);
  CHECK(cancel(*a, "nobody") == CancelStatus::unknown);
}

}  // namespace fogctl::contract
