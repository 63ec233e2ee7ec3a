// fogctl nodes: the neighbours that a node knows.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/decision_text.hpp"
#include "cli/node_address.hpp"
#include "cli/options.hpp"
#include "cli/report_fields.hpp"
#include "cli/table.hpp"
#include "json/json.hpp"

namespace fogctl::cli {
namespace {

struct NodesOptions {
  NodeAddressFlags node;
  bool json = false;
};

/// "+1.2ms ± 3ms": how much longer tasks waited than was predicted, and how that spreads.
std::string error_text(const json::Object& error) {
  if (count_of(error, "tasks") == 0) return "-";
  return fmt::format("{} +- {}", signed_length(number_of(error, "bias").value_or(0)),
                     length_of(error, "spread", "?"));
}

/// Of tasks that stayed, went to the cloud, and of each name.
std::string errors_of(const json::Object& node) {
  const auto all = object_of(node, "predictions");
  if (!all) return "";
  std::vector<Row> rows = {{"predicted wait", "tasks", "off by"}};
  const auto add = [&](const std::string& name, const json::Object& error) {
    const std::uint64_t tasks = count_of(error, "tasks");
    if (tasks > 0) rows.push_back({name, fmt::to_string(tasks), error_text(error)});
  };
  for (const std::string site : {"here", "cloud"}) {
    if (const auto error = object_of(*all, site)) add(site, *error);
  }
  for (const json::Object& task : objects_of(*all, "by_task")) {
    add("task " + text_of(task, "task_name"), task);
  }
  return rows.size() > 1 ? table_text(rows, {.left = 1}) : "";
}

/// What another policy would have done; empty: none decides beside the live one.
std::string shadow_of(const json::Object& node) {
  const auto shadow = object_of(node, "shadow");
  if (!shadow) return "";
  return fmt::format(
      "shadow {}: {} of {} decisions would have been others; here {}, neighbour {}, cloud {}, "
      "nowhere {}\n",
      text_of(*shadow, "policy"), count_of(*shadow, "differing"), count_of(*shadow, "decisions"),
      count_of(*shadow, "here"), count_of(*shadow, "neighbour"), count_of(*shadow, "cloud"),
      count_of(*shadow, "nowhere"));
}

std::string heading(const json::Object& node) {
  std::string text = fmt::format("{} ({}): ", text_of(node, "name"), text_of(node, "address"));
  const std::string wait = length_of(node, "waiting_time", "");
  text += wait.empty() ? "takes no task now" : fmt::format("a new task waits {}", wait);
  const auto cloud = object_of(node, "cloud");
  text += cloud ? fmt::format("; cloud {}, {} away\n", text_of(*cloud, "address"),
                              length_of(*cloud, "link_delay", "?"))
                : "; no cloud\n";
  if (node.find("ready") == "false") {
    text +=
        "NOT READY: tasks wait, its workers are free and get none, or its queue is broken; its log "
        "says more\n";
  }
  return text;
}

Row row_of(const json::Object& neighbour) {
  const auto prediction = object_of(neighbour, "prediction");
  return {text_of(neighbour, "name"),
          text_of(neighbour, "address"),
          length_of(neighbour, "waiting_time", "none taken"),
          length_of(neighbour, "link_delay"),
          length_of(neighbour, "state_age"),
          fmt::to_string(count_of(neighbour, "handed")),
          fmt::to_string(count_of(neighbour, "taken")),
          prediction ? error_text(*prediction) : "-"};
}

std::string text_of_report(const std::string& report) {
  json::Object node;
  if (!node.parse(report)) return "";
  std::string text = heading(node) + shadow_of(node);
  std::vector<Row> rows = {{"neighbour", "address", "waiting", "link", "state age", "handed to",
                            "taken from", "predicted wait off by"}};
  for (const json::Object& neighbour : objects_of(node, "neighbours")) {
    rows.push_back(row_of(neighbour));
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
