#include "scheduling/backlog.hpp"

#include <doctest/doctest.h>

namespace fogctl {
namespace {

using namespace std::chrono_literals;

ExecutionEstimates estimates() {
  ExecutionEstimates estimates;
  estimates.add(TaskClass::light, 1ms);
  estimates.add(TaskClass::medium, 100ms);
  estimates.add(TaskClass::heavy, 2s);
  return estimates;
}

TEST_CASE("The expected wait is the sum of tasks times estimates, over the workers") {
  Backlog backlog;
  backlog.set_queue({{0, 0, 0}, 1});
  CHECK(backlog.expected_wait(estimates()) == 0s);
  backlog.add(TaskClass::light);
  backlog.add(TaskClass::light);
  backlog.add(TaskClass::heavy);
  CHECK(backlog.expected_wait(estimates()) == 2002ms);
  backlog.set_queue({{2, 0, 1}, 4});
  CHECK(backlog.workers() == 4);
  CHECK(backlog.expected_wait(estimates()) == 500'500us);
  backlog.remove(TaskClass::heavy);
  CHECK(backlog.expected_wait(estimates()) == 500us);
}

TEST_CASE("Before any task was run nothing is expected to take time") {
  Backlog backlog;
  backlog.set_queue({{5, 5, 5}, 1});
  CHECK(backlog.expected_wait(ExecutionEstimates{}) == 0s);
}

TEST_CASE("What others put into a shared queue counts, and this node's own does not twice") {
  Backlog backlog;
  backlog.add(TaskClass::medium);
  backlog.set_queue({{0, 3, 0}, 1});  // one of them is ours
  CHECK(backlog.expected_wait(estimates()) == 300ms);
  backlog.add(TaskClass::medium);  // not counted by the queue yet
  CHECK(backlog.expected_wait(estimates()) == 400ms);
  backlog.remove(TaskClass::medium);
  backlog.remove(TaskClass::medium);
  CHECK(backlog.expected_wait(estimates()) == 200ms);
}

TEST_CASE("A queue that has not seen this node's tasks yet says nothing against them") {
  Backlog backlog;
  for (int i = 0; i < 5; ++i) backlog.add(TaskClass::medium);
  backlog.set_queue({{0, 2, 0}, 1});
  CHECK(backlog.expected_wait(estimates()) == 500ms);
}

}  // namespace
}  // namespace fogctl
