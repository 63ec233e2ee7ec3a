#include "cli/simulate_output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/table.hpp"
#include "json/object_writer.hpp"

namespace fogctl::cli {
namespace {

std::string percent(double rate) {
  return fmt::format("{:.2f}", 100 * rate);
}

std::string short_percent(double rate) {
  return fmt::format("{:.1f}", 100 * rate);
}

Row row_of(const sim::PolicySummary& summary) {
  return {summary.policy,
          percent(summary.in_time.mean),
          "±" + percent(summary.in_time.half_width),
          percent(summary.of_class[0].mean),
          percent(summary.of_class[1].mean),
          percent(summary.of_class[2].mean),
          format_duration(summary.wait_p50),
          format_duration(summary.wait_p95),
          format_duration(summary.wait_p99),
          short_percent(summary.ran[0]),
          short_percent(summary.ran[1]),
          short_percent(summary.ran[2]),
          fmt::format("{:.2f}", summary.messages),
          short_percent(summary.duplicate),
          fmt::to_string(summary.lost)};
}

void append_estimate(ObjectWriter& writer, std::string_view name, const sim::Estimate& estimate) {
  std::string text;
  ObjectWriter inner(text);
  inner.number("mean", estimate.mean);
  inner.number("plus_minus", estimate.half_width);
  inner.end();
  writer.value(name, text);
}

std::string json_of(const sim::PolicySummary& summary) {
  std::string text;
  ObjectWriter writer(text);
  writer.text("policy", summary.policy);
  writer.count("tasks", summary.tasks);
  append_estimate(writer, "in_time", summary.in_time);
  for (const TaskClass weight : task_classes) {
    append_estimate(writer, fmt::format("in_time_{}", to_string(weight)),
                    summary.of_class[index_of(weight)]);
  }
  writer.number("waiting_p50_s", to_seconds(summary.wait_p50));
  writer.number("waiting_p95_s", to_seconds(summary.wait_p95));
  writer.number("waiting_p99_s", to_seconds(summary.wait_p99));
  writer.number("local", summary.ran[0]);
  writer.number("neighbour", summary.ran[1]);
  writer.number("cloud", summary.ran[2]);
  writer.number("messages_per_task", summary.messages);
  writer.number("duplicate_work", summary.duplicate);
  writer.count("lost", summary.lost);
  writer.count("events", summary.events);
  writer.end();
  return text;
}

std::string list_of(const std::vector<std::string>& items) {
  return fmt::format("[{}]", fmt::join(items, ","));
}

}  // namespace

std::string simulate_table(const std::vector<sim::Scenario>& scenarios,
                           const std::vector<sim::LoadSummary>& summaries) {
  std::string text;
  const std::string* shown = nullptr;
  std::size_t scenario = 0;
  for (const sim::LoadSummary& summary : summaries) {
    while (scenarios[scenario].name != summary.scenario) ++scenario;
    if (shown != &scenarios[scenario].name) {
      shown = &scenarios[scenario].name;
      text +=
          fmt::format("{}{}: {}\n", text.empty() ? "" : "\n", *shown, scenarios[scenario].about);
    }
    std::vector<Row> rows = {{fmt::format("load {}", summary.load), "in time %", "", "light",
                              "medium", "heavy", "wait p50", "p95", "p99", "local %", "neigh.",
                              "cloud", "messages", "double %", "lost"}};
    for (const sim::PolicySummary& policy : summary.policies) rows.push_back(row_of(policy));
    text += table_text(rows, {.left = 1});
  }
  return text;
}

std::string simulate_json(const std::vector<sim::LoadSummary>& summaries) {
  std::vector<std::string> items;
  for (const sim::LoadSummary& summary : summaries) {
    std::vector<std::string> of_policies;
    of_policies.reserve(summary.policies.size());
    for (const auto& policy : summary.policies) of_policies.push_back(json_of(policy));
    std::string text;
    ObjectWriter writer(text);
    writer.text("scenario", summary.scenario);
    writer.number("load", summary.load);
    writer.value("policies", list_of(of_policies));
    writer.end();
    items.push_back(std::move(text));
  }
  std::string text;
  ObjectWriter writer(text);
  writer.value("runs", list_of(items));
  writer.end();
  return text + '\n';
}

SimulateProgress::SimulateProgress(std::size_t all)
    : all_(all), is_terminal_(::isatty(STDERR_FILENO) == 1) {}

SimulateProgress::~SimulateProgress() {
  if (is_terminal_) fmt::print(stderr, "\r\033[K");
}

void SimulateProgress::show(std::size_t done) {
  if (!is_terminal_) return;
  constexpr std::size_t width = 40;
  const std::size_t filled = all_ == 0 ? width : done * width / all_;
  fmt::print(stderr, "\r\033[K[{:-<{}}] {} of {} simulations", std::string(filled, '#'), width,
             done, all_);
  std::fflush(stderr);
}

}  // namespace fogctl::cli
