// How long the Scheduler takes to decide about one task: by the original rule when it knows 32
// neighbours, and when it knows none; by the deadline and in time when it knows 32. Prints the
// four, each the median over several rounds in µs.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "scheduling/scheduler.hpp"

namespace {

using namespace fogctl;

constexpr int rounds = 21;
constexpr int tasks_per_round = 2000;

SchedulerOptions options_of_node(std::string_view policy) {
  SchedulerOptions options;
  options.node = "00000000000000000000000000000000";
  options.name = "fog";
  options.policy = find_policy(policy);
  options.kept_decisions = 10'000;  // as a node keeps them
  return options;
}

/// A task that would be late here, so that every neighbour is looked at.
Task late_task() {
  Task task;
  task.name = "light";
  task.content = "1";
  task.time_requirement = Duration::zero();
  return task;
}

void add_neighbours(Scheduler& scheduler, int count, Instant now) {
  Actions ignored;
  for (int i = 1; i <= count; ++i) {
    NeighbourIdentity who;
    who.node = fmt::format("{:032x}", i);
    who.name = who.address = fmt::format("10.0.0.{}", i);
    scheduler.on_peer_up(static_cast<PeerId>(i), who, now, ignored);
    NodeState state;
    state.expected_wait = std::chrono::hours(1);  // never the sooner one: nothing is handed on
    state.workers = 1;
    state.takes_copies = true;
    state.waits.emplace().fill({std::chrono::hours(1), std::chrono::seconds(1)});
    scheduler.on_state(static_cast<PeerId>(i), state, now, ignored);
  }
}

double median_us(std::string_view policy, int neighbours) {
  const SystemClock clock;
  Scheduler scheduler(options_of_node(policy), Random(1));
  const Instant now = clock.now();
  Actions out;
  scheduler.on_load({.tasks = {1000, 0, 0}, .workers = 1}, now, out);
  TaskResult first;  // from now on there is an estimate, and a wait
  scheduler.on_task(late_task(), {99, "0", false, false}, now, out);
  first.uid = std::get<EnqueueTask>(out.back()).task->uid;
  first.execution_time = std::chrono::milliseconds(1);
  scheduler.on_result(first, now, out);
  add_neighbours(scheduler, neighbours, now);

  std::vector<double> times;
  for (int round = 0; round < rounds; ++round) {
    std::vector<Task> tasks(tasks_per_round, late_task());
    out.clear();
    out.reserve(2 * tasks_per_round);
    const Instant begin = clock.now();
    for (Task& task : tasks) scheduler.on_task(std::move(task), {99, "1", false, false}, now, out);
    times.push_back(to_seconds(clock.now() - begin) * 1e6 / tasks_per_round);
    Actions ended;
    for (const Action& action : out) {
      TaskResult result;
      result.uid = std::get<EnqueueTask>(action).task->uid;
      result.execution_time = std::chrono::milliseconds(1);
      scheduler.on_enqueued(result.uid, {}, now, ended);
      scheduler.on_result(std::move(result), now, ended);
    }
  }
  std::ranges::nth_element(times, times.begin() + rounds / 2);
  return times[rounds / 2];
}

}  // namespace

int main() {
  fmt::print("{:.3f} {:.3f} {:.3f} {:.3f}\n", median_us("original", 32), median_us("original", 0),
             median_us("deadline", 32), median_us("in-time", 32));
}
