// The queue's contract: what people see of it, pausing it, and tasks that are taken to be handed
// on.
#include "contract/queues.hpp"

namespace fogctl::contract {

namespace {

Names listed(TaskQueue& queue, TaskState state, std::size_t most = 10) {
  Names names;
  for (const TaskInfo& info : must(queue.list(state, most, start()))) {
    CHECK(info.state == state);
    names.push_back(info.task->uid);
  }
  return names;
}

LeaseWant to_hand_on(std::size_t tasks) {
  LeaseWant want = up_to(tasks);
  want.away = true;
  return want;
}

}  // namespace

QUEUE_CASE("queue: while it is paused nothing is leased to be run, and all else goes on") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "running"}});
  const auto running = lease(*a, 1);
  must(a->pause(true));
  CHECK(must(a->load(start())).is_paused);
  CHECK(statuses(enqueue(*a, {{.uid = "t"}}, up_to(1))) == std::vector{accepted});
  CHECK(lease(*a, 5).empty());
  std::vector<Lease> next;
  must(a->finish(std::vector{finished(running[0])}, up_to(5), start(), next));
  CHECK(next.empty());
  std::ignore = must(a->wait(0s));
  must(a->pause(false));
  CHECK(must(a->wait(2s)).work);
  CHECK_FALSE(must(a->load(start())).is_paused);
  CHECK(uids(lease(*a, 5)) == Names{"t"});
}

QUEUE_CASE("queue: what lies in it can be looked at") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "held", .arrival = -9s}, {.uid = "failed", .arrival = -8s}});
  const auto leases = lease(*b, 2);
  for (const Lease& one : leases) {
    if (one.task->uid != "failed") continue;
    const Retry run{ref(one), start() + 7s};
    must(b->retry({&run, 1}, start()));
  }
  enqueue(*a, {{.uid = "second", .start_by = 20s, .arrival = -3s},
               {.uid = "first", .start_by = 10s, .arrival = -1s},
               {.uid = "gone", .away = true}});
  CHECK(listed(*a, TaskState::queued) == Names{"first", "second"});
  CHECK(listed(*a, TaskState::queued, 1) == Names{"first"});
  CHECK(listed(*a, TaskState::queued, 0).empty());
  CHECK(listed(*a, TaskState::delayed) == Names{"failed"});
  CHECK(listed(*a, TaskState::leased) == Names{"held"});
  CHECK(listed(*a, TaskState::away) == Names{"gone"});

  const auto near = [](Instant one, Instant other) { return std::chrono::abs(one - other) < 10ms; };
  const auto first = must(a->find("first", start()));
  REQUIRE(first.has_value());
  CHECK(first->state == TaskState::queued);
  CHECK(near(first->arrival, start() - 1s));
  CHECK(near(first->start_by, start() + 10s));
  CHECK(first->attempt == 1);
  const auto held = must(a->find("held", start()));
  REQUIRE(held.has_value());
  CHECK(held->state == TaskState::leased);
  CHECK(held->holder == "b");
  const auto failed = must(a->find("failed", start()));
  REQUIRE(failed.has_value());
  CHECK(failed->state == TaskState::delayed);
  CHECK(failed->attempt == 2);
  CHECK_FALSE(must(a->find("nobody", start())).has_value());

  const OldestTasks oldest = must(a->oldest(start()));
  CHECK(oldest.size() == 4);
  CHECK(near(oldest.at(TaskState::queued), start() - 3s));
  CHECK(near(oldest.at(TaskState::leased), start() - 9s));
  CHECK(near(oldest.at(TaskState::delayed), start() - 8s));
}

QUEUE_CASE("queue: tasks that are taken to be handed on are away at once") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "2", .start_by = 20s}, {.uid = "1", .start_by = 10s}, {.uid = "3"}});
  must(a->pause(true));  // handing on needs no worker
  const auto taken = must(a->lease(to_hand_on(2), start()));
  CHECK(uids(taken) == Names{"1", "2"});
  QueueLoad load = must(a->load(start()));
  CHECK(load.away == 2);
  CHECK(sum(load.queued) == 1);
  CHECK(sum(load.leased) == 0);
  const LeaseRef back = ref(taken[0]);
  must(a->give_back({&back, 1}, start()));
  CHECK(finish(*a, std::vector{finished(taken[1])}) == std::vector{FinishStatus::done});
  load = must(a->load(start()));
  CHECK(load.away == 0);
  CHECK(sum(load.queued) == 2);
  must(a->pause(false));
  const auto again = lease(*a, 5);
  CHECK(uids(again) == Names{"1", "3"});
  CHECK(again[0].attempt == 1);
}

QUEUE_CASE("queue: a lost holder's tasks that were taken to be handed on count no run") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "t"}});
  CHECK(must(a->lease(to_hand_on(1), start())).size() == 1);
  CHECK(must(b->recover_expired(start() + first_lease + 1s)) == 1);
  const auto again = lease(*b, 1, start() + first_lease + 1s);
  REQUIRE(again.size() == 1);
  CHECK(again[0].attempt == 1);
}

}  // namespace fogctl::contract
