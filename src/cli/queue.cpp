// fogctl queue: what waits in a Redis queue.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <numeric>
#include <string>

#include "cli/node_flags.hpp"
#include "cli/table.hpp"
#include "json/object_writer.hpp"

namespace fogctl::cli {
namespace {

struct QueueOptions {
  QueueFlags queue;
  bool json = false;
};

std::size_t sum(const std::array<std::size_t, task_class_count>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

std::string text_of(const QueueLoad& load) {
  std::vector<Row> rows = {{"state", "light", "medium", "heavy", "total"}};
  const auto add = [&rows](std::string name, const auto& counts) {
    rows.push_back({std::move(name), fmt::to_string(counts[0]), fmt::to_string(counts[1]),
                    fmt::to_string(counts[2]), fmt::to_string(sum(counts))});
  };
  add("queued", load.queued);
  add("leased", load.leased);
  rows.push_back({"away", "", "", "", fmt::to_string(load.away)});
  rows.push_back({"dead", "", "", "", fmt::to_string(load.dead)});
  return table_text(rows, {.left = 1}) +
         fmt::format("{} workers, {} bytes of tasks\n", load.workers, load.bytes);
}

std::string json_of(const std::string& name, const QueueLoad& load) {
  std::string out;
  ObjectWriter writer(out);
  writer.text("queue", name);
  for (const auto& [state, counts] : {std::pair("queued", load.queued), {"leased", load.leased}}) {
    ObjectWriter by_class(writer.begin(state));
    for (const TaskClass weight : task_classes) {
      by_class.count(to_string(weight), counts[index_of(weight)]);
    }
    by_class.count("total", sum(counts));
    by_class.end();
  }
  writer.count("away", load.away);
  writer.count("dead", load.dead);
  writer.count("workers", load.workers);
  writer.count("bytes", load.bytes);
  writer.end();
  return out + '\n';
}

CommandResult run_queue(const QueueOptions& options) {
  const SystemClock clock;
  const auto queue = open_queue_to_look_at(options.queue, clock);
  if (!queue) return std::unexpected(queue.error());
  const auto load = (*queue)->load(clock.now());
  if (!load) return std::unexpected(queue_failure(options.queue, load.error()));
  fmt::print("{}", options.json ? json_of(options.queue.name, *load) : text_of(*load));
  return exit_code::ok;
}

}  // namespace

Run add_queue(CLI::App& command) {
  auto options = std::make_shared<QueueOptions>();
  add_queue_name_flags(command, options->queue);
  command.add_flag("--json", options->json, "print one JSON object");
  add_example(command,
              "fogctl queue --port 6380\n"
              "fogctl queue --redis /run/redis.sock --queue cloud --json");
  return [options] { return run_queue(*options); };
}

}  // namespace fogctl::cli
