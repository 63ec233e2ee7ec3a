#include "wire/trace_lines.hpp"

#include <algorithm>
#include <array>

#include "json/object_writer.hpp"
#include "wire/fields.hpp"
#include "wire/messages.hpp"

namespace fogctl::wire {
namespace {

using V = std::string_view;

/// In the order of TraceLine::Event.
constexpr std::array<V, 5> event_names = {"node", "arrival", "placement", "start", "end"};

ObjectWriter begin(std::string& out, V event, const TraceHead& head) {
  ObjectWriter writer(out);
  writer.text("event", event);
  writer.value("at", wall_time_text(head.at));
  writer.text("node", head.node);
  return writer;
}

void end(ObjectWriter& writer, std::string& out) {
  writer.end();
  out += '\n';
}

void append_flag(ObjectWriter& writer, V name, bool flag) {
  writer.value(name, flag ? "true" : "false");
}

bool read_event(TraceLine& line, V value) {
  const auto name = json::read_string(value);
  const auto found = std::ranges::find(event_names, name.value_or(""));
  if (found == event_names.end()) return false;
  line.event = static_cast<TraceLine::Event>(found - event_names.begin());
  return true;
}

bool read_weight(TraceLine& line, V value) {
  const auto weight = parse_task_class(json::read_string(value).value_or(""));
  if (weight) line.task.weight = *weight;
  return weight.has_value();
}

/// Instants and lengths that can be added up.
constexpr double latest = 9e9;  // s since the epoch
constexpr Duration longest_execution = std::chrono::seconds(1'000'000);
constexpr int most_workers = 1024;

bool read_execution(TraceLine& line, V value) {
  if (value == "null") return true;
  return read_seconds(line.execution_time.emplace(), value) &&
         *line.execution_time <= longest_execution;
}

constexpr V a_length = "seconds, a finite number >= 0";
constexpr V a_name = "1 to 64 of [A-Za-z0-9_.-]";

constexpr Field<TraceLine> fields[] = {
    {"event", read_event, "\"node\", \"arrival\", \"placement\", \"start\" or \"end\""},
    {"at", [](TraceLine& l, V v) { return read_into(l.at, v) && l.at >= 0 && l.at <= latest; },
     "seconds since the epoch, from 0 to 9e9"},
    {"node", [](TraceLine& l, V v) { return read_into(l.node, v) && is_valid_name(l.node); },
     a_name},
    {"task_uid",
     [](TraceLine& l, V v) { return read_into(l.task.uid, v) && is_valid_name(l.task.uid); },
     a_name},
    {"task_name",
     [](TraceLine& l, V v) { return read_into(l.task.name, v) && is_valid_name(l.task.name); },
     a_name},
    {"task_type", read_weight, "\"light\", \"medium\" or \"heavy\""},
    {"time_requirement", [](TraceLine& l, V v) { return read_seconds(l.task.time_requirement, v); },
     a_length},
    {"waited", [](TraceLine& l, V v) { return read_seconds(l.task.waited, v); }, a_length},
    {"offload_times", [](TraceLine& l, V v) { return read_count(l.task.offload_times, v); },
     "a whole number >= 0"},
    {"max_offload", [](TraceLine& l, V v) { return read_count(l.task.max_offload, v); },
     "a whole number >= 0"},
    {"cloud_processing", [](TraceLine& l, V v) { return read_into(l.task.cloud_processing, v); },
     "true or false"},
    {"execution_time", read_execution, "null, or seconds from 0 to 1e6"},
    {"workers",
     [](TraceLine& l, V v) { return read_count(l.workers, v) && l.workers <= most_workers; },
     "a whole number from 0 to 1024"},
    {"sharing_interval", [](TraceLine& l, V v) { return read_seconds(l.sharing_interval, v); },
     a_length},
    {"cloud", [](TraceLine& l, V v) { return read_into(l.is_cloud, v); }, "true or false"},
};

/// The first field that is missing of those that its event needs; none: all are there.
std::optional<V> missing_of(const TraceLine& line, const json::Object& object) {
  const bool is_arrival = line.event == TraceLine::Event::arrival;
  for (const V name : {V("event"), V("at"), V("node")}) {
    if (!object.find(name)) return name;
  }
  if (line.event != TraceLine::Event::node && line.task.uid.empty()) return "task_uid";
  if (is_arrival && line.task.name.empty()) return "task_name";
  if (is_arrival && !object.find("time_requirement")) return "time_requirement";
  if (line.event == TraceLine::Event::end && !object.find("execution_time")) {
    return "execution_time";
  }
  return std::nullopt;
}

}  // namespace

void append_trace_node(std::string& out, const TraceHead& head, const TraceNode& node) {
  ObjectWriter writer = begin(out, "node", head);
  writer.text("policy", node.policy);
  writer.count("workers", node.workers);
  writer.number("sharing_interval", to_seconds(node.sharing_interval));
  append_flag(writer, "cloud", node.is_cloud);
  end(writer, out);
}

void append_trace_arrival(std::string& out, const TraceHead& head, const Task& task) {
  ObjectWriter writer = begin(out, "arrival", head);
  writer.text("task_uid", task.uid);
  writer.text("task_name", task.name);
  writer.text("task_type", to_string(task.weight));
  writer.number("time_requirement", to_seconds(task.time_requirement));
  writer.number("waited", to_seconds(task.waited));
  writer.count("offload_times", static_cast<std::uint64_t>(task.offload_times));
  writer.count("max_offload", static_cast<std::uint64_t>(task.max_offload));
  append_flag(writer, "cloud_processing", task.cloud_processing);
  end(writer, out);
}

void append_trace_placement(std::string& out, const TraceHead& head, std::string_view uid,
                            const TracePlacement& placement) {
  ObjectWriter writer = begin(out, "placement", head);
  writer.text("task_uid", uid);
  if (placement.site.empty()) {
    for (const char* name : {"site", "to", "expected_wait"}) writer.value(name, "null");
  } else {
    writer.text("site", placement.site);
    writer.text("to", placement.name);
    writer.number("expected_wait", to_seconds(placement.expected_wait));
  }
  writer.text("reason", placement.reason);
  end(writer, out);
}

void append_trace_start(std::string& out, const TraceHead& head, const Task& task) {
  ObjectWriter writer = begin(out, "start", head);
  writer.text("task_uid", task.uid);
  end(writer, out);
}

void append_trace_end(std::string& out, const TraceHead& head, const TaskResult& result,
                      const TraceEnd& how) {
  ObjectWriter writer = begin(out, "end", head);
  writer.text("task_uid", result.uid);
  writer.text("ran_at", result.node);
  if (result.error) {
    writer.value("execution_time", "null");
    writer.text("error", to_string(result.error->code));
  } else {
    writer.number("execution_time", to_seconds(result.execution_time));
    writer.value("error", "null");
  }
  writer.number("waited", to_seconds(how.waited));
  append_flag(writer, "in_time", how.is_in_time);
  end(writer, out);
}

Result<TraceLine> parse_trace_line(std::string_view text, json::Object& scratch) {
  if (const auto parsed = scratch.parse(text); !parsed) return std::unexpected(parsed.error());
  TraceLine line;
  const auto wrong = read_fields<TraceLine>(scratch, fields, line, [](const auto&) {});
  if (wrong) return failure(ErrorCode::invalid, *wrong);
  if (const auto missing = missing_of(line, scratch)) {
    return failure(ErrorCode::invalid, fmt::format("field '{}': missing", *missing));
  }
  return line;
}

}  // namespace fogctl::wire
