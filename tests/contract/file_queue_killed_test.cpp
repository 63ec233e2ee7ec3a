// The queue in a file whose process was killed: the next one finds what was answered, and what was
// held queued again.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <map>
#include <set>

#include "contract/queues.hpp"

namespace fogctl::contract {
namespace {

/// Runs it in a process of its own that is gone by SIGKILL when it returns, with nothing closed.
void in_killed_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    body();
    ::raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(WTERMSIG(status) == SIGKILL);
}

/// What the calls so far must have left behind for the next process.
struct Expected {
  std::map<std::string, std::uint32_t> attempts;  // of each task that is queued again
  std::set<std::string> lone;                     // those that come alone
  Names kept;                                     // results
  Names dead;
};

struct Step {
  std::function<void(TaskQueue&)> call;
  std::function<void(Expected&)> then;
};

std::vector<Step> life_of_a_queue(std::vector<Lease>& batch, std::vector<Lease>& alone) {
  return {
      {[](TaskQueue& queue) {
         enqueue(queue, {{.uid = "1", .start_by = 1000s, .chosen = true},
                         {.uid = "2", .start_by = 2000s},
                         {.uid = "3", .start_by = 3000s},
                         {.uid = "4", .start_by = 4000s},
                         {.uid = "away", .start_by = 5000s, .away = true}});
       },
       [](Expected& left) {
         left.attempts = {{"1", 1}, {"2", 1}, {"3", 1}, {"4", 1}, {"away", 1}};
       }},
      {[&](TaskQueue& queue) { batch = lease(queue, 3); },
       [](Expected& left) { left.lone = {"1", "2", "3"}; }},
      {[&](TaskQueue& queue) {
         const LeaseRef begun = ref(batch.at(1));
         must(queue.started({&begun, 1}, start()));
       },
       [](Expected& left) { left.attempts["2"] = 2; }},
      {[&](TaskQueue& queue) { finish(queue, {finished(batch.at(0))}); },
       [](Expected& left) {
         left.attempts.erase("1");
         left.lone.erase("1");
         left.kept = {"1"};
       }},
      {[&](TaskQueue& queue) {
         const LeaseRef given = ref(batch.at(2));
         must(queue.give_back({&given, 1}, start()));
       },
       [](Expected& left) { left.lone.erase("3"); }},
      {[&](TaskQueue& queue) { alone = lease(queue, 1); },
       [](Expected& left) {
         left.lone.insert("3");
         left.attempts["3"] = 2;
       }},
      {[&](TaskQueue& queue) {
         Finished died = finished(alone.at(0));
         died.dead_after = 3;
         finish(queue, std::vector{died});
       },
       [](Expected& left) {
         left.attempts.erase("3");
         left.lone.erase("3");
         left.dead = {"3"};
       }},
      {[](TaskQueue& queue) { enqueue(queue, {{.uid = "5", .start_by = 500s}}, up_to(1)); },
       [](Expected& left) {
         left.attempts["5"] = 2;
         left.lone.insert("5");
       }},
      {[](TaskQueue& queue) { must(queue.leave(start())); },
       [](Expected& left) {
         left.attempts["2"] = 1;
         left.attempts["5"] = 1;
         left.lone.clear();
       }},
  };
}

void check(TaskQueue& queue, const Expected& expected) {
  const auto load = must(queue.load(start()));
  CHECK(sum(load.queued) == expected.attempts.size());
  CHECK(sum(load.leased) + load.away + load.workers == 0);
  CHECK((load.bytes > 0) == !expected.attempts.empty());
  CHECK(load.dead == expected.dead.size());
  Names dead;
  for (const DeadTask& task : must(queue.dead(9))) dead.push_back(task.task->uid);
  CHECK(dead == expected.dead);
  for (const std::string& uid : expected.kept) {
    CHECK(must(queue.kept_result(uid, start())) == result_of(uid));
  }
  auto left = expected.attempts;
  while (!left.empty()) {
    const auto leases = lease(queue, 9);
    REQUIRE_FALSE(leases.empty());
    if (expected.lone.empty()) CHECK(leases.size() == left.size());
    for (const Lease& one : leases) {
      CAPTURE(one.task->uid);
      REQUIRE(left.contains(one.task->uid));
      CHECK(one.attempt == left[one.task->uid]);
      CHECK(one.reply_to.empty());  // who waited for it is gone
      if (expected.lone.contains(one.task->uid)) CHECK(leases.size() == 1);
      left.erase(one.task->uid);
    }
    for (const FinishStatus status : finish(queue, leases)) CHECK(status == FinishStatus::done);
  }
  CHECK(lease(queue, 9).empty());
  CHECK(must(queue.load(start())).bytes == 0);
}

}  // namespace

