// The queue's contract: enqueuing the same task more than once, tasks that are away, the bounds.
#include "contract/queues.hpp"
#include "support/failing_queue.hpp"

namespace fogctl::contract {

using When = FailingQueue::When;

QUEUE_CASE("queue: a task that is sent again is a duplicate, another under its uid a conflict") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t"}});
  SUBCASE("while it is queued") {}
  SUBCASE("while it is held") {
    CHECK(lease(*a, 1).size() == 1);
  }
  const auto again = enqueue(*a, {{.uid = "t", .arrival = 1s},
                                  {.uid = "new"},
                                  {.uid = "t", .name = "other"},
                                  {.uid = "t", .content = "2"}});
  CHECK(statuses(again) == std::vector{duplicate, accepted, conflict, conflict});
  CHECK(sum(must(a->load(start())).queued) + sum(must(a->load(start())).leased) == 2);
}

QUEUE_CASE("queue: a uid twice in one call is queued once") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  SUBCASE("queued") {
    const auto done = enqueue(*a, {{.uid = "t"}, {.uid = "t"}, {.uid = "t", .content = "2"}});
    CHECK(statuses(done) == std::vector{accepted, duplicate, conflict});
    CHECK(lease(*a, 9).size() == 1);
  }
  SUBCASE("leased at once") {
    const auto done = enqueue(*a, {{.uid = "t"}, {.uid = "t"}}, up_to(5));
    CHECK(statuses(done) == std::vector{leased, duplicate});
    CHECK(lease(*a, 9).empty());
  }
}

QUEUE_CASE("queue: uids and contents may hold any bytes") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  const std::string uid = std::string("\0\r\n{} \xff", 7) + bytes;
  enqueue(*a, {{.uid = uid, .chosen = true, .content = bytes}});
  const auto leases = lease(*a, 1);
  REQUIRE(leases.size() == 1);
  CHECK(leases[0].task->uid == uid);
  CHECK(leases[0].task->content == bytes);
  CHECK(finish(*a, {finished(leases[0], bytes)}) == std::vector{FinishStatus::done});
  CHECK(must(a->kept_result(uid, start()))->content == bytes);
}

QUEUE_CASE("queue: a lease carries the task as it was given, its arrival and who waits for it") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  Task task;
  task.uid = "t";
  task.name = "light";
  task.weight = TaskClass::heavy;
  task.offloading_fog = {"n1", "n2"};
  task.other_fields = {{"k", "[1, 2]"}};
  task.waited = 5ms;
  const NewTask given{std::make_shared<const Task>(task), start() - 3ms, start() + 1s};
  must(a->enqueue({&given, 1}, {}, start()));
  const auto leases = lease(*b, 1);
  REQUIRE(leases.size() == 1);
  CHECK(leases[0].task->offloading_fog == task.offloading_fog);
  CHECK(leases[0].task->other_fields == task.other_fields);
  CHECK(leases[0].task->weight == TaskClass::heavy);
  CHECK(leases[0].task->waited == 5ms);
  CHECK(leases[0].attempt == 1);
  CHECK(leases[0].reply_to == "a");
  CHECK(leases[0].arrival - given.arrival < 10ms);
  CHECK(given.arrival - leases[0].arrival < 10ms);
}

QUEUE_CASE("queue: an away task is held at once, and finished or given back like a leased one") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto tasks = make_all({{.uid = "t", .away = true}, {.uid = "u", .away = true}});
  const auto done = must(a->enqueue(tasks, up_to(5), start()));
  CHECK(statuses(done) == std::vector{leased, leased});
  CHECK(lease(*a, 5).empty());
  CHECK(must(a->load(start())).away == 2);
  CHECK(sum(must(a->load(start())).leased) == 0);

  CHECK(finish(*a, {finished(tasks[0], done.outcomes[0].number)}) ==
        std::vector{FinishStatus::done});
  const LeaseRef other{"u", done.outcomes[1].number};
  must(a->give_back({&other, 1}, start()));
  CHECK(must(a->load(start())).away == 0);
  const auto leases = lease(*a, 5);
  CHECK(uids(leases) == Names{"u"});
  CHECK(leases[0].attempt == 1);
}

QUEUE_CASE("queue: that a task was refused is not kept: asked for again, it is a new one") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto ends_with = [&](TaskErrorCode code) {
    const std::string uid(to_string(code));
    const auto tasks = make_all({{.uid = uid, .away = true, .chosen = true}});
    const auto held = must(a->enqueue(tasks, {}, start()));
    Finished end = finished(tasks[0], held.outcomes[0].number);
    end.result.content = "null";
    end.result.error = TaskError{code, "because"};
    CHECK(finish(*a, {end}) == std::vector{FinishStatus::done});
    return statuses(enqueue(*a, {{.uid = uid, .chosen = true}})).at(0);
  };
  using enum TaskErrorCode;
  for (const auto code : {unavailable, overloaded, unplaceable}) CHECK(ends_with(code) == accepted);
  for (const auto code : {unknown_task, task_failed, cancelled}) CHECK(ends_with(code) == done);
}

