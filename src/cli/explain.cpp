// fogctl explain: why a task went where it went, by a running node's own word.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "cli/command.hpp"
#include "cli/decision_text.hpp"
#include "cli/node_address.hpp"
#include "cli/options.hpp"
#include "cli/report_fields.hpp"
#include "client/ask_node.hpp"
#include "json/json.hpp"
#include "task/task.hpp"

namespace fogctl::cli {
namespace {

struct ExplainOptions {
  std::string uid;
  NodeAddressFlags node;
  bool json = false;
};

std::string text_of_report(const std::string& report) {
  json::Object explanation;
  if (!explanation.parse(report)) return "";
  std::string text;
  for (const json::Object& decision : objects_of(explanation, "decisions")) {
    text += decision_text(decision);
  }
  return text;
}

CommandResult run_explain(const ExplainOptions& options) {
  std::string question;
  wire::append_explain_query(question, options.uid);
  const auto report = ask_for_report<wire::Explanation>(options.node, question);
  if (!report) return std::unexpected(report.error());
  fmt::print("{}", options.json ? *report + '\n' : text_of_report(*report));
  return exit_code::ok;
}

}  // namespace

Run add_explain(CLI::App& command) {
  auto options = std::make_shared<ExplainOptions>();
  command.add_option("TASK_UID", options->uid, "the task that is asked about")
      ->required()
      ->type_name("")
      ->default_str("")
      ->check([](const std::string& text) {
        return is_valid_name(text)
                   ? std::string()
                   : fmt::format("'{}' is no task_uid: 1 to 64 of [A-Za-z0-9_.-]", text);
      });
  add_node_address(command, options->node, "the node to ask: one that the task came to");
  command.add_flag("--json", options->json, "print what the node says as a JSON object");
  add_example(command,
              "fogctl explain 3f1c-7\n"
              "fogctl explain 3f1c-7 --connect 10.0.0.7:10000 --json");
  return [options] { return run_explain(*options); };
}

}  // namespace fogctl::cli
