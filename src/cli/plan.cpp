// fogctl plan: where a task would go now, asked of a running node, in which nothing changes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "cli/command.hpp"
#include "cli/decision_text.hpp"
#include "cli/node_address.hpp"
#include "cli/options.hpp"
#include "client/ask_node.hpp"
#include "client/content.hpp"
#include "json/json.hpp"
#include "task/task.hpp"

namespace fogctl::cli {
namespace {

struct PlanOptions {
  Task task;
  std::string weight;  // empty: the node's for the name
  NodeAddressFlags node;
  bool json = false;
};

CommandResult run_plan(const PlanOptions& options) {
  Task task = options.task;
  const auto weight = parse_task_class(options.weight);
  if (weight) task.weight = *weight;
  std::string question;
  wire::append_plan_query(question, task, weight.has_value());
  const auto report = ask_for_report<wire::PlanReport>(options.node, question);
  if (!report) return std::unexpected(report.error());
  json::Object plan;
  const bool is_whole = plan.parse(*report).has_value();
  fmt::print("{}", options.json || !is_whole ? *report + '\n' : decision_text(plan));
  if (!is_whole || plan.find("error").value_or("null") == "null") return exit_code::ok;
  std::fflush(stdout);
  return std::unexpected(CommandFailure{
      exit_code::failed, fmt::format("no node in reach can run '{}'; 'fogctl tasks kinds' lists "
                                     "what they can",
                                     task.name)});
}

}  // namespace

Run add_plan(CLI::App& command) {
  auto options = std::make_shared<PlanOptions>();
  Task& task = options->task;
  task.name = "light";
  command.add_option("--task", task.name, "name of the task")
      ->check([](const std::string& text) {
        return is_valid_name(text) ? std::string()
                                   : fmt::format("'{}' is not 1 to 64 of [A-Za-z0-9_.-]", text);
      })
      ->type_name("NAME")
      ->capture_default_str();
  command
      .add_option_function<std::string>(
          "--content",
          [&task](const std::string& text) {
            if (auto content = content_from_text(text)) task.content = std::move(*content);
          },
          "its content, as 'fogctl client' takes it: a long one goes not everywhere")
      ->check([](const std::string& text) {
        const auto content = content_from_text(text);
        return content ? std::string() : content.error().message;
      })
      ->type_name("JSON")
      ->default_str("null");
  add_choice(command, "--class", options->weight, {"light", "medium", "heavy"},
             "its class; else what the node knows of the name");
  add_duration(command, "--requirement", task.time_requirement,
               "the longest waiting time that it accepts");
  command.add_flag("--to-cloud", task.cloud_processing, "it asks for the cloud");
  add_node_address(command, options->node, "the node to ask");
  command.add_flag("--json", options->json, "print what the node says as a JSON object");
  add_example(command,
              "fogctl plan --task heavy --requirement 0.2\n"
              "fogctl plan --task light --requirement 50ms --connect 10.0.0.7:10000 --json");
  return [options] { return run_plan(*options); };
}

}  // namespace fogctl::cli
