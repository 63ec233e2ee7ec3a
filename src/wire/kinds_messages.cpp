// Which tasks nodes can run, and how far a task that runs has come.
#include <algorithm>

#include "json/object_writer.hpp"
#include "wire/fields.hpp"
#include "wire/messages.hpp"
#include "wire/readers.hpp"

namespace fogctl::wire {
namespace {

using V = std::string_view;

bool read_class(TaskKind& kind, V value) {
  const auto weight = parse_task_class(json::read_string(value).value_or(""));
  if (weight) kind.weight = *weight;
  return weight.has_value();
}

bool read_runs(TaskKind& kind, V value) {
  const auto runs = json::read_integer(value);
  if (!runs || *runs < 0) return false;
  kind.runs = static_cast<std::uint64_t>(*runs);
  return true;
}

constexpr Field<TaskKind> kind_fields[] = {
    {"name", [](TaskKind& k, V v) { return read_into(k.name, v) && is_valid_name(k.name); },
     "1 to 64 of [A-Za-z0-9_.-]"},
    {"class", read_class, "\"light\", \"medium\" or \"heavy\""},
    {"time", [](TaskKind& k, V v) { return read_seconds(k.time.emplace(), v); },
     "seconds, a finite number >= 0"},
    {"runs", read_runs, "a whole number >= 0"},
};

Result<TaskKind> read_kind(std::string_view text) {
  json::Object object;
  if (!object.parse(text)) {
    return failure(ErrorCode::invalid, wrong_field("tasks", "an array of objects", text));
  }
  TaskKind kind;
  const auto wrong = read_fields<TaskKind>(object, kind_fields, kind, [](const auto&) {});
  if (wrong) return failure(ErrorCode::invalid, "field 'tasks': " + *wrong);
  if (kind.name.empty()) {
    return failure(ErrorCode::invalid, "field 'tasks': field 'name': missing");
  }
  return kind;
}

}  // namespace

Result<Message> read_kinds(const json::Object& object) {
  const std::string_view value = object.find("tasks").value_or("null");
  const auto items = json::read_values(value);
  if (!items) return failure(ErrorCode::invalid, wrong_field("tasks", "an array", value));
  Kinds kinds;
  for (const std::string_view item : *items) {
    if (kinds.tasks.size() == most_kinds) break;
    auto kind = read_kind(item);
    if (!kind) return std::unexpected(kind.error());
    kinds.tasks.push_back(std::move(*kind));
  }
  kinds.mesh = object.find("mesh").value_or("[]");
  return kinds;
}

Result<Message> read_kinds_query(const json::Object&) {
  return KindsQuery{};
}

Result<Message> read_progress(const json::Object& object) {
  const std::string_view value = object.find("progress").value_or("null");
  const auto share = json::read_number(value);
  if (!share || *share < 0 || *share > 1) {
    return failure(ErrorCode::invalid, wrong_field("progress", "a number from 0 to 1", value));
  }
  Progress progress;
  progress.task_id = object.find("task_id").value_or("null");
  progress.uid = json::read_string(object.find("task_uid").value_or("null")).value_or("");
  progress.share = *share;
  return progress;
}

void append_kinds(std::string& out, const TaskKinds& tasks, std::string_view mesh) {
  ObjectWriter writer(out);
  writer.text("message_type", "kinds");
  std::string& list = writer.begin("tasks");
  list += '[';
  for (const TaskKind& task : tasks) {
    if (list.back() != '[') list += ',';
    ObjectWriter kind(list);
    kind.text("name", task.name);
    kind.text("class", to_string(task.weight));
    if (task.time) kind.number("time", to_seconds(*task.time));
    if (task.runs > 0) kind.count("runs", task.runs);
    kind.end();
  }
  list += ']';
  if (!mesh.empty()) writer.value("mesh", mesh);
  writer.end();
  out += '\n';
}

void append_kinds_query(std::string& out) {
  out += "{\"message_type\":\"kinds_query\"}\n";
}

void append_progress(std::string& out, const Progress& progress) {
  ObjectWriter writer(out);
  writer.text("message_type", "progress");
  json::append_plain(writer.begin("task_id"), progress.task_id);
  writer.text("task_uid", progress.uid);
  writer.number("progress", progress.share);
  writer.end();
  out += '\n';
}

}  // namespace fogctl::wire
