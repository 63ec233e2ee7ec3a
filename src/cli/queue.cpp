// fogctl queue: what lies in a queue; pausing and resuming it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "base/counted.hpp"
#include "cli/queue_access.hpp"
#include "cli/table.hpp"
#include "json/json.hpp"

namespace fogctl::cli {
namespace {

struct QueueOptions {
  QueueAccessFlags access;
  std::string action;
  bool json = false;
};

std::string number_of(const json::Object& object, std::string_view name) {
  return std::string(object.find(name).value_or("0"));
}

std::string age_of(const json::Object& ages, std::string_view state) {
  const auto age = json::read_number(ages.find(state).value_or("null"));
  return age ? format_duration(from_seconds(*age)) : "-";
}

std::string text_of(const std::string& report) {
  json::Object counts, ages;
  if (!counts.parse(report) || !ages.parse(counts.find("oldest").value_or("{}"))) return report;
  std::vector<Row> rows = {{"state", "light", "medium", "heavy", "total", "oldest"}};
  for (const std::string state : {"queued", "leased"}) {
    json::Object by_class;
    if (!by_class.parse(counts.find(state).value_or("{}"))) continue;
    rows.push_back({state, number_of(by_class, "light"), number_of(by_class, "medium"),
                    number_of(by_class, "heavy"), number_of(by_class, "total"),
                    age_of(ages, state)});
  }
  for (const std::string state : {"delayed", "away", "dead"}) {
    rows.push_back({state, "", "", "", number_of(counts, state), age_of(ages, state)});
  }
  const bool is_paused = counts.find("paused") == "true";
  const auto workers = json::read_integer(number_of(counts, "workers")).value_or(0);
  return table_text(rows, {.left = 1}) +
         fmt::format("{}, {} bytes of tasks{}\n",
                     counted(static_cast<std::uint64_t>(workers), "worker"),
                     number_of(counts, "bytes"),
                     is_paused ? "; PAUSED: nothing is begun until 'fogctl queue resume'" : "");
}

CommandResult run_queue(const QueueOptions& options) {
  QueueRequest request;
  request.action = options.action.empty() ? "counts" : options.action;
  const auto answered = ask_queue(options.access, request);
  if (!answered) return std::unexpected(answered.error());
  for (const std::string& report : *answered) {
    fmt::print("{}", options.json ? report + '\n' : text_of(report));
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
