#include "cli/trace_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "sim/trace.hpp"
#include "wire/trace_lines.hpp"

namespace fogctl::cli {
namespace {

struct Arrival {
  double at = 0;
  std::string node;
  Task task;
};

struct Mean {
  double sum = 0;  // s
  double count = 0;
  void add(Duration time) {
    sum += to_seconds(time);
    ++count;
  }
};

class TraceReader {
 public:
  Result<void> add(std::string_view text) {
    auto line = wire::parse_trace_line(text, scratch_);
    if (!line) return std::unexpected(line.error());
    using Event = wire::TraceLine::Event;
    if (line->event == Event::node) {
      workers_[line->node] = static_cast<std::uint32_t>(line->workers);
      if (!line->is_cloud) fog_nodes_.insert(line->node);
      if (trace_.sharing_interval == Duration::zero()) {
        trace_.sharing_interval = line->sharing_interval;
      }
    } else if (line->event == Event::arrival) {
      add_arrival(std::move(*line));
    } else if (line->event == Event::end && line->execution_time) {
      executions_.try_emplace(line->task.uid, *line->execution_time);
    }
    return {};
  }

  RecordedTrace finish() {
    std::vector<const Arrival*> arrivals;
    arrivals.reserve(arrivals_.size());
    for (const auto& [uid, arrival] : arrivals_) arrivals.push_back(&arrival);
    std::ranges::sort(arrivals, [](const Arrival* a, const Arrival* b) {
      return std::tie(a->at, a->node, a->task.uid) < std::tie(b->at, b->node, b->task.uid);
    });
    learn(arrivals);
    for (const Arrival* arrival : arrivals) add_task(*arrival, arrivals.front()->at);
    for (const std::string& node : trace_.nodes) {
      trace_.workers = std::max(trace_.workers, workers_[node]);
      fog_nodes_.insert(node);
    }
    trace_.fog_nodes = fog_nodes_.size();
    return std::move(trace_);
  }

 private:
  /// A task that was handed on came to several nodes: the first of them counts.
  void add_arrival(wire::TraceLine line) {
    const auto [known, is_new] = arrivals_.try_emplace(line.task.uid);
    if (!is_new && known->second.at <= line.at) return;
    known->second = {line.at, std::move(line.node), std::move(line.task)};
  }

  void learn(const std::vector<const Arrival*>& arrivals) {
    for (const Arrival* arrival : arrivals) {
      const auto execution = executions_.find(arrival->task.uid);
      if (execution == executions_.end()) continue;
      by_name_[arrival->task.name].add(execution->second);
      by_class_[index_of(arrival->task.weight)].add(execution->second);
    }
  }

  std::optional<Duration> execution_of(const Task& task) {
    const auto known = executions_.find(task.uid);
    if (known != executions_.end()) return known->second;
    const auto name = by_name_.find(task.name);
    const Mean& mean = name != by_name_.end() ? name->second : by_class_[index_of(task.weight)];
    if (mean.count == 0) return std::nullopt;
    ++trace_.guessed;
    return from_seconds(mean.sum / mean.count);
  }

  std::uint32_t number_of(const std::string& node) {
    const auto found = std::ranges::find(trace_.nodes, node);
    const auto number = static_cast<std::uint32_t>(found - trace_.nodes.begin());
    if (found == trace_.nodes.end()) trace_.nodes.push_back(node);
    return number;
  }

  void add_task(const Arrival& arrival, double begin) {
    const auto execution = execution_of(arrival.task);
    if (!execution) {
      ++trace_.left_out;
      return;
    }
    sim::TracedTask task;
    task.arrival = sim::start_of_time + Duration(std::llround((arrival.at - begin) * 1e9));
    task.execution = std::max(Duration(1), *execution);
    task.node = number_of(arrival.node);
    task.weight = arrival.task.weight;
    task.requirement = arrival.task.time_requirement;
    task.max_offload = arrival.task.max_offload;
    task.cloud_processing = arrival.task.cloud_processing;
    trace_.tasks.push_back(task);
  }

  json::Object scratch_;
  RecordedTrace trace_;
  std::unordered_map<std::string, Arrival> arrivals_;       // by uid
  std::unordered_map<std::string, Duration> executions_;    // likewise
  std::unordered_map<std::string, std::uint32_t> workers_;  // by node; a cloud's among them
  std::set<std::string, std::less<>> fog_nodes_;
  std::unordered_map<std::string, Mean> by_name_;
  std::array<Mean, task_class_count> by_class_{};
};

}  // namespace

Result<RecordedTrace> read_trace(const std::string& path) {
  const auto unreadable = [&path] {
    return failure(ErrorCode::failed,
                   fmt::format("cannot read trace {}: there is no such file, or it cannot be "
                               "read; 'fogctl fog --record FILE' writes one",
                               path));
  };
  std::ifstream file(path);
  if (!file) return unreadable();
  TraceReader reader;
  std::size_t number = 0;
  for (std::string text; std::getline(file, text);) {
    ++number;
    if (const auto added = reader.add(text); !added) {
      return failure(ErrorCode::invalid,
                     fmt::format("{}:{}: {}", path, number, added.error().message));
    }
  }
  if (file.bad()) return unreadable();
  RecordedTrace trace = reader.finish();
  if (!trace.tasks.empty()) return trace;
  return failure(
      ErrorCode::invalid,
      fmt::format("{}: there is no task in it of which it is known how long it runs", path));
}

}  // namespace fogctl::cli
