// The queue's contract: kept results, replies to other holders, and waking those who wait.
#include <future>
#include <thread>

#include "contract/queues.hpp"

namespace fogctl::contract {

constexpr Duration long_wait = 20s;  // a case that waits so long has failed

QUEUE_CASE("queue: a result is kept for a client that chose the uid, and only for that one") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "kept", .chosen = true}, {.uid = "not"}});
  finish(*a, lease(*a, 2));
  const auto kept = must(a->kept_result("kept", start()));
  REQUIRE(kept.has_value());
  CHECK(*kept == result_of("kept"));
  CHECK_FALSE(must(a->kept_result("not", start())).has_value());

  const auto again = enqueue(*a, {{.uid = "kept", .arrival = 1s, .chosen = true},
                                  {.uid = "kept", .chosen = true, .content = "2"},
                                  {.uid = "not"}});
  CHECK(statuses(again) == std::vector{done, conflict, accepted});
  CHECK(again.outcomes[0].result == result_of("kept"));
}

QUEUE_CASE("queue: an error is kept like any other result") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t", .chosen = true}});
  auto done = finished(lease(*a, 1).at(0));
  done.result.error = TaskError{TaskErrorCode::expired, "too late"};
  finish(*a, std::vector{done});
  CHECK(must(a->kept_result("t", start())) == done.result);
}

QUEUE_CASE("queue: a kept result goes when its time is up") {
  QueueLimits limits;
  limits.result_ttl = 60s;
  Queues<Backend> queues(limits);
  const auto a = queues.open("a");
  enqueue(*a, {{.uid = "t", .chosen = true}});
  finish(*a, lease(*a, 1));
  CHECK(must(a->kept_result("t", start() + 60s)).has_value());
  CHECK_FALSE(must(a->kept_result("t", start() + 61s)).has_value());
  CHECK(statuses(enqueue(*a, {{.uid = "t", .chosen = true}}, {}, start() + 61s)) ==
        std::vector{accepted});
}

QUEUE_CASE("queue: the oldest results go when there are too many bytes of them") {
  QueueLimits limits;
  limits.max_result_bytes = 10'000;
  Queues<Backend> queues(limits);
  const auto a = queues.open("a");
  for (int i = 0; i < 4; ++i) {
    const std::string uid = "t" + std::to_string(i);
    enqueue(*a, {{.uid = uid, .chosen = true}});
    finish(*a, {finished(lease(*a, 1).at(0), std::string(3000, 'r'))}, start() + i * 1s);
  }
  CHECK_FALSE(must(a->kept_result("t0", start())).has_value());
  for (const char* uid : {"t1", "t2", "t3"}) CHECK(must(a->kept_result(uid, start())).has_value());
}

QUEUE_CASE("queue: a result reaches the other holder that waits for it, once") {
  Queues<Backend> queues;
  const auto node = queues.open("node");
  const auto worker = queues.open("worker");
  enqueue(*node, {{.uid = "1"}, {.uid = "2"}, {.uid = "3"}});
  must(node->wait(0s));
  auto leases = lease(*worker, 3);
  REQUIRE(leases.size() == 3);
  finish(*worker, std::vector{leases[0], leases[1]});
  auto news = must(node->wait(long_wait));
  REQUIRE(news.replies.size() == 2);
  CHECK(news.replies[0] == result_of("1"));
  CHECK(news.replies[1] == result_of("2"));
  finish(*worker, std::vector{leases[2]});
  finish(*worker, std::vector{leases[2]});  // gone: not sent again
  news = must(node->wait(long_wait));
  REQUIRE(news.replies.size() == 1);
  CHECK(news.replies[0].uid == "3");
  CHECK(must(node->wait(0s)).replies.empty());
  CHECK(must(worker->wait(0s)).replies.empty());
}

QUEUE_CASE("queue: a superseded result is sent to nobody") {
  Queues<Backend> queues;
  const auto node = queues.open("node");
  const auto worker = queues.open("worker");
  enqueue(*node, {{.uid = "1", .chosen = true}});
  const auto old = lease(*worker, 1);
  CHECK(must(node->recover_expired(start() + first_lease + 1s)) == 1);
  finish(*worker, old);
  CHECK(must(node->wait(0s)).replies.empty());
  CHECK_FALSE(must(node->kept_result("1", start())).has_value());
}

