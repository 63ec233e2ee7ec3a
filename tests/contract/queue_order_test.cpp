// The queue's contract: in which order tasks are leased, and how many.
#include "contract/queues.hpp"

namespace fogctl::contract {

QUEUE_CASE("queue: the earliest start-by comes first") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "c", .start_by = 30s},
               {.uid = "a", .start_by = 10s},
               {.uid = "b", .start_by = 20s}});
  CHECK(uids(lease(*a, 2)) == Names{"a", "b"});
  CHECK(uids(lease(*a, 2)) == Names{"c"});
  CHECK(lease(*a, 2).empty());
}

QUEUE_CASE("queue: those already late come behind the others, oldest first among them") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "late2", .start_by = 1s, .arrival = 2ms},
               {.uid = "late1", .start_by = 3s, .arrival = 1ms},
               {.uid = "in_time2", .start_by = 50s, .arrival = 0ms},
               {.uid = "in_time1", .start_by = 40s, .arrival = 5ms},
               {.uid = "late3", .start_by = 2s, .arrival = 3ms}});
  CHECK(uids(lease(*a, 3, start() + 20s)) == Names{"in_time1", "in_time2", "late1"});
  CHECK(uids(lease(*a, 3, start() + 20s)) == Names{"late2", "late3"});
}

QUEUE_CASE("queue: a task that can still start exactly at its start-by is not late") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "late", .start_by = 9s}, {.uid = "edge", .start_by = 10s, .arrival = 1s}});
  CHECK(uids(lease(*a, 1, start() + 10s)) == Names{"edge"});
}

QUEUE_CASE("queue: fifo takes the oldest first whatever its start-by") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "b", .start_by = 1s, .arrival = 2ms},
               {.uid = "a", .start_by = 90s, .arrival = 1ms},
               {.uid = "c", .start_by = 50s, .arrival = 3ms}});
  CHECK(uids(lease(*a, 5, start() + 20s, QueueOrder::fifo)) == Names{"a", "b", "c"});
}

QUEUE_CASE("queue: ties are broken in arrival order, within a batch and between batches") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  Names expected;
  for (int batch = 0; batch < 3; ++batch) {
    std::vector<TaskSpec> specs;
    for (int i = 0; i < 12; ++i) {
      specs.push_back({.uid = std::to_string(97 * (i + 12 * batch) % 100)});
      expected.push_back(specs.back().uid);
    }
    enqueue(*a, specs);
  }
  SUBCASE("by start-by") {
    CHECK(uids(lease(*a, 36)) == expected);
  }
  SUBCASE("by age") {
    CHECK(uids(lease(*a, 36, start(), QueueOrder::fifo)) == expected);
  }
  SUBCASE("late") {
    CHECK(uids(lease(*a, 36, start() + 100s)) == expected);
  }
}

QUEUE_CASE("queue: a start-by that never comes sorts last among those in time") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  auto tasks = make_all({{.uid = "never"}, {.uid = "soon", .start_by = 5s}});
  tasks[0].start_by = Instant::max();
  must(a->enqueue(tasks, {}, start()));
  CHECK(uids(lease(*a, 2)) == Names{"soon", "never"});
}

QUEUE_CASE("queue: a want of nothing leases nothing") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t"}});
  CHECK(must(a->lease({}, start())).empty());
  CHECK(must(a->lease({.idle = 5, .at_most = 0}, start())).empty());
  CHECK(must(a->lease({.idle = 0, .at_most = 5, .ahead = 0s}, start())).empty());
}

QUEUE_CASE("queue: beyond the idle workers it leases while the estimates sum to less than ahead") {
  struct Row {
    const char* what;
    LeaseWant want;
    std::size_t taken;
  };
  const ClassDurations estimates = {1ms, 10ms, 100ms};
  const Row rows[] = {
      {"idle workers get one each, whatever it takes",
       {.idle = 3, .at_most = 9, .ahead = 0s, .estimates = estimates},
       3},
      {"at_most bounds the idle ones too",
       {.idle = 3, .at_most = 2, .ahead = 5s, .estimates = estimates},
       2},
      {"2.5 ms ahead is three tasks of 1 ms",
       {.idle = 0, .at_most = 9, .ahead = 2500us, .estimates = estimates},
       3},
      {"what idle workers took counts",
       {.idle = 2, .at_most = 9, .ahead = 3ms, .estimates = estimates},
       3},
      {"the budget is used up by the idle ones",
       {.idle = 4, .at_most = 9, .ahead = 3ms, .estimates = estimates},
       4},
      {"without estimates only at_most bounds",
       {.idle = 1, .at_most = 7, .ahead = 1ms, .estimates = {}},
       7},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Queues<Backend> queues;
    const auto a = queues.open("a");
    std::vector<TaskSpec> specs;
    for (int i = 0; i < 12; ++i) specs.push_back({.uid = "t" + std::to_string(i)});
    SUBCASE("when leasing") {
      enqueue(*a, specs);
      CHECK(must(a->lease(row.want, start())).size() == row.taken);
    }
    SUBCASE("when enqueuing") {
      const auto done = enqueue(*a, specs, row.want);
      CHECK(std::ranges::count(statuses(done), leased) == static_cast<long>(row.taken));
    }
  }
}

