// Limits of runs, against programs that go over them.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/processes.hpp"
#include "support/programs.hpp"
#include "support/scratch_folder.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

/// Whether a control group holds programs to their limits.
bool is_in_group() {
  return make_keepers()->limits_in_force().starts_with("cgroup");
}

/// While it lives, programs that set no limit of their own may write core files.
class AllowedCores {
 public:
  AllowedCores() {
    ::getrlimit(RLIMIT_CORE, &before_);
    const rlimit most{before_.rlim_max, before_.rlim_max};
    ::setrlimit(RLIMIT_CORE, &most);
  }
  ~AllowedCores() { ::setrlimit(RLIMIT_CORE, &before_); }
  AllowedCores(const AllowedCores&) = delete;
  AllowedCores& operator=(const AllowedCores&) = delete;

 private:
  rlimit before_{};
};

TEST_CASE("Limits: memory without end, in one process and in several") {
  TaskSpec spec;
  spec.limits.memory = 64 << 20;
  spec.command = {"perl", "-e", "my @all; while (1) { push @all, 'x' x 1000000; }"};
  ProgramRun one = run(spec);
  CAPTURE(one.errors);
  CHECK((one.exit.code != 0 || one.exit.signal != 0));
  CHECK(one.cut == Cut::none);
  // Each is within its own bound; together they are not.
  spec.command = {"perl", "-e",
                  "for (1..4) { last unless fork } my $x = 'x' x 20000000; sleep 100;"};
  const ProgramRun several = run(spec);
  CHECK(several.exit.signal == SIGKILL);
  CHECK(several.exit.limit == "it used more than 64 MiB of memory");
}

TEST_CASE("Limits: a program that reserves addresses and uses few is left alone") {
  TaskSpec spec;
  spec.limits.memory = 64 << 20;
  // Memory that processes share counts once.
  spec.command = {"perl", "-e",
                  "my $x = 'x' x 30000000; for (1..4) { last unless fork } "
                  "select undef, undef, undef, 0.3; print 1;"};
  const ProgramRun ended = run(spec);
  CHECK(ended.exit.limit.empty());
  CHECK(ended.exit.code == 0);
}

TEST_CASE("Limits: a process that ended while it was looked at holds no memory") {
  const pid_t gone = ::fork();
  REQUIRE(gone >= 0);
  if (gone == 0) ::_exit(0);
  ::siginfo_t ignored{};
  ::waitid(P_PID, static_cast<id_t>(gone), &ignored, WEXITED | WNOWAIT);
  ProcessEntry entry;
  entry.pid = gone;
  entry.resident = 1 << 20;
  CHECK(proportional_memory(entry) == 0);  // dead, not waited for
  ::waitpid(gone, nullptr, 0);
  CHECK(proportional_memory(entry) == 0);
}

TEST_CASE("Limits: the stacks of threads that sleep are no memory that is used") {
  if (run(shell("perl -Mthreads -e 1")).exit.code != 0) return;
  TaskSpec spec;
  spec.limits.memory = 64 << 20;
  spec.command = {"perl", "-Mthreads=stack_size,16777216", "-e",
                  "$_->join for map { threads->create(sub { select undef, undef, undef, 0.3 }) } "
                  "1..10; print 1"};
  const ProgramRun ended = run(spec);
  CAPTURE(ended.errors);
  CHECK(ended.output == "1");
}

TEST_CASE("Limits: a thousand processes, and a bomb that leaves its group") {
  const ScratchFolder folder;
  const std::string pids = folder.path() / "pids";
  for (const char* script : {"for i in $(seq 1000); do sleep 100 & done; wait",
                             "b() { setsid sh -c 'while :; do sleep 50 & sleep 0.01; done' & }; "
                             "for i in $(seq 20); do b; "
                             "done; wait"}) {
    CAPTURE(script);
    TaskSpec spec = shell(script);
    spec.limits.processes = 32;
    const auto before = descendants();
    const ProgramRun ended = run(spec);
    // A control group lets them fork no more; without one they are killed for it.
    CHECK(ended.exit.limit == (is_in_group() ? "" : "it ran more than 32 processes"));
    CHECK(ended.cut == Cut::none);
    CHECK(wait_until([&] { return descendants() == before; }));
  }
}

TEST_CASE("Limits: the CPU time of all that a program started counts together") {
  TaskSpec spec;
  spec.limits.cpu_time = 1s;
  // Each stays below it.
  spec.command = {"perl", "-e",
                  "for (1..3) { last unless fork } my @t; "
                  "do { 1 for 1..100000; @t = times } until $t[0] + $t[1] > 0.7; 1 while wait > 0"};
  CHECK(run(spec).exit.limit == "it used more than 1s of CPU time");
}

TEST_CASE("Limits: CPU seconds, output, open files, core dumps") {
  const AllowedCores allowed;

  TaskSpec spec = shell("while :; do :; done");
  spec.limits.cpu_time = 1s;
  CHECK(run(spec).exit.limit == "it used more than 1s of CPU time");
  CHECK(run(shell("kill -XCPU $$")).exit.limit.empty());
  const ProgramRun writer = run(shell("yes"), 20s, 100'000);
  CHECK(writer.cut == Cut::output);
  CHECK(writer.output.size() == 100'000);
  CHECK(run(shell("yes >&2 & sleep 0.2; kill $!")).errors.size() == 4096);
  spec = shell("ulimit -n; ulimit -c");
  spec.limits.open_files = 20;
  CHECK(run(spec).output == "20\n0\n");
  if (is_in_group()) return;
  // What the keeper is too slow for.
  spec = shell("ulimit -t; ulimit -d");
  spec.limits.cpu_time = 1500ms;
  spec.limits.memory = 64 << 20;
  CHECK(run(spec).output == "2\n524288\n");
}

}  // namespace
}  // namespace fogctl
