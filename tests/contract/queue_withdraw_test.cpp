// The queue's contract: queued tasks that are taken out of it, to be handed on.
#include "contract/queues.hpp"

namespace fogctl::contract {

namespace {

using Numbers = std::vector<std::uint32_t>;

Numbers withdraw(TaskQueue& queue, const Names& uids, Instant now = start()) {
  return must(queue.withdraw(uids, now));
}

}  // namespace

QUEUE_CASE("queue: a withdrawn task is away, and ends as such or comes back to its place") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto tasks = make_all({{.uid = "1", .start_by = 10s},
                               {.uid = "2", .start_by = 20s, .weight = TaskClass::heavy},
                               {.uid = "3", .start_by = 30s}});
  (void)must(a->enqueue(tasks, {}, start()));
  const Numbers numbers = withdraw(*a, {"2", "1"});
  REQUIRE(numbers.size() == 2);
  CHECK(numbers[0] != 0);
  CHECK(numbers[1] != 0);
  QueueLoad load = must(a->load(start()));
  CHECK(load.away == 2);
  CHECK(load.queued == std::array<std::size_t, task_class_count>{1, 0, 0});
  CHECK(sum(load.leased) == 0);

  const LeaseRef first{"1", numbers[1]};
  must(a->give_back({&first, 1}, start()));
  const auto leases = lease(*a, 9);
  CHECK(uids(leases) == Names{"1", "3"});
  CHECK(leases[0].attempt == 1);
  CHECK(finish(*a, std::vector{finished(tasks[0], numbers[1])}) ==
        std::vector{FinishStatus::superseded});
  CHECK(finish(*a, std::vector{finished(tasks[1], numbers[0])}) == std::vector{FinishStatus::done});
  CHECK(finish(*a, leases) == std::vector{FinishStatus::done, FinishStatus::done});
  load = must(a->load(start()));
  CHECK(load.away + load.bytes + sum(load.queued) + sum(load.leased) == 0);
}

QUEUE_CASE("queue: who ends a withdrawn task says whether its result is kept") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto tasks = make_all({{.uid = "kept", .chosen = true}, {.uid = "not", .chosen = true}});
  (void)must(a->enqueue(tasks, {}, start()));
  const Numbers numbers = withdraw(*a, {"kept", "not"});
  std::vector ends = {finished(tasks[0], numbers[0]), finished(tasks[1], numbers[1])};
  auto given_up = std::make_shared<Task>(*ends[1].task);
  given_up->uid_chosen = false;
  ends[1].task = given_up;
  CHECK(finish(*a, ends) == std::vector{FinishStatus::done, FinishStatus::done});
  const auto again = must(a->enqueue(tasks, {}, start()));
  CHECK(again.outcomes[0].status == EnqueueStatus::done);
  CHECK(again.outcomes[1].status == EnqueueStatus::accepted);
}

QUEUE_CASE("queue: what does not wait for a worker cannot be withdrawn") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "leased", .start_by = 1s}, {.uid = "failed", .start_by = 2s}});
  const auto leases = lease(*b, 2);
  REQUIRE(leases.size() == 2);
  const Retry run{ref(leases[1]), start() + 9s};
  must(b->retry({&run, 1}, start()));
  enqueue(*a, {{.uid = "done", .start_by = 3s, .chosen = true}});
  CHECK(finish(*b, lease(*b, 1)) == std::vector{FinishStatus::done});
  CHECK(withdraw(*a, {"leased", "failed", "done", "unknown"}) == Numbers{0, 0, 0, 0});
  CHECK(finish(*b, std::vector{leases[0]}) == std::vector{FinishStatus::done});
  CHECK(must(a->load(start())).delayed == 1);
}

// Where its answer was lost, the first one took effect.
QUEUE_CASE("queue: a withdrawal that is made again says what it said before") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  const auto tasks = make_all({{.uid = "1"}, {.uid = "2"}});
  (void)must(a->enqueue(tasks, {}, start()));
  const Numbers first = withdraw(*a, {"1"});
  REQUIRE(first[0] != 0);
  CHECK(withdraw(*b, {"1"}) == Numbers{0});
  CHECK(withdraw(*a, {"1"}) == first);
  const Numbers both = withdraw(*a, {"2", "1"});
  CHECK(both[0] != 0);
  CHECK(both[1] == first[0]);
  CHECK(finish(*a, std::vector{finished(tasks[0], first[0]), finished(tasks[1], both[0])}) ==
        std::vector{FinishStatus::done, FinishStatus::done});
  CHECK(withdraw(*a, {"1", "2"}) == Numbers{0, 0});
  CHECK(must(a->load(start())).away == 0);
}

QUEUE_CASE("queue: a task that two wait for is withdrawn by neither") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "both"}, {.uid = "one"}});
  const auto again = must(b->enqueue(make_all({{.uid = "both"}}), {}, start()));
  REQUIRE(again.outcomes[0].status == EnqueueStatus::duplicate);
  CHECK(withdraw(*b, {"both"}) == Numbers{0});
  const Numbers of_a = withdraw(*a, {"both", "one"});
  CHECK(of_a[0] == 0);
  CHECK(of_a[1] != 0);
  CHECK(uids(lease(*a, 9)) == Names{"both"});
}

QUEUE_CASE("queue: of two who withdraw a task one has it, also within one call") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "t"}});
  const Numbers of_b = withdraw(*b, {"t", "t"});
  REQUIRE(of_b.size() == 2);
  CHECK(of_b[0] != 0);
  CHECK(of_b[1] == of_b[0]);
  CHECK(withdraw(*a, {"t"}) == Numbers{0});
  const LeaseRef not_mine{"t", of_b[0]};
  must(a->give_back({&not_mine, 1}, start()));
  CHECK(must(a->load(start())).away == 1);
}

QUEUE_CASE("queue: a withdrawn task whose holder is lost comes back, and no attempt counts") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "t"}});
  REQUIRE(withdraw(*b, {"t"})[0] != 0);
  const Instant later = start() + first_lease + 1s;
  CHECK(must(a->recover_expired(later)) == 1);
  const auto leases = lease(*a, 1, later);
  REQUIRE(uids(leases) == Names{"t"});
  CHECK(leases[0].attempt == 1);
}

QUEUE_CASE("queue: late tasks and those of a paused queue can be withdrawn") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "1", .start_by = 1s, .arrival = -1s},
               {.uid = "2", .start_by = 2s},
               {.uid = "3", .start_by = 90s}});
  const auto leased = lease(*a, 1, start() + 60s);  // the others were looked at: those late, by age
  REQUIRE(uids(leased) == Names{"3"});
  must(a->pause(true));
  const Numbers numbers = withdraw(*a, {"2"}, start() + 60s);
  CHECK(numbers[0] != 0);
  must(a->pause(false));
  CHECK(uids(lease(*a, 9, start() + 60s)) == Names{"1"});
  const LeaseRef second{"2", numbers[0]};
  must(a->give_back({&second, 1}, start() + 60s));
  CHECK(uids(lease(*a, 9, start() + 60s)) == Names{"2"});
}

}  // namespace fogctl::contract
