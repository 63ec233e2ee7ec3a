// A Scheduler with time that only the test advances, for scenarios: each event returns the actions
// that it brought. The queue's answers are the test's to give.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "scheduling/scheduler.hpp"

namespace fogctl::support {

/// A task as a client of the original sends it, the name being the class.
inline Task task_of(std::string_view name, std::string_view uid = "") {
  Task task;
  task.name = name;
  task.uid = uid;
  task.uid_chosen = !uid.empty();
  task.weight = parse_task_class(name).value_or(TaskClass::light);
  task.content = "1";
  return task;
}

inline Task cloud_task(std::string_view name = "heavy", std::string_view uid = "") {
  Task task = task_of(name, uid);
  task.cloud_processing = true;
  return task;
}

inline TaskResult result_of(std::string_view uid, std::string_view content = "3") {
  TaskResult result;
  result.uid = uid;
  result.content = content;
  result.execution_time = std::chrono::milliseconds(10);
  return result;
}

inline TaskResult error_of(std::string_view uid, TaskErrorCode code) {
  TaskResult result;
  result.uid = uid;
  result.error = TaskError{code, "because"};
  return result;
}

/// A fogctl neighbour that was met at an address of its own.
inline NeighbourIdentity fogctl_node(std::string_view node, bool is_opened_here = false) {
  NeighbourIdentity who;
  who.node = node;
  who.name = "fog-" + who.node;
  who.address = "10.0.0." + who.node;
  who.own_address = "10.0.0.1";
  who.is_opened_here = is_opened_here;
  return who;
}

inline NeighbourIdentity original_node(std::string_view address) {
  NeighbourIdentity who;
  who.address = address;
  who.own_address = "10.0.0.1";
  return who;
}

inline SchedulerOptions bench_options() {
  SchedulerOptions options;
  options.node = "00ff";
  options.name = "fog-1";
  options.policy = find_policy("original");
  return options;
}

struct SchedulerBench {
  explicit SchedulerBench(const SchedulerOptions& options = bench_options(), std::uint64_t seed = 1)
      : scheduler(options, Random(seed)) {}

  static SchedulerBench with_workers(std::size_t workers = 1) {
    SchedulerBench bench;
    CHECK(bench.load(workers).empty());
    return bench;
  }

  void pass(Duration time) { now += time; }