QUEUE_CASE("queue: an away task comes back when its holder's lease runs out, and is not suspect") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "t", .away = true}, {.uid = "u", .away = true}});
  CHECK(must(b->recover_expired(start() + first_lease + 1s)) == 2);
  const auto leases = lease(*b, 5);
  CHECK(leases.size() == 2);
  CHECK(leases[0].attempt == 1);
}

QUEUE_CASE("queue: the count of tasks is bounded, and there is room again afterwards") {
  QueueLimits limits;
  limits.max_tasks = 3;
  Queues<Backend> queues(limits);
  const auto a = queues.open("a");
  const auto done = enqueue(*a, {{.uid = "1"}, {.uid = "2"}}, up_to(1));
  CHECK(statuses(done) == std::vector{leased, accepted});
  CHECK(statuses(enqueue(*a, {{.uid = "3"}, {.uid = "4"}, {.uid = "1", .arrival = 1s}})) ==
        std::vector{accepted, overloaded, duplicate});
  finish(*a, lease(*a, 1));
  CHECK(statuses(enqueue(*a, {{.uid = "4"}, {.uid = "5"}})) == std::vector{accepted, overloaded});
}

QUEUE_CASE("queue: the bytes of tasks are bounded, and there is room again afterwards") {
  QueueLimits limits;
  limits.max_bytes = 10'000;
  Queues<Backend> queues(limits);
  const auto a = queues.open("a");
  const std::string big(6000, 'x');
  CHECK(statuses(enqueue(
            *a, {{.uid = "1", .content = big}, {.uid = "2", .content = big}, {.uid = "3"}})) ==
        std::vector{accepted, overloaded, accepted});
  CHECK(must(a->load(start())).bytes > 6000);
  finish(*a, lease(*a, 2));
  CHECK(must(a->load(start())).bytes == 0);
  CHECK(statuses(enqueue(*a, {{.uid = "2", .content = big}})) == std::vector{accepted});
}

QUEUE_CASE("queue: an enqueue that failed is repeated with the same outcome") {
  Queues<Backend> queues;
  FailingQueue a(queues.open("a"));
  const auto tasks = make_all({{.uid = "1"}, {.uid = "2", .away = true}, {.uid = "3"}});
  for (const When when : {When::before, When::after}) {
    CAPTURE(static_cast<int>(when));
    a.fail_next(when);
    CHECK(a.enqueue(tasks, up_to(1), start()).error().code == ErrorCode::unavailable);
    auto done = must(a.enqueue(tasks, up_to(1), start() + 1ms));
    CHECK(statuses(done) == std::vector{leased, leased, accepted});
    CHECK(done.leased.empty());
    const auto load = must(a.load(start()));
    CHECK(sum(load.queued) == 1);
    CHECK(sum(load.leased) == 1);
    CHECK(load.away == 1);
    CHECK(finish(a, {finished(tasks[0], done.outcomes[0].number),
                     finished(tasks[1], done.outcomes[1].number)}) ==
          std::vector{FinishStatus::done, FinishStatus::done});
    CHECK(finish(a, lease(a, 5)) == std::vector{FinishStatus::done});
    CHECK(must(a.load(start())).bytes == 0);
  }
}

QUEUE_CASE("queue: an enqueue that is repeated without room for its lease leaves no lost lease") {
  Queues<Backend> queues;
  FailingQueue a(queues.open("a"));
  const auto tasks = make_all({{.uid = "1"}});
  a.fail_next(When::after);
  CHECK(!a.enqueue(tasks, up_to(1), start()));
  CHECK(statuses(must(a.enqueue(tasks, {}, start()))) == std::vector{accepted});
  CHECK(lease(a, 1).size() == 1);
}

QUEUE_CASE("queue: a repeated enqueue of a task that another holder took meanwhile is accepted") {
  Queues<Backend> queues;
  FailingQueue a(queues.open("a"));
  const auto b = queues.open("b");
  const auto tasks = make_all({{.uid = "1"}});
  a.fail_next(When::after);
  CHECK(!a.enqueue(tasks, {}, start()));
  const auto leases = lease(*b, 1);
  CHECK(statuses(must(a.enqueue(tasks, up_to(1), start()))) == std::vector{accepted});
  CHECK(finish(*b, leases) == std::vector{FinishStatus::done});
}

QUEUE_CASE("queue: a duplicate of a task that runs here does not start it twice") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto done = enqueue(*a, {{.uid = "1"}}, up_to(1));
  const LeaseRef run{"1", done.outcomes[0].number};
  must(a->started({&run, 1}, start()));
  CHECK(statuses(enqueue(*a, {{.uid = "1"}}, up_to(1))) == std::vector{duplicate});
  CHECK(statuses(enqueue(*a, {{.uid = "1", .arrival = 1ms}}, up_to(1))) == std::vector{duplicate});
}

}  // namespace fogctl::contract
