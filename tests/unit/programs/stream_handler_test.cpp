#include "programs/stream_handler.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <thread>
#include <vector>

#include "programs/stop_descriptor.hpp"
#include "support/processes.hpp"
#include "support/scratch_folder.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

/// Reads a task into $line and its uid into $uid, and then does what `answer` says; "started" is
/// a line in the file $log for each process.
TaskSpec shell(const ScratchFolder& folder, const std::string& answer) {
  TaskSpec spec;
  spec.name = "own";
  spec.mode = RunMode::stream;
  spec.command = {"sh", "-c",
                  "echo $$ >>\"$log\"; n=0; while read -r line; do uid=${line#*\\\"uid\\\":\\\"}; "
                  "uid=${uid%%\\\"*}; n=$((n+1)); " +
                      answer + "; done"};
  spec.env = {{"log", folder.path() / "log"}};
  spec.timeout = 10s;
  spec.kill_after = 200ms;
  return spec;
}

constexpr const char* answers_count = "echo '{\"uid\":\"'$uid'\",\"content\":'$n'}'";

HandlerOutcome run_once(const Handler& handler, const std::string& uid, const Run& how = {},
                        const std::string& content = "1") {
  Task task;
  task.uid = uid;
  task.name = "own";
  task.content = content;
  return handler.run(task, how);
}

/// Again where it is put off, as the worker pool does.
HandlerOutcome run(const Handler& handler, const std::string& uid, const Run& how = {},
                   const std::string& content = "1") {
  for (;;) {
    auto outcome = run_once(handler, uid, how, content);
    if (outcome || !outcome.error().put_off_until) return outcome;
    std::this_thread::sleep_for(*outcome.error().put_off_until - SystemClock().now());
  }
}

std::vector<pid_t> started(const ScratchFolder& folder) {
  std::ifstream log(folder.path() / "log");
  std::vector<pid_t> pids;
  for (pid_t pid = 0; log >> pid;) pids.push_back(pid);
  return pids;
}

std::string failure_of(const HandlerOutcome& outcome, TaskErrorCode code, bool is_for_good) {
  REQUIRE_FALSE(outcome.has_value());
  CAPTURE(outcome.error().message);
  CHECK(outcome.error().code == code);
  CHECK(outcome.error().is_for_good == is_for_good);
  return outcome.error().message;
}

bool says(const std::string& message, const std::string& part) {
  CAPTURE(message);
  const bool found = message.contains(part);
  CHECK(found);
  return found;
}

TEST_CASE("Stream: a process is started for the first task, and kept for the next") {
  const ScratchFolder folder;
  const Handler handler = stream_handler(shell(folder, answers_count), make_keepers());
  CHECK(started(folder).empty());
  for (int i = 1; i <= 5; ++i) CHECK(run(handler, fmt::format("t{}", i)) == std::to_string(i));
  CHECK(started(folder).size() == 1);
}

TEST_CASE("Stream: the line has uid, content on one line, attempt and what remains of the time") {
  const ScratchFolder folder;
  const Handler handler = stream_handler(
      shell(folder, "echo '{\"uid\":\"'$uid'\",\"content\":['\"$line\"']}'"), make_keepers());
  CHECK(run(handler, "t", {.stop = {}, .attempt = 2}, "{\"a\":\n1.50}") ==
        "[{\"uid\":\"t\",\"content\":{\"a\": 1.50},\"attempt\":2,\"deadline_ms\":10000}]");
}

TEST_CASE("Stream: an error is a failed run, and the process goes on") {
  const ScratchFolder folder;
  const Handler handler = stream_handler(
      shell(folder, "echo '{\"uid\":\"'$uid'\",\"error\":\"no paper\"}'"), make_keepers());
  for (const char* uid : {"a", "b"}) {
    says(failure_of(run(handler, uid), TaskErrorCode::task_failed, false), "no paper");
  }
  CHECK(started(folder).size() == 1);
}

TEST_CASE("Stream: of a long error the last lines are told") {
  const ScratchFolder folder;
  const Handler handler =
      stream_handler(shell(folder,
                           "seq 50000 | tr '\\n' ' ' >\"$log.long\"; "
                           "echo '{\"uid\":\"'$uid'\",\"error\":\"'\"$(cat \"$log.long\")\"'\"}'"),
                     make_keepers());
  const std::string told = failure_of(run(handler, "a"), TaskErrorCode::task_failed, false);
  says(told, "49999 50000");
  CHECK(told.size() < 2100);
}

