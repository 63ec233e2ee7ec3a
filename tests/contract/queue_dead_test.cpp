// The queue's contract: tasks that failed for good are kept for a person.
#include "contract/dead_tasks.hpp"

namespace fogctl::contract {

QUEUE_CASE("queue: a task that failed for good is kept with why, when and after how many runs") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t", .weight = TaskClass::heavy, .content = "[1]"}});
  let_die(*a, start() + 5s);
  const auto found = must(a->dead(10));
  REQUIRE(found.size() == 1);
  CHECK(found[0].task->uid == "t");
  CHECK(found[0].task->content == "[1]");
  CHECK(found[0].attempts == 3);
  CHECK(found[0].result.error->message == "it killed its worker");
  CHECK(found[0].result.node == "n");
  CHECK(std::chrono::abs(found[0].died_at - (start() + 5s)) < 10ms);
  const QueueLoad load = must(a->load(start()));
  CHECK(load.dead == 1);
  CHECK(sum(load.leased) + sum(load.queued) == 0);
  CHECK(load.bytes == 0);
  CHECK(lease(*a, 10).empty());
}

QUEUE_CASE("queue: a superseded run cannot make a task die") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t"}});
  const auto old = lease(*a, 1);
  CHECK(must(a->recover_expired(start() + first_lease + 1s)) == 1);
  CHECK(finish(*a, std::vector{dead(old[0], 3)}) == std::vector{FinishStatus::superseded});
  CHECK(must(a->dead(10)).empty());
}

QUEUE_CASE("queue: who waits for a task hears that it died, and its result is kept") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "t", .chosen = true}});
  let_die(*b);
  const QueueNews news = must(a->wait(5s));
  REQUIRE(news.replies.size() == 1);
  CHECK(news.replies[0].error->code == TaskErrorCode::task_failed);
  CHECK(statuses(enqueue(*a, {{.uid = "t", .chosen = true}})) == std::vector{done});
}

QUEUE_CASE("queue: the dead are listed newest first, and the oldest go past the bound") {
  Queues<Backend> queues({.max_dead = 3});
  const auto a = queues.open("a");
  for (int i = 0; i < 5; ++i) {
    enqueue(*a, {{.uid = "t" + std::to_string(i)}});
    let_die(*a, start() + i * 1s);
  }
  CHECK(dead_uids(*a) == Names{"t4", "t3", "t2"});
  CHECK(dead_uids(*a, 1) == Names{"t4"});
  CHECK(dead_uids(*a, 0).empty());
  CHECK(must(a->load(start())).dead == 3);
}

QUEUE_CASE("queue: the oldest of the dead go past the bound on their bytes") {
  Queues<Backend> queues({.max_dead_bytes = 35'000});
  const auto a = queues.open("a");
  for (int i = 0; i < 5; ++i) {
    die(*a, "t" + std::to_string(i), 10'000, start() + i * 1s);
    CHECK(must(a->load(start())).dead_bytes <= 35'000);
  }
  CHECK(dead_uids(*a) == Names{"t4", "t3", "t2"});
  CHECK(must(a->load(start())).dead == 3);
  CHECK(must(a->load(start())).dead_bytes > 30'000);
}

QUEUE_CASE("queue: a long dead task takes the place of many short ones at once") {
  Queues<Backend> queues({.max_dead_bytes = 200'000});
  const auto a = queues.open("a");
  for (int i = 0; i < 160; ++i) die(*a, "s" + std::to_string(i), 1'000, start() + i * 1ms);
  die(*a, "long", 199'000, start() + 1s);
  CHECK(dead_uids(*a) == Names{"long"});
  CHECK(must(a->load(start())).dead_bytes <= 200'000);
}

QUEUE_CASE(
    "queue: a dead task beyond the bound on bytes is answered, not kept, and costs no other") {
  Queues<Backend> queues({.max_dead_bytes = 35'000});
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  die(*a, "short", 1'000);
  const std::size_t bytes = must(a->load(start())).dead_bytes;
  enqueue(*a, {{.uid = "long", .content = content_of(40'000)}});
  let_die(*b, start() + 1s);
  const QueueNews news = must(a->wait(5s));
  REQUIRE(news.replies.size() == 1);
  CHECK(news.replies[0].error->code == TaskErrorCode::task_failed);
  CHECK(dead_uids(*a) == Names{"short"});
  const QueueLoad load = must(a->load(start()));
  CHECK(load.dead == 1);
  CHECK(load.dead_bytes == bytes);
  CHECK(load.bytes == 0);
}

QUEUE_CASE("queue: the bytes of the dead are known, whatever becomes of them") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto bytes = [&] { return must(a->load(start())).dead_bytes; };
  CHECK(bytes() == 0);
  die(*a, "t", 1'000);
  const std::size_t of_one = bytes();
  CHECK(of_one > 1'000);
  CHECK(of_one < 1'500);
  die(*a, "u", 1'000);
  die(*a, "v", 2'000);
  CHECK(bytes() == 3 * of_one + 1'000);
  CHECK(must(a->bury(Names{"u", "nobody"})) == 1);
  CHECK(bytes() == 2 * of_one + 1'000);
  die(*a, "v", 3'000, start() + 1s);  // another of its uid: it takes its place
  CHECK(bytes() == 2 * of_one + 2'000);
  CHECK(must(a->revive(Names{"t"}, start())) == 1);
  CHECK(bytes() == of_one + 2'000);
  let_die(*a);
  CHECK(bytes() == 2 * of_one + 2'000);
  CHECK(must(a->bury(Names{"t", "v"})) == 2);
  CHECK(bytes() == 0);
}

QUEUE_CASE("queue: a dead task that is revived runs as a new one, whatever was kept of it") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t", .chosen = true}, {.uid = "u"}});
  let_die(*a);
  const Names wanted = {"t", "nobody"};
  CHECK(must(a->revive(wanted, start() + 1s)) == 1);
  CHECK(dead_uids(*a) == Names{"u"});
  const auto again = lease(*a, 10, start() + 1s);
  REQUIRE(uids(again) == Names{"t"});
  CHECK(again[0].attempt == 1);
  CHECK(finish(*a, again) == std::vector{FinishStatus::done});
  CHECK(must(a->kept_result("t", start()))->content == "42");
  CHECK(must(a->revive(wanted, start())) == 0);
}

QUEUE_CASE("queue: a dead task that is buried is gone") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t"}, {.uid = "u"}});
  let_die(*a);
  const Names wanted = {"t", "nobody"};
  CHECK(must(a->bury(wanted)) == 1);
  CHECK(dead_uids(*a) == Names{"u"});
  CHECK(must(a->bury(wanted)) == 0);
  CHECK(must(a->revive(wanted, start())) == 0);
  CHECK(lease(*a, 10).empty());
}

}  // namespace fogctl::contract
