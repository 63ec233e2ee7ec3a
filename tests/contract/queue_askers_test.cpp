// The queue's contract: tasks that several holders wait for.
#include "contract/queues.hpp"

namespace fogctl::contract {

namespace {

/// The holder asks for the task `t`, which another one put there.
EnqueueStatus ask(TaskQueue& queue) {
  return statuses(enqueue(queue, {{.uid = "t", .arrival = 1s}})).at(0);
}

Names replies(TaskQueue& queue) {
  Names uids;
  for (const TaskResult& result : must(queue.wait(0s)).replies) uids.push_back(result.uid);
  return uids;
}

/// What `queue` has taken out of it, to end as given up.
Finished given_up(TaskQueue& queue) {
  const std::string uid = "t";
  const auto number = must(queue.withdraw({&uid, 1}, start())).at(0);
  REQUIRE(number != 0);
  Finished end = finished(make({.uid = uid}), number);
  end.result = cancelled_result(uid);
  end.unless_asked = true;
  return end;
}

}  // namespace

QUEUE_CASE("queue: every holder that asks for a task gets its result, once") {
  Queues<Backend> queues;
  std::vector<std::unique_ptr<TaskQueue>> askers;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t"}});
  for (const char* name : {"b", "bb", "c", "b"}) askers.push_back(queues.open(name));
  for (const auto& asker : askers) CHECK(ask(*asker) == duplicate);
  askers.pop_back();
  SUBCASE("of a worker") {
    finish(*queues.open("worker"), lease(*queues.open("worker"), 1));
  }
  SUBCASE("that it was given up") {
    const std::string uid = "t";
    CHECK(must(a->cancel({&uid, 1}, start())) == std::vector{CancelStatus::cancelled});
  }
  for (const auto& asker : askers) CHECK(replies(*asker) == Names{"t"});
  CHECK(replies(*a) == Names{"t"});

  enqueue(*a, {{.uid = "t"}});  // a new one: nobody but `a` waits for it
  finish(*askers[0], lease(*askers[0], 1));
  for (const auto& asker : askers) CHECK(replies(*asker).empty());
}

QUEUE_CASE("queue: who asks hears of what others ended beside it, and they lease as they want") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "s"}, {.uid = "t"}, {.uid = "u"}, {.uid = "v"}});
  CHECK(ask(*b) == duplicate);
  // Their results are nobody else's, and not kept: but for b, `a` need not say them.
  const auto leases = lease(*a, 3);
  std::vector<Finished> ended;
  for (const Lease& one : leases) ended.push_back(finished(one));
  ended[0].lease.number += 1;
  std::vector<Lease> next;
  CHECK(must(a->finish(ended, up_to(1), start(), next)) ==
        std::vector{FinishStatus::superseded, FinishStatus::done, FinishStatus::done});
  CHECK(uids(next) == Names{"v"});
  CHECK(replies(*b) == Names{"t"});
  CHECK(finish(*a, ended) ==
        std::vector{FinishStatus::superseded, FinishStatus::gone, FinishStatus::gone});
  CHECK(replies(*b).empty());
}

QUEUE_CASE("queue: as many wait for a task as are promised its result, and no more") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t"}});
  std::vector<std::unique_ptr<TaskQueue>> askers;
  for (std::size_t i = 0; i < most_askers; ++i) {
    askers.push_back(queues.open("asker" + std::to_string(i)));
    CHECK(ask(*askers.back()) == duplicate);
  }
  const auto late = queues.open("late");
  CHECK(ask(*late) == overloaded);
  CHECK(ask(*askers.front()) == duplicate);
  CHECK(ask(*a) == duplicate);
  finish(*a, lease(*a, 1));
  for (const auto& asker : askers) CHECK(replies(*asker) == Names{"t"});
  CHECK(replies(*late).empty());
}

QUEUE_CASE("queue: what is given up ends, unless another holder has asked for it meanwhile") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "t"}});
  const Finished end = given_up(*a);
  must(b->wait(0s));
  SUBCASE("nobody has") {
    CHECK(finish(*a, {end}) == std::vector{FinishStatus::done});
    CHECK(ask(*b) == accepted);
  }
  SUBCASE("one has: it is queued again") {
    CHECK(ask(*b) == duplicate);
    CHECK(finish(*a, {end}) == std::vector{FinishStatus::superseded});
    CHECK(finish(*a, {end}) == std::vector{FinishStatus::superseded});
    const auto news = must(b->wait(0s));
    CHECK(news.work);
    CHECK(news.replies.empty());
    const auto load = must(a->load(start()));
    CHECK(load.away == 0);
    CHECK(sum(load.queued) == 1);
    const auto leases = lease(*a, 9);
    REQUIRE(uids(leases) == Names{"t"});
    CHECK(leases[0].attempt == 1);
    CHECK(finish(*a, leases) == std::vector{FinishStatus::done});
    CHECK(replies(*b) == Names{"t"});
  }
  const auto load = must(a->load(start()));
  CHECK(load.away + sum(load.leased) == 0);
}

QUEUE_CASE("queue: an end that is superseded is none, whoever waits for the task") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t"}});
  const Finished end = given_up(*a);
  CHECK(must(a->recover_expired(start() + first_lease + 1s)) == 1);
  CHECK(finish(*a, {end}) == std::vector{FinishStatus::superseded});
  CHECK(uids(lease(*a, 9)) == Names{"t"});
}

}  // namespace fogctl::contract