TEST_CASE("Stream: progress comes to who listens") {
  const ScratchFolder folder;
  const Handler handler = stream_handler(
      shell(folder,
            "for p in 0.25 0.5 7; do echo '{\"uid\":\"'$uid'\",\"progress\":'$p'}'; done; " +
                std::string(answers_count)),
      make_keepers());
  std::vector<double> shares;
  Run how;
  how.progress = [&](double share) { shares.push_back(share); };
  CHECK(run(handler, "a", how) == "1");
  CHECK(shares == std::vector<double>{0.25, 0.5, 1.0});
  CHECK(run(handler, "b") == "2");
}

TEST_CASE("Stream: a process that breaks the protocol is replaced, and the task may be retried") {
  struct Row {
    const char* answer;
    const char* says;
  };
  constexpr Row rows[] = {
      {"echo hello", "wrote 'hello', no JSON object"},
      {"echo '{\"uid\":\"other\",\"content\":1}'", "answered for 'other' instead of 'first'"},
      {"echo '{\"content\":1}'", "answered for ''"},
      {"echo '{\"uid\":\"first\"}'", "neither content, error nor progress"},
      {"echo bye >&2; exit 3", "died in the middle of the task: exit code 3: bye"},
      {"kill -KILL $$", "died in the middle of the task: SIGKILL"},
      {"exec >&-; read -r line", "closed its output"},
      {"head -c 3000000 /dev/zero | tr '\\\\0' x; read -r line", "line of more than 1048576 bytes"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.answer);
    const ScratchFolder folder;
    const Handler handler = stream_handler(
        shell(folder,
              fmt::format("if [ $uid = first ]; then {}; else {}; fi", row.answer, answers_count)),
        make_keepers());
    says(failure_of(run(handler, "first"), TaskErrorCode::task_failed, false), row.says);
    CHECK(run(handler, "second") == "1");
    CHECK(started(folder).size() == 2);
  }
}

TEST_CASE("Stream: what a process says beyond its answer costs it its place, not the task") {
  const ScratchFolder folder;
  // By cat, which writes all of it at once.
  const Handler handler = stream_handler(
      shell(folder, std::string(answers_count) + " >\"$log.out\"; echo more >>\"$log.out\"; "
                                                 "cat \"$log.out\""),
      make_keepers());
  CHECK(run(handler, "a") == "1");
  CHECK(run(handler, "b") == "1");
  CHECK(started(folder).size() == 2);
}

TEST_CASE("Stream: a process that hangs is killed after the timeout, and replaced") {
  const ScratchFolder folder;
  TaskSpec spec = shell(
      folder,
      fmt::format("[ $uid = first ] && trap '' TERM && while :; do :; done; {}", answers_count));
  spec.timeout = 2s;
  const Handler handler = stream_handler(spec, make_keepers());
  says(failure_of(run(handler, "first"), TaskErrorCode::timed_out, true), "no answer within 2s");
  CHECK(run(handler, "second") == "1");
  CHECK(started(folder).size() == 2);
  CHECK_FALSE(is_running(started(folder)[0]));
}

TEST_CASE("Stream: a stop ends the task and its process") {
  const ScratchFolder folder;
  const Handler handler =
      stream_handler(shell(folder, fmt::format("[ $uid = first ] && sleep 100; {}", answers_count)),
                     make_keepers());
  std::stop_source source;
  const std::jthread stopper([&] {
    wait_until([&] { return !started(folder).empty(); });
    source.request_stop();
  });
  failure_of(run(handler, "first", {.stop = source.get_token()}), TaskErrorCode::cancelled, true);
  CHECK_FALSE(is_running(started(folder)[0]));
  CHECK(run(handler, "second") == "1");
}

TEST_CASE("Stream: a stop that comes with the answer is not the next task's") {
  const ScratchFolder folder;
  const Handler handler = stream_handler(
      shell(folder,
            "printf '{\"uid\":\"%s\",\"progress\":0.5}\\n{\"uid\":\"%s\",\"content\":%s}\\n' "
            "$uid $uid $n"),
      make_keepers());
  std::stop_source source;
  Run how{.stop = source.get_token()};
  how.progress = [&](double) { source.request_stop(); };
  CHECK(run(handler, "a", how) == "1");
  const std::stop_source other;
  CHECK(run(handler, "b", {.stop = other.get_token()}) == "2");
}

TEST_CASE("Stream: a process is replaced after max_tasks") {
  const ScratchFolder folder;
  TaskSpec spec = shell(folder, answers_count);
  spec.max_tasks = 2;
  const Handler handler = stream_handler(spec, make_keepers());
  for (int i = 0; i < 6; ++i)
    CHECK(run(handler, fmt::format("t{}", i)) == std::to_string(i % 2 + 1));
  CHECK(started(folder).size() == 3);
  CHECK(wait_until([&] {
    const auto pids = started(folder);
    return std::ranges::none_of(pids, is_running);
  }));
}

