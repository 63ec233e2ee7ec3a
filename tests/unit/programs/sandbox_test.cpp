// What the sandbox promises, against programs that try to get out, or to be treated otherwise.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "programs/sandbox.hpp"
#include "support/processes.hpp"
#include "support/programs.hpp"
#include "support/scratch_folder.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TEST_CASE(
    "Sandbox: no network, nothing to write but workdir and a /tmp of its own, few processes") {
  if (const auto works = check_sandbox(); !works) {
    MESSAGE("not tested: " << works.error().message);
    return;
  }
  const ScratchFolder folder;
  TaskSpec spec = shell(
      "touch /usr/mark /etc/mark /dev/mark /run/mark 2>&1 | grep -c 'Read-only'; "
      "touch here && ls here; ls /tmp | wc -l; set -- /proc/[0-9]*; echo $#; "
      "grep -c : /proc/net/dev; pwd; for f in /tmp/big /dev/shm/big; do "
      "dd if=/dev/zero of=$f bs=1M count=100 2>&1 | grep -o 'No space.*'; rm $f; done");
  spec.sandbox = true;
  spec.workdir = folder.path();
  spec.limits.memory = 32 << 20;
  const ProgramRun ended = run(spec);
  CAPTURE(ended.errors);
  // In /tmp only the workdir; of processes only bwrap's and sh.
  CHECK(ended.output.starts_with("4\nhere\n1\n2\n"));
  CHECK(ended.output.ends_with(
      fmt::format("\n1\n{0}\n{1}{1}", folder.path().string(), "No space left on device\n")));
  CHECK(std::filesystem::exists(folder.path() / "here"));
}

TEST_CASE("Sandbox: the machine cannot be set up from it") {
  if (!check_sandbox()) return;
  TaskSpec spec = shell(
      "for f in kernel/core_pattern vm/swappiness; do v=$(cat /proc/sys/$f) && "
      "echo \"$v\" >/proc/sys/$f && echo \"wrote $f\"; done");  // the value that it has
  spec.sandbox = true;
  const ProgramRun ended = run(spec);
  CHECK(ended.output.empty());
  CHECK(ended.errors.contains("vm/swappiness: "));
}

TEST_CASE("Sandbox: the task's environment comes to its program, not to bwrap") {
  if (!check_sandbox()) return;
  const ScratchFolder folder;
  for (const char* name : {"bwrap", "own"}) {
    const auto program = folder.path() / name;
    std::ofstream(program) << "#!/bin/sh\necho $0 $QUALITY $HOME\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  }
  TaskSpec spec;
  spec.command = {"own"};
  spec.sandbox = true;
  spec.workdir = folder.path();
  spec.env = {{"PATH", folder.path()}, {"QUALITY", "80"}, {"HOME", "/srv"}};
  CHECK(run(spec).output == fmt::format("{}/own 80 /srv\n", folder.path().string()));
  // What bwrap itself loads would say so.
  spec.env = {{"LD_DEBUG", "libs"}, {"LD_DEBUG_OUTPUT", folder.path() / "loaded"}};
  spec.command = {"true"};
  CHECK(run(spec).exit.code == 0);
  std::string loaders;
  for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
    if (file.path().filename().string().starts_with("loaded")) loaders += text_of(file.path());
  }
  CHECK(loaders.contains("program: true"));
  CHECK_FALSE(loaders.contains("program: bwrap"));
}

TEST_CASE("Sandbox: the task's environment is in no command line") {
  if (!check_sandbox()) return;
  const ScratchFolder folder;
  TaskSpec spec = shell("echo $QUALITY >out; cat");
  spec.sandbox = true;
  spec.workdir = folder.path();
  spec.env = {{"QUALITY", "secret-80"}};
  const auto keepers = make_keepers();
  const auto child = keepers->start(program_of(spec));
  REQUIRE(child);
  CHECK(wait_until([&] { return text_of(folder.path() / "out") == "secret-80\n"; }));
  int programs = 0;
  for (const ProcessEntry& process : descendants_of(::getpid(), all_processes())) {
    const std::string line = text_of(fmt::format("/proc/{}/cmdline", process.pid));
    programs += line.starts_with("bwrap") ? 1 : 0;
    CHECK_FALSE(line.contains("secret-80"));
  }
  CHECK(programs == 2);
}

TEST_CASE("Sandbox: how a program ends is told as without one") {
  if (!check_sandbox()) return;
  TaskSpec spec = shell("kill -SEGV $$");
  spec.sandbox = true;
  CHECK(run(spec).exit.signal == SIGSEGV);
  spec.command[2] = "exit 3";
  CHECK(run(spec).exit.code == 3);
  spec.command[2] = "while :; do :; done";
  spec.limits.cpu_time = 1s;
  CHECK(run(spec).exit.limit == "it used more than 1s of CPU time");
}

TEST_CASE("Sandbox: a program has its time to end in order") {
  if (!check_sandbox()) return;
  const ScratchFolder folder;
  TaskSpec spec = shell("trap 'sleep 0.5; echo 1 >ended; exit 0' TERM; sleep 100 & wait");
  spec.sandbox = true;
  spec.workdir = folder.path();
  ProgramRules rules;
  rules.timeout = 2s;
  rules.kill_after = 10s;
  const auto ended = run_program(*make_keepers(), program_of(spec), rules);
  REQUIRE(ended);
  CHECK(ended->cut == Cut::timed_out);
  CHECK(ended->exit.signal == 0);
  CHECK(text_of(folder.path() / "ended") == "1\n");
}

TEST_CASE("Sandbox: its own processes do not count") {
  if (!check_sandbox()) return;
  TaskSpec spec = shell("sleep 0.3; echo 1");
  spec.sandbox = true;
  spec.limits.processes = 2;
  CHECK(run(spec).output == "1\n");
  spec.command[2] = "sleep 5 & sleep 5 & wait";
  CHECK(run(spec).exit.limit == "it ran more than 2 processes");
}

TEST_CASE("Sandbox: a daemon in it ends with the task too") {
  if (!check_sandbox()) return;
  TaskSpec spec = shell("setsid sleep 1000 & echo 1");
  spec.sandbox = true;
  const auto before = descendants();
  CHECK(run(spec).output == "1\n");
  CHECK(wait_until([&] { return descendants() == before; }));
}

}  // namespace
}  // namespace fogctl
