// A node whose policy ties copies, with two neighbours that are idle, for scenarios.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/scheduler_bench.hpp"

namespace fogctl::support {

inline SchedulerOptions in_time_options() {
  SchedulerOptions options = bench_options();
  options.policy = find_policy("in-time");
  options.kept_decisions = 100;
  return options;
}

/// A light task that is late where it waits for another one.
inline Task hurried(std::string_view uid = "u1",
                    Duration requirement = std::chrono::milliseconds(5)) {
  Task task = task_of("light", uid);
  task.time_requirement = requirement;
  return task;
}

inline Task copied(std::string_view uid = "u1") {
  Task task = hurried(uid);
  task.is_copy = true;
  task.offload_times = 1;
  task.offloading_nodes = {"a"};
  return task;
}

/// A node whose one worker runs a task of 10 ms, and two neighbours that are idle.
struct Home : SchedulerBench {
  Home() : SchedulerBench(in_time_options()) {
    (void)load(1);
    (void)task(task_of("light", "u0"));
    (void)enqueued("u0", EnqueueAnswer::Kind::queued);
    (void)result(result_of("u0"));
    (void)task(task_of("light", "u0"));
    (void)enqueued("u0", EnqueueAnswer::Kind::queued);
    (void)started("u0");
    for (const auto& [link, name] : {std::pair<PeerId, const char*>{101, "a"}, {102, "b"}}) {
      (void)peer_up(link, fogctl_node(name));
      (void)peer_state(link, Duration::zero());
      scheduler.on_peer_delay(link, std::chrono::milliseconds(1));
    }
  }
  /// Both neighbours have a copy: the second one is sent when the first one does not answer.
  std::vector<HandOn> copies() {
    std::vector<HandOn> sent = all<HandOn>(enqueued("u1", EnqueueAnswer::Kind::queued));
    pass(std::chrono::milliseconds(2));
    for (const HandOn& copy : all<HandOn>(tick())) sent.push_back(copy);
    return sent;
  }
  Actions started(const std::string& uid) {
    Actions out;
    scheduler.on_started(uid, now, out);
    return out;
  }
  Actions copy_started(PeerId link, std::int64_t id) {
    Actions out;
    scheduler.on_copy_started(link, id, now, out);
    return out;
  }
  Actions copy_cancelled(PeerId link, const std::string& uid) {
    Actions out;
    scheduler.on_copy_cancelled(link, uid, now, out);
    return out;
  }
};

/// Home and the task `u1`, here and with both neighbours.
struct Tied : Home {
  explicit Tied(const Task& task = hurried()) {
    CHECK_FALSE(only<EnqueueTask>(this->task(task, 1, "42")).away);
    for (const HandOn& copy : copies()) {
      (copy.link == 101 ? a : b) = copy.id;
    }
    REQUIRE((a != 0 && b != 0));
  }
  std::int64_t a = 0;  // the id of the copy with 101
  std::int64_t b = 0;  // ... with 102
};

}  // namespace fogctl::support
