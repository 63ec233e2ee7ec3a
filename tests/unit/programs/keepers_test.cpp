// What keepers promise, against programs that try to get around it.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "json/json.hpp"
#include "programs/run_program.hpp"
#include "programs/task_program.hpp"
#include "support/processes.hpp"
#include "support/programs.hpp"
#include "support/scratch_folder.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

std::vector<pid_t> pids_in(const std::string& path) {
  std::ifstream file(path);
  std::vector<pid_t> pids;
  for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
  return pids;
}

bool none_runs(const std::vector<pid_t>& pids) {
  return std::ranges::none_of(pids, is_running);
}

TEST_CASE("A program that ignores SIGTERM and a daemon of its own are killed after the timeout") {
  const ScratchFolder folder;
  const std::string pids = folder.path() / "pids";
  const ProgramRun ended =
      run(shell(fmt::format(
              "trap '' TERM; echo $$ >>{0}; (setsid sh -c 'trap \"\" TERM; echo $$ >>{0}; "
              "while :; do sleep 1; done' &); while :; do sleep 1; done",
              pids)),
          2s);
  CHECK(ended.cut == Cut::timed_out);
  CHECK(pids_in(pids).size() == 2);
  CHECK(none_runs(pids_in(pids)));
}

TEST_CASE("A program that kills its keeper: the run ends, what it left dies, the next one runs") {
  const ScratchFolder folder;
  const std::string pids = folder.path() / "pids";
  const auto keepers = make_keepers();
  const auto before = descendants();
  ProgramRules rules;
  rules.timeout = 20s;
  const auto ended =
      run_program(*keepers,
                  program_of(shell(fmt::format(
                      "keeper=$PPID; (setsid sh -c 'echo $$ >>{0}; while :; do sleep 1; done' &); "
                      "until [ -s {0} ]; do :; done; kill -KILL $keeper; while :; do sleep 1; done",
                      pids))),
                  rules);
  REQUIRE(ended);
  CHECK(ended->exit.is_lost);
  CHECK(pids_in(pids).size() == 1);
  CHECK(none_runs(pids_in(pids)));
  CHECK(wait_until([&] { return descendants() == before; }));
  CHECK(run_program(*keepers, program_of(shell("echo 1")), rules)->output == "1\n");
}

TEST_CASE("A program that left what cannot be ended holds up no other") {
  const ScratchFolder folder;
  const std::string pids = folder.path() / "pids";
  const std::string traced = folder.path() / "traced";
  const auto keepers = make_keepers();
  const auto others = make_keepers();
  std::atomic<bool> is_given_up = false;
  std::jthread stuck([&] {
    const auto spec = program_of(shell(
        fmt::format("keeper=$PPID; (setsid sh -c 'echo $$ >{0}; exec sleep 1000' &); "
                    "until [ -s {1} ]; do sleep 0.01; done; kill -KILL $keeper; exec sleep 1000",
                    pids, traced)));
    std::ignore = run_program(*keepers, spec, {});
    is_given_up = true;
  });
  REQUIRE(wait_until([&] { return pids_in(pids).size() == 1; }));
  const pid_t held = pids_in(pids)[0];
  // Whoever is traced stays, dead, until its tracer has waited for it.
  const pid_t tracer = ::fork();
  REQUIRE(tracer >= 0);
  if (tracer == 0) {
    if (::ptrace(PTRACE_SEIZE, held, nullptr, nullptr) != 0) ::_exit(1);
    for (;;) ::pause();
  }
  const bool is_traced = wait_until(
      [&] {
        return text_of(fmt::format("/proc/{}/status", held))
            .contains(fmt::format("TracerPid:\t{}\n", tracer));
      },
      1s);
  std::ofstream(traced) << "1\n";
  if (is_traced) {
    REQUIRE(wait_until([&] { return !is_running(held); }));
    CHECK(run_program(*others, program_of(shell("echo 1")), {})->output == "1\n");
    CHECK_FALSE(is_given_up);
    stuck.join();
    const SystemClock clock;
    const Instant given_up = clock.now();
    const auto again = program_of(shell("kill -KILL $PPID; sleep 1000"));
    std::ignore = run_program(*keepers, again, {});
    CHECK(clock.now() - given_up < 5s);  // as long as it was waited for
  }
  ::kill(tracer, SIGKILL);
  ::waitpid(tracer, nullptr, 0);
}

TEST_CASE("A keeper that was killed at rest costs the next run nothing") {
  const auto keepers = make_keepers();
  ProgramRules rules;
  const auto first = run_program(*keepers, program_of(shell("echo $PPID")), rules);
  REQUIRE(first);
  const pid_t keeper = std::stoi(first->output);
  CHECK(is_running(keeper));
  ::kill(keeper, SIGKILL);
  CHECK(wait_until([&] { return !is_running(keeper); }));
  CHECK(run_program(*keepers, program_of(shell("echo 1")), rules)->output == "1\n");
}