TEST_CASE("Stream: an idle process reads the end of its input, and one that stays is killed") {
  for (const char* last : {"echo ended >\"$log.end\"", "while :; do sleep 1; done"}) {
    CAPTURE(last);
    const ScratchFolder folder;
    TaskSpec spec = shell(folder, answers_count);
    spec.command[2] += "; " + std::string(last);
    spec.idle = 50ms;
    const Handler handler = stream_handler(spec, make_keepers());
    CHECK(run(handler, "a") == "1");
    const pid_t pid = started(folder).at(0);
    CHECK(wait_until([&] { return !is_running(pid); }));
    if (last[0] == 'e') CHECK(text_of(folder.path() / "log.end") == "ended\n");
    CHECK(run(handler, "b") == "1");
  }
}

TEST_CASE("Stream: as many processes as tasks at a time, and no more than the concurrency") {
  for (const int most : {0, 2}) {
    const ScratchFolder folder;
    TaskSpec spec = shell(folder, fmt::format("sleep 0.5; {}", answers_count));
    spec.concurrency = most;
    const Handler handler = stream_handler(spec, make_keepers());
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] { CHECK(run(handler, fmt::format("t{}", i))); });
      }
    }
    CHECK(started(folder).size() == (most > 0 ? 2U : 4U));
  }
}

TEST_CASE("Stream: one that dies whenever it is started is started less and less often") {
  const ScratchFolder folder;
  const Handler handler = stream_handler(shell(folder, "exit 1"), make_keepers());
  const SystemClock clock;
  std::size_t runs = 0;
  Instant turn = clock.now();
  for (const Duration pause : {100ms, 200ms, 400ms}) {
    std::this_thread::sleep_for(turn - clock.now());
    const Instant before = clock.now();
    const auto outcome = run_once(handler, "a");
    failure_of(outcome, TaskErrorCode::task_failed, false);
    CHECK_FALSE(outcome.error().put_off_until.has_value());
    const Instant after = clock.now();
    CHECK(started(folder).size() == ++runs);
    const auto put_off = run_once(handler, "a").error().put_off_until;  // no thread sits it out
    if (!put_off && clock.now() >= before + pause) return;  // too slow a machine to tell
    REQUIRE(put_off.has_value());
    turn = *put_off;
    CHECK(turn >= before + pause);
    CHECK(turn <= after + pause);
    CHECK(started(folder).size() == runs);
  }
  TaskSpec spec = shell(folder, "");
  spec.command = {"no-such-program"};
  says(
      failure_of(run(stream_handler(spec, make_keepers()), "a"), TaskErrorCode::task_failed, false),
      "in no folder of its PATH");
}

TEST_CASE("Stream: one that says much while it rests is not held up") {
  const ScratchFolder folder;
  const Handler handler =
      stream_handler(shell(folder, std::string(answers_count) +
                                       "; head -c 400000 /dev/zero | tr '\\0' x >&2; echo >&2; "
                                       "echo >\"$log.done\""),
                     make_keepers());
  CHECK(run(handler, "a") == "1");
  CHECK(wait_until([&] { return std::filesystem::exists(folder.path() / "log.done"); }));
  CHECK(run(handler, "b") == "2");
}

TEST_CASE("Stream: one that died at rest is replaced before it costs a task") {
  const ScratchFolder folder;
  const Handler handler = stream_handler(shell(folder, answers_count), make_keepers());
  CHECK(run(handler, "a") == "1");
  const pid_t pid = started(folder).at(0);
  ::kill(pid, SIGKILL);
  CHECK(wait_until([&] { return !is_running(pid); }));
  CHECK(run(handler, "b") == "1");
}

TEST_CASE("Stream: a moment without descriptors fails a run and the making of a handler, no more") {
  const ScratchFolder folder;
  TaskSpec spec = shell(folder, answers_count);
  spec.concurrency = 1;
  const auto keepers = make_keepers();
  {
    const Handler handler = stream_handler(spec, keepers);
    CHECK(run(handler, "a") == "1");
    const std::stop_source source;
    {
      const NoDescriptors none;
      CHECK_THROWS_AS(StopDescriptor(source.get_token()), std::system_error);
      CHECK_THROWS_AS(stream_handler(spec, keepers), std::system_error);
      CHECK_THROWS_AS(run(handler, "b", {.stop = source.get_token()}), std::system_error);
    }
    CHECK(run(handler, "c", {.stop = source.get_token()}) == "1");  // nobody has its one place
  }
  CHECK(started(folder).size() == 2);
}

TEST_CASE("Stream: with its handler its processes end") {
  const ScratchFolder folder;
  {
    CHECK(run(stream_handler(shell(folder, answers_count), make_keepers()), "a") == "1");
  }
  CHECK_FALSE(is_running(started(folder).at(0)));
}

}  // namespace
}  // namespace fogctl
