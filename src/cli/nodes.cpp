// fogctl nodes: the neighbours that a node knows.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "cli/decision_text.hpp"
#include "cli/node_address.hpp"
#include "cli/options.hpp"
#include "cli/table.hpp"
#include "json/json.hpp"

namespace fogctl::cli {
namespace {

struct NodesOptions {
  NodeAddressFlags node;
  bool json = false;
};

std::string text_of(const json::Object& object, std::string_view name) {
  std::string text = json::read_string(object.find(name).value_or("null")).value_or("-");
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return text;
}

std::string time_of(const json::Object& object, std::string_view name, std::string_view none) {
  const auto seconds = json::read_number(object.find(name).value_or("null"));
  return seconds ? format_duration(from_seconds(*seconds)) : std::string(none);
}

std::string count_of(const json::Object& object, std::string_view name) {
  return fmt::to_string(json::read_integer(object.find(name).value_or("0")).value_or(0));
}

/// "+1.2ms ± 3ms": how much longer tasks waited than was predicted, and how that spreads.
std::string error_of(std::optional<std::string_view> prediction) {
  json::Object error;
  if (!error.parse(prediction.value_or("null")) || count_of(error, "tasks") == "0") return "-";
  const auto bias = json::read_number(error.find("bias").value_or("0")).value_or(0);
  return fmt::format("{} +- {}", signed_length(bias), time_of(error, "spread", "?"));
}

/// Of tasks that stayed, went to the cloud, and of each name.
std::string errors_of(const json::Object& node) {
  json::Object all;
  if (!all.parse(node.find("predictions").value_or("null"))) return "";
  std::vector<Row> rows = {{"predicted wait", "tasks", "off by"}};
  const auto add = [&](const std::string& name, std::string_view text) {
    json::Object error;
    if (!error.parse(text) || count_of(error, "tasks") == "0") return;
    rows.push_back({name, count_of(error, "tasks"), error_of(text)});
  };
  add("here", all.find("here").value_or("null"));
  add("cloud", all.find("cloud").value_or("null"));
  const auto names = json::read_values(all.find("by_task").value_or("[]"));
  for (const std::string_view item : names.value_or(std::vector<std::string_view>{})) {
    json::Object task;
    if (task.parse(item)) add("task " + text_of(task, "task_name"), item);
  }
  return rows.size() > 1 ? table_text(rows, {.left = 1}) : "";
}

/// What another policy would have done; empty: none decides beside the live one.
std::string shadow_of(const json::Object& node) {
  json::Object shadow;
  if (!shadow.parse(node.find("shadow").value_or("null"))) return "";
  return fmt::format(
      "shadow {}: {} of {} decisions would have been others; here {}, neighbour {}, cloud {}, "
      "nowhere {}\n",
      text_of(shadow, "policy"), count_of(shadow, "differing"), count_of(shadow, "decisions"),
      count_of(shadow, "here"), count_of(shadow, "neighbour"), count_of(shadow, "cloud"),
      count_of(shadow, "nowhere"));
}

std::string heading(const json::Object& node) {
  std::string text = fmt::format("{} ({}): ", text_of(node, "name"), text_of(node, "address"));
  const std::string wait = time_of(node, "waiting_time", "");
  text += wait.empty() ? "takes no task now" : fmt::format("a new task waits {}", wait);
  json::Object cloud;
  const bool has_cloud = cloud.parse(node.find("cloud").value_or("null")).has_value();
  text += has_cloud ? fmt::format("; cloud {}, {} away\n", text_of(cloud, "address"),
                                  time_of(cloud, "link_delay", "?"))
                    : "; no cloud\n";
  if (node.find("ready") == "false") {
    text += "NOT READY: tasks wait, its workers are free and get none; its log says more\n";
  }
  return text;
}

Row row_of(const json::Object& neighbour) {
  return {text_of(neighbour, "name"),
          text_of(neighbour, "address"),
          time_of(neighbour, "waiting_time", "none taken"),
          time_of(neighbour, "link_delay", "-"),
          time_of(neighbour, "state_age", "-"),
          count_of(neighbour, "handed"),
          count_of(neighbour, "taken"),
          error_of(neighbour.find("prediction"))};
}

std::string text_of_report(const std::string& report) {
  json::Object node;
  if (!node.parse(report)) return "";
  std::string text = heading(node) + shadow_of(node);
  std::vector<Row> rows = {{"neighbour", "address", "waiting", "link", "state age", "handed to",
                            "taken from", "predicted wait off by"}};
  const auto neighbours = json::read_values(node.find("neighbours").value_or("[]"));
  for (const std::string_view item : neighbours.value_or(std::vector<std::string_view>{})) {
    json::Object neighbour;
    if (neighbour.parse(item)) rows.push_back(row_of(neighbour));
  }
  text += rows.size() > 1 ? table_text(rows, {.left = 2}) : "no neighbours\n";
  return text + errors_of(node);
}

CommandResult run_nodes(const NodesOptions& options) {
  std::string question;
  wire::append_nodes_query(question);
  const auto report = ask_for_report<wire::NodesReport>(options.node, question);
  if (!report) return std::unexpected(report.error());
  fmt::print("{}", options.json ? *report + '\n' : text_of_report(*report));
  return exit_code::ok;
}

}  // namespace

Run add_nodes(CLI::App& command) {
  auto options = std::make_shared<NodesOptions>();
  add_node_address(command, options->node, "the node to ask");
  command.add_flag("--json", options->json, "print what the node says as a JSON object");
  add_example(command,
              "fogctl nodes\n"
              "fogctl nodes --connect 10.0.0.7:10000 --json");
  return [options] { return run_nodes(*options); };
}

}  // namespace fogctl::cli
