// That nothing is left of thousands of tasks: no process, no zombie, no descriptor, no memory.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "programs/once_handler.hpp"
#include "programs/stream_handler.hpp"
#include "support/processes.hpp"

namespace fogctl {
namespace {

constexpr int few = 50;
constexpr int many = 2000;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr long most_growth = 200'000;  // they keep what was freed
#else
constexpr long most_growth = 1000;
#endif

long resident_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") return status >> word, std::stol(word);
  }
  return 0;
}

void run_times(const Handler& handler, int times) {
  for (int i = 0; i < times; ++i) {
    Task task;
    task.uid = "a";
    task.content = std::to_string(i);
    const auto outcome = handler.run(task, {});
    if (!outcome) FAIL(outcome.error().message);
    if (*outcome != task.content) FAIL(*outcome);
  }
}

void check_for_leaks(const Handler& handler) {
  run_times(handler, few);
  const auto descriptors = open_descriptors();
  const auto processes = descendants();
  const long memory = resident_kilobytes();
  run_times(handler, many);
  // One that was just replaced may still be ending, with its keeper, pipes and all; on a busy
  // machine several are, for a moment.
  CHECK(wait_until([&] { return open_descriptors() <= descriptors + 8; }));
  CHECK(wait_until([&] { return descendants() <= processes + 2; }));
  CHECK(resident_kilobytes() - memory < most_growth);
}

TEST_CASE("Nothing is left of thousands of tasks that were programs once each") {
  TaskSpec spec;
  spec.command = {"cat"};
  check_for_leaks(once_handler(spec, make_keepers()));
}

TEST_CASE("Nothing is left of thousands of tasks of a stream, its processes replaced meanwhile") {
  TaskSpec spec;
  spec.name = "own";
  spec.command = {"cat"};  // a task's own line is an answer to it
  spec.max_tasks = 10;
  const auto before = descendants();
  check_for_leaks(stream_handler(spec, make_keepers()));
  CHECK(wait_until([&] { return descendants() == before; }));
}

}  // namespace
}  // namespace fogctl