QUEUE_CASE("queue: classes weigh in the budget by their own estimates") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "1", .start_by = 1s, .weight = TaskClass::light},
               {.uid = "2", .start_by = 2s, .weight = TaskClass::heavy},
               {.uid = "3", .start_by = 3s, .weight = TaskClass::light}});
  const LeaseWant want{
      .idle = 0, .at_most = 9, .ahead = 50ms, .estimates = {1ms, 10ms, 100ms}, .order = {}};
  CHECK(uids(must(a->lease(want, start()))) == Names{"1", "2"});
}

QUEUE_CASE("queue: enqueue with a want leases the most urgent of what is there at once") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  SUBCASE("from an empty queue") {
    const auto done = enqueue(*a,
                              {{.uid = "x", .start_by = 30s},
                               {.uid = "y", .start_by = 10s},
                               {.uid = "z", .start_by = 20s}},
                              up_to(2));
    CHECK(statuses(done) == std::vector{accepted, leased, leased});
    CHECK(done.leased.empty());
    CHECK(uids(lease(*a, 5)) == Names{"x"});
  }
  SUBCASE("beside what waits already") {
    enqueue(*a, {{.uid = "old", .start_by = 15s}, {.uid = "older", .start_by = 40s}});
    const auto done =
        enqueue(*a, {{.uid = "x", .start_by = 30s}, {.uid = "y", .start_by = 10s}}, up_to(2));
    CHECK(statuses(done) == std::vector{accepted, leased});
    CHECK(uids(done.leased) == Names{"old"});
    CHECK(finish(*a, done.leased) == std::vector{FinishStatus::done});
    CHECK(uids(lease(*a, 5)) == Names{"x", "older"});
  }
  SUBCASE("in the order of the want") {
    const auto done = enqueue(*a,
                              {{.uid = "x", .start_by = 9s, .arrival = 2ms},
                               {.uid = "y", .start_by = 50s, .arrival = 1ms}},
                              up_to(1, QueueOrder::fifo));
    CHECK(statuses(done) == std::vector{accepted, leased});
  }
  SUBCASE("with the number that finishes it") {
    const auto tasks = make_all({{.uid = "x"}});
    const auto done = must(a->enqueue(tasks, up_to(1), start()));
    CHECK(finish(*a, {finished(tasks[0], done.outcomes[0].number)}) ==
          std::vector{FinishStatus::done});
  }
  SUBCASE("with no task at all it is a lease") {
    enqueue(*a, {{.uid = "x"}});
    CHECK(uids(must(a->enqueue({}, up_to(1), start())).leased) == Names{"x"});
  }
}

QUEUE_CASE("queue: 5000 tasks go through in one call each") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  std::vector<TaskSpec> specs;
  for (int i = 0; i < 5000; ++i) specs.push_back({.uid = "t" + std::to_string(i)});
  SUBCASE("queued") {
    enqueue(*a, specs);
    CHECK(sum(must(a->load(start())).queued) == 5000);
    const auto leases = lease(*a, 6000);
    REQUIRE(leases.size() == 5000);
    CHECK(leases[0].task->uid == "t0");
    CHECK(leases[4999].task->uid == "t4999");
    std::vector<LeaseRef> refs;
    for (const Lease& one : leases) refs.push_back(ref(one));
    must(a->started(refs, start()));
    must(a->give_back(refs, start()));
    const auto again = lease(*a, 6000);
    CHECK(uids(again) == uids(leases));
    const auto ended = finish(*a, again);
    CHECK(std::ranges::count(ended, FinishStatus::done) == 5000);
  }
  SUBCASE("leased at once") {
    const auto done = enqueue(*a, specs, up_to(6000));
    CHECK(std::ranges::count(statuses(done), leased) == 5000);
    CHECK(done.leased.empty());
    must(a->leave(start()));
    CHECK(lease(*a, 6000).size() == 5000);
  }
}

}  // namespace fogctl::contract
