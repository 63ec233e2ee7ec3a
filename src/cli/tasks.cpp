// fogctl tasks: tasks that failed for good, for a person to look at, try again or throw away.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/node_flags.hpp"
#include "cli/table.hpp"
#include "json/object_writer.hpp"

namespace fogctl::cli {
namespace {

constexpr std::size_t every_one = 1'000'000;

struct TasksOptions {
  QueueFlags queue;
  std::string action = "ls";
  std::vector<std::string> uids;
  std::size_t most = 100;
  bool json = false;
};

std::string reason_of(const DeadTask& dead) {
  return dead.result.error ? dead.result.error->message : "";
}

std::string table_of(const std::vector<DeadTask>& tasks, Instant now) {
  if (tasks.empty()) return "no dead tasks\n";
  std::vector<Row> rows = {{"uid", "task", "node", "runs", "died", "why"}};
  for (const DeadTask& dead : tasks) {
    rows.push_back({dead.task->uid, dead.task->name, dead.result.node,
                    fmt::to_string(dead.attempts),
                    format_duration(std::max(now - dead.died_at, Duration::zero())) + " ago",
                    reason_of(dead)});
  }
  return table_text(rows, {.left = 3, .ends_in_text = true});
}

std::string json_of(const DeadTask& dead, Instant now) {
  std::string out;
  ObjectWriter writer(out);
  writer.text("task_uid", dead.task->uid);
  writer.text("state", "dead");
  writer.text("task_name", dead.task->name);
  writer.text("task_type", to_string(dead.task->weight));
  writer.value("content", dead.task->content);
  writer.value("time_requirement", dead.task->time_requirement_text);
  writer.count("attempts", dead.attempts);
  writer.text("node", dead.result.node);
  writer.number("age", to_seconds(std::max(now - dead.died_at, Duration::zero())));
  writer.text("reason", reason_of(dead));
  writer.end();
  return out + '\n';
}

CommandResult list(TaskQueue& queue, const TasksOptions& options, const Clock& clock) {
  const auto dead = queue.dead(options.most);
  if (!dead) return std::unexpected(queue_failure(options.queue, dead.error()));
  if (!options.json) fmt::print("{}", table_of(*dead, clock.now()));
  for (const DeadTask& task : *dead) {
    if (options.json) fmt::print("{}", json_of(task, clock.now()));
  }
  return exit_code::ok;
}

CommandResult show(TaskQueue& queue, const TasksOptions& options, const Clock& clock) {
  const auto dead = queue.dead(every_one);
  if (!dead) return std::unexpected(queue_failure(options.queue, dead.error()));
  for (const std::string& uid : options.uids) {
    const auto found = std::ranges::find(*dead, uid, [](const DeadTask& t) { return t.task->uid; });
    if (found == dead->end()) {
      return std::unexpected(
          CommandFailure{exit_code::failed, fmt::format("no dead task has the uid '{}'", uid)});
    }
    fmt::print("{}", json_of(*found, clock.now()));
  }
  return exit_code::ok;
}

/// Says what became of them; fails where some were not there.
CommandResult report(const TasksOptions& options, const Result<std::size_t>& done,
                     std::string_view what) {
  if (!done) return std::unexpected(queue_failure(options.queue, done.error()));
  fmt::print("{} {}\n", *done == 1 ? "1 task" : fmt::format("{} tasks", *done), what);
  if (*done == options.uids.size()) return exit_code::ok;
  const std::size_t missing = options.uids.size() - *done;
  return std::unexpected(CommandFailure{
      exit_code::failed,
      fmt::format("{} of them {} not among the dead", missing, missing == 1 ? "is" : "are")});
}

CommandResult run_tasks(const TasksOptions& options) {
  const SystemClock clock;
  if (options.action != "ls" && options.uids.empty()) {
    return std::unexpected(
        CommandFailure{exit_code::usage, "tasks " + options.action + ": name the tasks by uid"});
  }
  const auto opened = open_queue_to_look_at(options.queue, clock);
  if (!opened) return std::unexpected(opened.error());
  TaskQueue& queue = **opened;
  if (options.action == "show") return show(queue, options, clock);
  if (options.action == "retry") {
    return report(options, queue.revive(options.uids, clock.now()), "put back into the queue");
  }
  if (options.action == "rm") return report(options, queue.bury(options.uids), "removed");
  return list(queue, options, clock);
}

}  // namespace

Run add_tasks(CLI::App& command) {
  auto options = std::make_shared<TasksOptions>();
  command.add_option("action", options->action, "ls, show, retry or rm")
      ->check(CLI::IsMember({"ls", "show", "retry", "rm"}))
      ->type_name("ACTION")
      ->capture_default_str();
  command.add_option("uid", options->uids, "the tasks that are meant")
      ->type_name("UID")
      ->default_str("none");
  add_queue_name_flags(command, options->queue);
  add_number<std::size_t>(command, "--most", options->most, {1, every_one},
                          "how many to list, those that died last first");
  command.add_flag("--json", options->json, "print a JSON object a line");
  add_example(command,
              "fogctl tasks ls --port 6380\n"
              "fogctl tasks retry --port 6380 3f1c-7 3f1c-8");
  return [options] { return run_tasks(*options); };
}

}  // namespace fogctl::cli