QUEUE_CASE("queue: a holder that asks for a task of another one gets the result too") {
  Queues<Backend> queues;
  const auto before = queues.open("before");
  const auto after = queues.open("after");  // the node after a restart
  const auto worker = queues.open("worker");
  enqueue(*before, {{.uid = "1", .chosen = true}});
  const auto leases = lease(*worker, 1);
  CHECK(statuses(enqueue(*after, {{.uid = "1", .arrival = 5s, .chosen = true}})) ==
        std::vector{duplicate});
  finish(*worker, leases);
  for (TaskQueue* queue : {before.get(), after.get()}) {
    const auto news = must(queue->wait(long_wait));
    REQUIRE(news.replies.size() == 1);
    CHECK(news.replies[0] == result_of("1"));
  }
}

QUEUE_CASE("queue: who waits is woken when tasks appear") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  must(b->wait(0s));
  CHECK_FALSE(must(b->wait(0s)).work);
  SUBCASE("before the wait began") {
    enqueue(*a, {{.uid = "t"}});
    CHECK(must(b->wait(long_wait)).work);
  }
  SUBCASE("during the wait") {
    auto waiting = std::async(std::launch::async, [&] { return must(b->wait(long_wait)); });
    enqueue(*a, {{.uid = "t"}});
    CHECK(waiting.get().work);
  }
  SUBCASE("because they were given back") {
    const auto done = enqueue(*a, {{.uid = "t"}}, up_to(1));
    const LeaseRef given{"t", done.outcomes[0].number};
    must(a->give_back({&given, 1}, start()));
    CHECK(must(b->wait(long_wait)).work);
  }
  SUBCASE("because they were recovered") {
    enqueue(*a, {{.uid = "t"}}, up_to(1));
    must(a->recover_expired(start() + first_lease + 1s));
    CHECK(must(b->wait(long_wait)).work);
  }
  SUBCASE("and not when all of them were leased at once") {
    enqueue(*a, {{.uid = "t"}}, up_to(1));
    CHECK_FALSE(must(b->wait(10ms)).work);
  }
}

QUEUE_CASE("queue: who waits is woken for what a lone recovered task leaves behind") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  enqueue(*a, {{.uid = "1"}, {.uid = "2"}}, up_to(2));
  must(b->recover_expired(start() + first_lease + 1s));
  must(b->wait(0s));
  CHECK(lease(*a, 5).size() == 1);
  CHECK(must(b->wait(long_wait)).work);
}

QUEUE_CASE("queue: a wait ends in time without news, and at once when it is interrupted") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  must(a->wait(0s));
  const Instant before = system_clock().now();
  CHECK_FALSE(must(a->wait(30ms)).work);
  CHECK(system_clock().now() - before >= 25ms);

  auto waiting = std::async(std::launch::async, [&] { return must(a->wait(long_wait)); });
  a->interrupt();
  CHECK_FALSE(waiting.get().work);
  CHECK_FALSE(must(a->wait(long_wait)).work);
  CHECK(system_clock().now() - before < long_wait);
}

QUEUE_CASE(
    "queue: threads that enqueue, lease and finish at the same time lose and repeat nothing") {
  Queues<Backend> queues;
  const auto a = queues.open("a");
  const auto b = queues.open("b");
  constexpr int each = 300;
  std::atomic<int> effective{0};
  const auto work = [&](TaskQueue& queue, const std::string& prefix) {
    for (int i = 0; i < each; ++i) {
      enqueue(queue, {{.uid = prefix + std::to_string(i)}});
      for (const FinishStatus status : finish(queue, lease(queue, 2))) {
        if (status == FinishStatus::done) ++effective;
      }
    }
  };
  {
    std::jthread one([&] { work(*a, "one"); });
    std::jthread two([&] { work(*a, "two"); });
    std::jthread three([&] { work(*b, "three"); });
  }
  effective += static_cast<int>(finish(*a, lease(*a, 3 * each)).size());
  CHECK(effective == 3 * each);
  CHECK(must(a->load(start())).bytes == 0);
}

}  // namespace fogctl::contract