TEST_CASE("file queue: killed after any call, it goes on with what was held queued again at once") {
  std::vector<Lease> batch, alone;
  const auto steps = life_of_a_queue(batch, alone);
  for (std::size_t made = 0; made <= steps.size(); ++made) {
    CAPTURE(made);
    const ScratchFolder folder;
    Expected expected;
    for (std::size_t i = 0; i < made; ++i) steps[i].then(expected);
    in_killed_child([&] {
      FileQueue queue(open_file(file_options(folder)), "before");
      for (std::size_t i = 0; i < made; ++i) steps[i].call(queue);
    });
    FileQueue queue(open_file(file_options(folder)), "after");
    check(queue, expected);
  }
}

TEST_CASE("file queue: killed at any moment, it has what was answered, and nothing twice") {
  const ScratchFolder folder;
  constexpr std::size_t batch_size = 8;
  std::set<std::string> known;  // enqueued, and not yet seen as finished
  for (int round = 0; round < 12; ++round) {
    int answers[2];
    REQUIRE(::pipe(answers) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      FileQueue queue(open_file(file_options(folder)), "before");
      const auto tell = [&](char what, const std::string& uid) {
        const std::string line = what + uid + '\n';
        [[maybe_unused]] const auto written = ::write(answers[1], line.data(), line.size());
      };
      for (int i = 0;; ++i) {
        std::vector<TaskSpec> specs;
        for (std::size_t k = 0; k < batch_size; ++k) {
          specs.push_back(
              {.uid = std::to_string(round) + "-" + std::to_string(i) + "-" + std::to_string(k)});
        }
        enqueue(queue, specs);
        for (const TaskSpec& spec : specs) tell('+', spec.uid);
        const auto leases = lease(queue, batch_size / 2);
        for (const Lease& one : leases) tell('?', one.task->uid);  // may be finished from now on
        finish(queue, leases);
        for (const Lease& one : leases) tell('-', one.task->uid);
      }
    }
    ::close(answers[1]);
    std::string told;
    char piece[4096];
    const Instant end = system_clock().now() + 15ms + round * 3ms;
    bool is_killed = false;
    for (ssize_t size = 0; (size = ::read(answers[0], piece, sizeof(piece))) > 0;) {
      told.append(piece, static_cast<std::size_t>(size));
      if (is_killed || system_clock().now() < end) continue;
      ::kill(child, SIGKILL);
      is_killed = true;
    }
    ::close(answers[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(is_killed);

    std::set<std::string> maybe;
    std::size_t from = 0;
    for (std::size_t at_end = 0; (at_end = told.find('\n', from)) != std::string::npos;) {
      const std::string uid = told.substr(from + 1, at_end - from - 1);
      if (told[from] == '+') known.insert(uid);
      if (told[from] == '?') maybe.insert(uid);
      if (told[from] == '-') known.erase(uid), maybe.erase(uid);
      from = at_end + 1;
    }
    FileQueue queue(open_file(file_options(folder)), "after");
    std::set<std::string> found;
    while (true) {
      const auto leases = lease(queue, 1000);
      if (leases.empty()) break;
      for (const Lease& one : leases) CHECK(found.insert(one.task->uid).second);
    }
    must(queue.leave(start()));
    for (const std::string& uid : known) {
      CAPTURE(uid);
      CHECK((found.contains(uid) || maybe.contains(uid)));
    }
    // At most the batch whose answer did not come is more than was told.
    CHECK(found.size() <= known.size() + batch_size);
    known = found;
  }
}

TEST_CASE("file queue: a task of an earlier life answers whoever asks for it now") {
  const ScratchFolder folder;
  in_killed_child([&] {
    FileQueue queue(open_file(file_options(folder)), "node");
    enqueue(queue, {{.uid = "t", .chosen = true}}, up_to(1));
  });
  FileQueue queue(open_file(file_options(folder)), "node");
  CHECK(statuses(enqueue(queue, {{.uid = "t", .chosen = true}})) == std::vector{duplicate});
  CHECK(finish(queue, lease(queue, 1)) == std::vector{FinishStatus::done});
  CHECK(must(queue.wait(5s)).replies.size() == 1);
}

}  // namespace fogctl::contract
