// fogctl nodes: the neighbours that a node knows.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/command.hpp"
#include "cli/node_address.hpp"
#include "cli/options.hpp"
#include "cli/table.hpp"
#include "client/ask_node.hpp"
#include "json/json.hpp"

namespace fogctl::cli {
namespace {

constexpr Duration budget = std::chrono::seconds(5);

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

std::string heading(const json::Object& node) {
  std::string text = fmt::format("{} ({}): ", text_of(node, "name"), text_of(node, "address"));
  const std::string wait = time_of(node, "waiting_time", "");
  text += wait.empty() ? "takes no task now" : fmt::format("a new task waits {}", wait);
  json::Object cloud;
  const bool has_cloud = cloud.parse(node.find("cloud").value_or("null")).has_value();
  text += has_cloud ? fmt::format("; cloud {}, {} away\n", text_of(cloud, "address"),
                                  time_of(cloud, "link_delay", "?"))
                    : "; no cloud\n";
  return text;
}

Row row_of(const json::Object& neighbour) {
  return {text_of(neighbour, "name"),
          text_of(neighbour, "address"),
          time_of(neighbour, "waiting_time", "none taken"),
          time_of(neighbour, "link_delay", "-"),
          time_of(neighbour, "state_age", "-"),
          count_of(neighbour, "handed"),
          count_of(neighbour, "taken")};
}

std::string text_of_report(const std::string& report) {
  json::Object node;
  if (!node.parse(report)) return "";
  std::string text = heading(node);
  std::vector<Row> rows = {
      {"neighbour", "address", "waiting", "link", "state age", "handed to", "taken from"}};
  const auto neighbours = json::read_values(node.find("neighbours").value_or("[]"));
  for (const std::string_view item : neighbours.value_or(std::vector<std::string_view>{})) {
    json::Object neighbour;
    if (neighbour.parse(item)) rows.push_back(row_of(neighbour));
  }
  return text + (rows.size() > 1 ? table_text(rows, {.left = 2}) : "no neighbours\n");
}

CommandResult run_nodes(const NodesOptions& options) {
  const SystemClock clock;
  const NodeAddress node = node_address(options.node, clock);
  std::string question;
  wire::append_nodes_query(question);
  const auto answer = ask_node(
      node.address, question,
      [](const wire::Message& message) {
        return std::holds_alternative<wire::NodesReport>(message);
      },
      budget);
  if (!answer) return std::unexpected(node_failure(options.node, node, answer.error()));
  const std::string& report = std::get<wire::NodesReport>(*answer).json;
  fmt::print("{}", options.json ? report + '\n' : text_of_report(report));
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
