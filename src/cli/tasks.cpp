// fogctl tasks: the tasks in a queue, one by one: looked at, given up, tried again, thrown away;
// and which tasks there are to be run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/queue_access.hpp"
#include "cli/report_fields.hpp"
#include "cli/table.hpp"
#include "cli/tasks_kinds.hpp"
#include "json/json.hpp"

namespace fogctl::cli {
namespace {

constexpr std::size_t every_one = 1'000'000;

struct TasksOptions {
  QueueAccessFlags access;
  DiscoveryFlags discovery;  // of kinds
  QueueRequest request;
  bool json = false;
};

std::string rounded(const json::Object& object, std::string_view name) {
  const auto seconds = number_of(object, name);
  if (!seconds) return "-";
  const Duration length = std::chrono::round<std::chrono::milliseconds>(from_seconds(*seconds));
  return *seconds < 0 ? "late" : format_duration(length);
}

std::string table_of(const std::vector<std::string>& objects) {
  if (objects.empty()) return "no tasks\n";
  std::vector<Row> rows = {{"uid", "state", "task", "at", "runs", "age", "start within", "why"}};
  for (const std::string& text : objects) {
    json::Object task;
    if (!task.parse(text)) continue;
    const std::string at = text_of(task, "node", "") + text_of(task, "holder", "");
    rows.push_back({text_of(task, "task_uid"), text_of(task, "state"), text_of(task, "task_name"),
                    at.empty() ? "-" : at, fmt::to_string(count_of(task, "attempts")),
                    rounded(task, "age"), rounded(task, "start_within"),
                    text_of(task, "reason", "")});
  }
  return table_text(rows, {.left = 4, .ends_in_text = true});
}

/// What became of each; fails where one was not as it had to be.
CommandResult report(const TasksOptions& options, const std::vector<std::string>& objects,
                     std::initializer_list<std::string_view> good) {
  bool all_good = true;
  for (const std::string& text : objects) {
    json::Object task;
    if (!task.parse(text)) continue;
    const std::string status = text_of(task, "status");
    all_good &= std::find(good.begin(), good.end(), status) != good.end();
    if (options.json) {
      fmt::print("{}\n", text);
    } else {
      fmt::print("{}: {}\n", text_of(task, "task_uid"), status);
    }
  }
  return all_good ? exit_code::ok : exit_code::failed;
}

/// Those that are there; fails where one is not, and says which.
CommandResult show(const std::vector<std::string>& objects) {
  std::vector<std::string> missing;
  for (const std::string& text : objects) {
    json::Object task;
    if (task.parse(text) && text_of(task, "status", "") == "unknown") {
      missing.push_back("'" + text_of(task, "task_uid") + "'");
    } else {
      fmt::print("{}\n", text);
    }
  }
  if (missing.empty()) return exit_code::ok;
  return std::unexpected(CommandFailure{
      exit_code::failed, fmt::format("no task has the uid {}", fmt::join(missing, " or "))});
}

CommandResult run_tasks(const TasksOptions& options) {
  const std::string& action = options.request.action;
  const std::vector<std::string>& uids = options.request.uids;
  if ((action == "ls" || action == "kinds") && !uids.empty()) {
    return std::unexpected(
        CommandFailure{exit_code::usage,
                       fmt::format("tasks {0}: takes no uid, but got '{1}'; to look at that task "
                                   "alone: fogctl tasks show {1}",
                                   action, uids.front())});
  }
  if (action == "kinds") {
    NodeAddressFlags node;
    node.discovery = options.discovery;
    const std::string& connect = options.access.node;
    if (!connect.empty()) node.connect.push_back(*parse_host_port(connect));
    return run_tasks_kinds(node, options.json);
  }
  if (action != "ls" && uids.empty()) {
    return std::unexpected(
        CommandFailure{exit_code::usage, "tasks " + action + ": name the tasks by uid"});
  }
  const auto answered = ask_queue(options.access, options.request);
  if (!answered) return std::unexpected(answered.error());
  if (action == "show") return show(*answered);
  if (action == "cancel") return report(options, *answered, {"cancelled", "will apply"});
  if (action == "retry") return report(options, *answered, {"queued again"});
  if (action == "rm") return report(options, *answered, {"removed"});
  if (action == "ls" && !options.json) {
    fmt::print("{}", table_of(*answered));
    return exit_code::ok;
  }
  for (const std::string& text : *answered) fmt::print("{}\n", text);
  return exit_code::ok;
}

}  // namespace

Run add_tasks(CLI::App& command) {
  auto options = std::make_shared<TasksOptions>();
  options->request.action = "ls";
  command
      .add_option("action", options->request.action,
                  "ls, show, cancel (give up what has no result yet), retry or rm (of dead ones); "
                  "kinds: which tasks the nodes can run")
      ->check(CLI::IsMember({"ls", "show", "cancel", "retry", "rm", "kinds"}))
      ->type_name("ACTION")
      ->capture_default_str();
  command.add_option("uid", options->request.uids, "the tasks that are meant")
      ->type_name("UID")
      ->default_str("none");
  add_queue_access_flags(command, options->access);
  add_discovery_flags(command, options->discovery);
  command.add_option("--state", options->request.state, "list tasks of this state alone")
      ->check(CLI::IsMember({"queued", "delayed", "leased", "away", "dead"}))
      ->type_name("STATE")
      ->default_str("every one");
  add_number<std::size_t>(command, "--most", options->request.most, {1, every_one},
                          "how many to list of each state");
  command.add_flag("--json", options->json, "print a JSON object a line");
  add_example(command,
              "fogctl tasks ls --port 6380 --state dead\n"
              "fogctl tasks kinds\n"
              "fogctl tasks cancel --connect 10.0.0.7:10000 3f1c-7");
  return [options] { return run_tasks(*options); };
}

}  // namespace fogctl::cli
