// On a tree of plain files that looks like cgroup v2's.
#include "programs/control_group.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/processes.hpp"
#include "support/scratch_folder.hpp"

namespace fogctl {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

struct FakeGroups {
  ScratchFolder folder;
  fs::path root = folder.path() / "cgroup";
  fs::path own = root / "system.slice/fogctl.service";
  ControlGroupPlaces places{folder.path() / "membership", folder.path() / "mounts"};

  FakeGroups() {
    write(places.membership, "4:memory:/elsewhere\n0::/system.slice/fogctl.service\n");
    write(places.mounts,
          fmt::format("proc /proc proc rw 0 0\ncgroup2 {} cgroup2 rw 0 0\n", root.string()));
    write(own / "cgroup.controllers", "cpu io memory pids\n");
    write(own / "cgroup.procs", fmt::format("{}\n", ::getpid()));
    write(own / "cgroup.subtree_control", "");
    write(own / "fogctl/cgroup.procs", "");
  }
};

TEST_CASE("Control groups: a delegated group that this process has alone is taken over") {
  const FakeGroups groups;
  CHECK(take_over_control_group(groups.places) == groups.own.string());
  CHECK(text_of(groups.own / "fogctl/cgroup.procs") == std::to_string(::getpid()));
  CHECK(text_of(groups.own / "cgroup.subtree_control") == "+memory +pids +cpu");
}

TEST_CASE("Control groups: without them the error says why, and nothing changes") {
  const FakeGroups groups;
  std::string says;
  SUBCASE("not mounted") {
    write(groups.places.mounts, "proc /proc proc rw 0 0\n");
    says = "there is no cgroup v2 here";
  }
  SUBCASE("v1 alone") {
    write(groups.places.membership, "4:memory:/elsewhere\n");
    says = "there is no cgroup v2 here";
  }
  SUBCASE("no controllers, as where v1 has them") {
    write(groups.own / "cgroup.controllers", "\n");
    says = "has no memory controller";
  }
  SUBCASE("a controller is missing") {
    write(groups.own / "cgroup.controllers", "memory cpu\n");
    says = "has no pids controller";
  }
  SUBCASE("others are in it") {
    write(groups.own / "cgroup.procs", fmt::format("1\n{}\n", ::getpid()));
    says = "is not fogctl's alone";
  }
  SUBCASE("the controllers cannot be handed down") {
    fs::remove(groups.own / "cgroup.subtree_control");
    says = "cgroup.subtree_control";
  }
  const auto taken = take_over_control_group(groups.places);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == ErrorCode::unavailable);
  CAPTURE(taken.error().message);
  CHECK(taken.error().message.contains(says));
}

TEST_CASE(
    "Control groups: a run's limits are written, and what it used is counted from its start") {
  const ScratchFolder folder;
  const fs::path path = folder.path();
  for (const char* file : {"memory.max", "memory.swap.max", "memory.oom.group", "pids.max",
                           "cgroup.procs", "cgroup.kill"}) {
    write(path / file, "");
  }
  write(path / "memory.events", "low 0\nmax 7\noom 3\noom_kill 2\n");
  write(path / "cpu.stat", "usage_usec 5000000\nuser_usec 1\n");
  ControlGroup group(path.string());
  RunLimits limits;
  limits.memory = 64 << 20;
  REQUIRE(group.limit(limits));
  CHECK(text_of(path / "memory.max") == "67108864");
  CHECK(text_of(path / "memory.swap.max").starts_with("0"));
  CHECK(text_of(path / "memory.oom.group") == "1");
  CHECK(text_of(path / "pids.max") == "max");
  CHECK(group.procs() >= 0);
  CHECK_FALSE(group.ran_out_of_memory());
  CHECK(group.cpu_time() == Duration::zero());
  write(path / "memory.events", "low 0\nmax 9\noom 4\noom_kill 3\n");
  write(path / "cpu.stat", "usage_usec 7000000\nuser_usec 1\n");
  CHECK(group.ran_out_of_memory());
  CHECK(group.cpu_time() == std::chrono::seconds(2));
  write(path / "pids.max", "");
  limits.processes = 32;
  REQUIRE(group.limit(limits));
  CHECK(text_of(path / "pids.max") == "32");
  fs::remove(path / "memory.max");
  CHECK_FALSE(group.limit(limits));
}

TEST_CASE("Control groups: a keeper's ends with all that is in it, and goes") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "keeper-1";
  write(path / "cgroup.kill", "");
  const ControlGroup group(path.string());
  group.kill();
  CHECK(text_of(path / "cgroup.kill") == "1");
  fs::remove(path / "cgroup.kill");  // a true group's files go with it
  group.remove();
  CHECK_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace fogctl