TEST_CASE("A keeper that was killed with its order unread costs the run nothing") {
  const auto keepers = make_keepers();
  const pid_t keeper =
      std::stoi(run_program(*keepers, program_of(shell("echo $PPID")), {})->output);
  ::kill(keeper, SIGSTOP);
  const std::jthread killer([&] {
    ::poll(nullptr, 0, 100);  // the order lies in its socket
    ::kill(keeper, SIGKILL);
  });
  CHECK(run_program(*keepers, program_of(shell("echo 1")), {})->output == "1\n");
}

TEST_CASE("A program that kills its keeper before that has said a word runs once") {
  const ScratchFolder folder;
  const auto keepers = make_keepers();
  const pid_t keeper =
      std::stoi(run_program(*keepers, program_of(shell("echo $PPID")), {})->output);
  // It gets the one CPU that both have when its program wants none.
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(::sched_getcpu(), &one);
  const sched_param none{};
  REQUIRE(::sched_setaffinity(keeper, sizeof one, &one) == 0);
  REQUIRE(::sched_setscheduler(keeper, SCHED_IDLE | SCHED_RESET_ON_FORK, &none) == 0);
  TaskSpec spec = shell("echo run >>runs; kill -KILL $PPID; sleep 5");
  spec.workdir = folder.path();
  const auto ended = run_program(*keepers, program_of(spec), {});
  REQUIRE(ended);
  CHECK(ended->exit.is_lost);
  CHECK(text_of(folder.path() / "runs") == "run\n");
}

TEST_CASE("A signal that comes while a keeper is waited for costs the run nothing") {
  struct sigaction counted{}, before{};
  counted.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &counted, &before);
  const pthread_t self = ::pthread_self();
  {
    const auto keepers = make_keepers();
    const std::jthread signals([self](const std::stop_token& stop) {
      for (; !stop.stop_requested(); ::poll(nullptr, 0, 1)) ::pthread_kill(self, SIGUSR1);
    });
    for (int i = 0; i < 100; ++i) {
      const auto ended = run_program(*keepers, program_of(shell("echo 1")), {});
      REQUIRE(ended);
      CHECK(ended->output == "1\n");
    }
  }
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("A long reason is cut between two characters") {
  for (const char* name : {"/", "/x"}) {
    TaskSpec spec;
    spec.command = {name};
    for (int i = 0; i < 1000; ++i) spec.command[0] += "\u00e9";
    const auto ended = run_program(*make_keepers(), program_of(spec), {});
    REQUIRE_FALSE(ended);
    CHECK(ended.error().message.size() > 1000);
    CHECK_FALSE(json::find_bad_utf8(ended.error().message));
  }
}

TEST_CASE("A keeper does not go by the name of fogctl, whoever lists processes") {
  const auto shown = run(shell("cat /proc/$PPID/comm; tr '\\0' ' ' </proc/$PPID/cmdline")).output;
  CHECK(shown.starts_with("task-keeper\ntask-keeper keeper-of-programs "));
  CHECK_FALSE(shown.contains("fogctl"));
}

TEST_CASE("Keepers are used again") {
  const auto keepers = make_keepers();
  ProgramRules rules;
  const auto spec = program_of(shell("echo $PPID"));
  const std::string first = run_program(*keepers, spec, rules)->output;
  for (int i = 0; i < 3; ++i) CHECK(run_program(*keepers, spec, rules)->output == first);
}

TEST_CASE("When fogctl is killed, its keepers and all that their programs started go with it") {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const ScratchFolder folder;
  const std::string pids = folder.path() / "pids";
  const pid_t other = ::fork();
  REQUIRE(other >= 0);
  if (other == 0) {
    const auto keepers = make_keepers();
    const auto child = keepers->start(
        program_of(shell(fmt::format("echo $PPID >>{0}; echo $$ >>{0}; setsid sh -c 'echo $$ "
                                     ">>{0}; sleep 100 & echo $! >>{0}; wait'",
                                     pids))));
    for (;;) ::pause();
  }
  REQUIRE(wait_until([&] { return pids_in(pids).size() == 4; }));
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
  CHECK(wait_until([&] { return none_runs(pids_in(pids)); }));
  for (const pid_t pid : pids_in(pids)) ::waitpid(pid, nullptr, WNOHANG);
}

TEST_CASE("Nothing leaks: no process, no zombie, no descriptor") {
  const auto keepers = make_keepers();
  const auto spec = program_of(shell("sleep 100 & :"));
  TaskSpec gone;
  gone.command = {"no-such-program"};
  ProgramRules rules;
  REQUIRE(run_program(*keepers, spec, rules));
  const auto descriptors = open_descriptors();
  const auto processes = descendants();
  for (int i = 0; i < 100; ++i) {
    CHECK(run_program(*keepers, spec, rules));
    CHECK_FALSE(run_program(*keepers, program_of(gone), rules));
  }
  CHECK(wait_until([&] { return open_descriptors() <= descriptors; }));
  CHECK(wait_until([&] { return descendants() <= processes; }));
}

TEST_CASE("Several threads run programs at a time") {
  const auto keepers = make_keepers();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const auto ended = run_program(*keepers, program_of(shell(fmt::format("echo {}", t))), {});
        CHECK(ended->output == fmt::format("{}\n", t));
      }
    });
  }
}

}  // namespace
}  // namespace fogctl
