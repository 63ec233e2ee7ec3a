// The lines of a trace (fogctl-trace(5)): what happened at a node, one JSON object a line; written
// by nodes, read to be simulated again. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "json/json.hpp"
#include "task/task.hpp"

namespace fogctl::wire {

/// What every line has.
struct TraceHead {
  WallTime at;
  std::string_view node;  // the name of the one that wrote it
};

struct TraceNode {
  std::string_view policy;
  std::size_t workers = 0;
  Duration sharing_interval{};
  bool is_cloud = false;
};
struct TracePlacement {
  std::string_view site;  // "here", "neighbour", "cloud", or empty: nowhere
  std::string_view name;  // of the place
  Duration expected_wait{};
  std::string_view reason;
};
struct TraceEnd {
  Duration waited{};  // in all, as the node saw it
  bool is_in_time = false;
};

// Each appends one line.
void append_trace_node(std::string& out, const TraceHead& head, const TraceNode& node);
void append_trace_arrival(std::string& out, const TraceHead& head, const Task& task);
void append_trace_placement(std::string& out, const TraceHead& head, std::string_view uid,
                            const TracePlacement& placement);
void append_trace_start(std::string& out, const TraceHead& head, const Task& task);
void append_trace_end(std::string& out, const TraceHead& head, const TaskResult& result,
                      const TraceEnd& end);

/// A line that was read. What its event has not is as it was made.
struct TraceLine {
  enum class Event { node, arrival, placement, start, end };
  Event event = Event::node;
  double at = 0;  // s since the epoch
  std::string node;
  int workers = 0;  // of a node
  Duration sharing_interval{};
  bool is_cloud = false;
  Task task;                               // of an arrival; of others the uid alone
  std::optional<Duration> execution_time;  // of an end; none: it did not run to its end
};
/// Error: invalid, naming the field. `scratch` only saves allocations.
[[nodiscard]] Result<TraceLine> parse_trace_line(std::string_view text, json::Object& scratch);

}  // namespace fogctl::wire
