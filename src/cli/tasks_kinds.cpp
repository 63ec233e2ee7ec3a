#include "cli/tasks_kinds.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cli/report_fields.hpp"
#include "cli/table.hpp"
#include "client/ask_node.hpp"
#include "json/json.hpp"

namespace fogctl::cli {
namespace {

constexpr Duration budget = std::chrono::seconds(5);

Row row_of(const json::Object& kind) {
  return {text_of(kind, "task_name"), text_of(kind, "class"), length_of(kind, "time"),
          fmt::to_string(count_of(kind, "runs")),
          fmt::format("{}", fmt::join(texts_of(kind, "nodes"), ", "))};
}

std::string text_of_report(const std::vector<std::string_view>& kinds) {
  std::vector<Row> rows = {{"task", "class", "time", "runs", "nodes"}};
  for (const std::string_view text : kinds) {
    json::Object kind;
    if (kind.parse(text)) rows.push_back(row_of(kind));
  }
  return rows.size() > 1 ? table_text(rows, {.left = 2, .ends_in_text = true}) : "no tasks\n";
}

}  // namespace

CommandResult run_tasks_kinds(const NodeAddressFlags& flags, bool json) {
  const SystemClock clock;
  const NodeAddress node = node_address(flags, clock);
  std::string question;
  wire::append_kinds_query(question);
  const auto is_answer = [](const wire::Message& message) {
    return std::holds_alternative<wire::Kinds>(message);
  };
  const auto answer = ask_node(node.address, question, is_answer, budget);
  if (!answer) return std::unexpected(node_failure(flags, node, answer.error()));
  const std::string mesh = std::get<wire::Kinds>(*answer).mesh;
  const auto kinds = json::read_values(mesh).value_or(std::vector<std::string_view>{});
  if (!json) fmt::print("{}", text_of_report(kinds));
  if (json) {
    for (const std::string_view kind : kinds) fmt::print("{}\n", kind);
  }
  return exit_code::ok;
}

}  // namespace fogctl::cli
