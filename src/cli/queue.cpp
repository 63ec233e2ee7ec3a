// fogctl queue: what lies in a queue; pausing and resuming it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "base/counted.hpp"
#include "cli/queue_access.hpp"
#include "cli/report_fields.hpp"
#include "cli/table.hpp"
#include "json/json.hpp"

namespace fogctl::cli {
namespace {

struct QueueOptions {
  QueueAccessFlags access;
  std::string action;
  bool json = false;
};

std::string number_in(const json::Object& object, std::string_view name) {
  return fmt::to_string(count_of(object, name));
}

std::string text_of_report(const std::string& report) {
  json::Object counts;
  if (!counts.parse(report)) return report;
  const json::Object ages = object_of(counts, "oldest").value_or(json::Object());
  std::vector<Row> rows = {{"state", "light", "medium", "heavy", "total", "oldest"}};
  for (const std::string state : {"queued", "leased"}) {
    const json::Object by_class = object_of(counts, state).value_or(json::Object());
    rows.push_back({state, number_in(by_class, "light"), number_in(by_class, "medium"),
                    number_in(by_class, "heavy"), number_in(by_class, "total"),
                    length_of(ages, state)});
  }
  for (const std::string state : {"delayed", "away", "dead"}) {
    rows.push_back({state, "", "", "", number_in(counts, state), length_of(ages, state)});
  }
  const auto dead_bytes = count_of(counts, "dead_bytes");
  const bool is_paused = flag_of(counts, "paused");
  return table_text(rows, {.left = 1}) +
         fmt::format("{}, {} bytes of tasks{}{}\n", counted(count_of(counts, "workers"), "worker"),
                     count_of(counts, "bytes"),
                     dead_bytes > 0 ? fmt::format(", {} of dead ones", dead_bytes) : "",
                     is_paused ? "; PAUSED: nothing is begun until 'fogctl queue resume'" : "");
}

CommandResult run_queue(const QueueOptions& options) {
  QueueRequest request;
  request.action = options.action.empty() ? "counts" : options.action;
  const auto answered = ask_queue(options.access, request);
  if (!answered) return std::unexpected(answered.error());
  for (const std::string& report : *answered) {
    fmt::print("{}", options.json ? report + '\n' : text_of_report(report));
  }
  return exit_code::ok;
}

}  // namespace

Run add_queue(CLI::App& command) {
  auto options = std::make_shared<QueueOptions>();
  command
      .add_option("action", options->action,
                  "pause: workers begin nothing more; resume: they go on")
      ->check(CLI::IsMember({"pause", "resume"}))
      ->type_name("ACTION")
      ->default_str("none: says what lies in it");
  add_queue_access_flags(command, options->access);
  command.add_flag("--json", options->json, "print one JSON object");
  add_example(command,
              "fogctl queue --port 6380\n"
              "fogctl queue pause --connect 10.0.0.7:10000");
  return [options] { return run_queue(*options); };
}

}  // namespace fogctl::cli
