#include "node/task_reload.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <atomic>
#include <semaphore>

#include "cli/task_flags.hpp"
#include "support/processes.hpp"

namespace fogctl {
namespace {

using namespace std::chrono_literals;

TEST_CASE("task reload: each SIGHUP is a call, and none after the end") {
  std::atomic<int> calls = 0;
  TaskReload reload([&] { ++calls; });
  for (int i = 1; i <= 3; ++i) {
    ::raise(SIGHUP);
    CHECK(wait_until([&] { return calls == i; }));
  }
  CHECK(reload.end(10s));
  ::raise(SIGHUP);
  CHECK(calls == 3);
}

TEST_CASE(
    "task reload: a SIGHUP that comes while the files are read for the first time is no end") {
  const auto before = ::signal(SIGHUP, SIG_DFL);
  const auto handlers = cli::make_handlers({});
  const bool is_ignored = ::signal(SIGHUP, before) == SIG_IGN;
  CHECK(is_ignored);
}

TEST_CASE("task reload: a call that waits for a file does not hold up the end") {
  std::atomic<bool> is_reading = false;
  std::binary_semaphore file(0);
  TaskReload reload([&] {
    is_reading = true;
    file.acquire();
  });
  ::raise(SIGHUP);
  REQUIRE(wait_until([&] { return is_reading.load(); }));
  CHECK_FALSE(reload.end(50ms));
  file.release();
  CHECK(reload.end(10s));
}

}  // namespace
}  // namespace fogctl