  Actions task(Task task, PeerId peer = 1, std::string task_id = "1") {
    const bool has_uid = task.uid_chosen;
    Actions out;
    scheduler.on_task(std::move(task), {peer, std::move(task_id), has_uid, has_uid}, now, out);
    return out;
  }
  Actions load(std::size_t workers, const std::array<std::size_t, task_class_count>& tasks = {}) {
    Actions out;
    scheduler.on_load({tasks, workers}, now, out);
    return out;
  }
  Actions enqueued(const std::string& uid, EnqueueAnswer::Kind kind, std::uint32_t number = 0) {
    EnqueueAnswer answer;
    answer.kind = kind;
    answer.lease_number = number;
    answer.why = "the reason";
    if (kind == EnqueueAnswer::Kind::done) answer.result = result_of(uid, "\"kept\"");
    Actions out;
    scheduler.on_enqueued(uid, answer, now, out);
    return out;
  }
  /// The queue has a task of this uid, from another call.
  Actions met(const std::string& uid) {
    EnqueueAnswer answer;
    answer.was_there = true;
    Actions out;
    scheduler.on_enqueued(uid, answer, now, out);
    return out;
  }
  Actions result(TaskResult result) {
    Actions out;
    scheduler.on_result(result, now, out);
    return out;
  }
  Actions cloud_result(std::int64_t id, TaskResult result) {
    return link_result(cloud_link, id, std::move(result));
  }
  Actions peer_up(PeerId link, NeighbourIdentity who) {
    Actions out;
    scheduler.on_peer_up(link, std::move(who), now, out);
    return out;
  }
  Actions peer_lost(PeerId link) {
    Actions out;
    placed_again = scheduler.on_peer_lost(link, now, out);
    return out;
  }
  /// None: the peer takes no task.
  Actions peer_state(PeerId link, std::optional<Duration> expected_wait) {
    NodeState state;
    state.expected_wait = expected_wait;
    state.takes_copies = true;
    Actions out;
    scheduler.on_state(link, state, now, out);
    return out;
  }
  Actions kinds(PeerId link, const std::vector<std::string>& names) {
    TaskKinds kinds;
    for (const std::string& name : names) kinds.push_back({name, TaskClass::medium, {}, 0});
    Actions out;
    scheduler.on_kinds(link, std::move(kinds), now, out);
    return out;
  }
  Actions own_kinds(const std::vector<std::string>& names) {
    TaskKinds kinds;
    for (const std::string& name : names) kinds.push_back({name, TaskClass::light, {}, 0});
    Actions out;
    scheduler.on_own_kinds(std::move(kinds), now, out);
    return out;
  }
  Actions progress(const std::string& uid, double share) {
    Actions out;
    scheduler.on_progress(uid, share, out);
    return out;
  }
  Actions link_result(PeerId link, std::int64_t id, TaskResult result) {
    Actions out;
    was_expected = scheduler.on_link_result(link, id, std::move(result), now, out);
    return out;
  }
  /// `reply_to` had queued the task, and the queue gave it to be handed on.
  Actions taken(const Task& task, std::uint32_t number, const std::string& reply_to) {
    Actions out;
    (void)scheduler.on_taken(
        {std::make_shared<const Task>(task), number, 1, now - std::chrono::seconds(1), reply_to},
        now, out);
    return out;
  }
  /// Whether that settles it.
  bool held_away(const std::vector<TakeBack>& held, Actions& out) {
    return scheduler.on_held_away(held, out);
  }
  Actions withdrawn(const std::string& uid, WithdrawAnswer::Kind kind, std::uint32_t number = 0) {
    Actions out;
    scheduler.on_withdrawn(uid, {kind, number}, now, out);
    return out;
  }
  Actions drain() {
    Actions out;
    scheduler.on_drain(now, out);
    return out;
  }
  [[nodiscard]] const Neighbour& neighbour(PeerId link) const {
    for (const Neighbour& neighbour : scheduler.neighbours()) {
      if (neighbour.link == link) return neighbour;
    }
    FAIL("no such neighbour");
    return scheduler.neighbours().front();
  }
  Actions cloud_up(bool is_original = false, std::size_t max_message = no_limit) {
    Actions out;
    scheduler.on_cloud_up(is_original, max_message, now, out);
    return out;
  }
  Actions cloud_down() {
    Actions out;
    scheduler.on_cloud_down(now, out);
    return out;
  }
  Actions queue_up(bool lost = false) {
    Actions out;
    scheduler.on_queue_up(lost, now, out);
    return out;
  }
  Actions queue_lost() {
    Actions out;
    scheduler.on_queue_lost(now, out);
    return out;
  }
  Actions tick() {
    Actions out;
    scheduler.on_tick(now, out);
    return out;
  }
  Actions stop(bool queue_survives) {
    Actions out;
    scheduler.on_stop(queue_survives, out);
    return out;
  }

  Scheduler scheduler;
  Instant now{std::chrono::seconds(1000)};
  bool was_expected = false;     // what on_link_result said last
  std::size_t placed_again = 0;  // what on_peer_lost said last
};

/// The one action that there must be.
template <typename Kind>
Kind only(const Actions& actions) {
  REQUIRE(actions.size() == 1);
  REQUIRE(std::holds_alternative<Kind>(actions[0]));
  return std::get<Kind>(actions[0]);
}

/// All actions of one kind.
template <typename Kind>
std::vector<Kind> all(const Actions& actions) {
  std::vector<Kind> found;
  for (const Action& action : actions) {
    if (const auto* kind = std::get_if<Kind>(&action)) found.push_back(*kind);
  }
  return found;
}

}  // namespace fogctl::support
