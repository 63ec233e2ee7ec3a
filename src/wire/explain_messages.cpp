// Why a task went where it went, and where one would go now.
#include "json/object_writer.hpp"
#include "wire/fields.hpp"
#include "wire/messages.hpp"
#include "wire/readers.hpp"

namespace fogctl::wire {
namespace {

void append_report(std::string& out, std::string_view type, std::string_view members) {
  ObjectWriter writer(out);
  writer.text("message_type", type);
  out += ',';
  out += members;
  writer.end();
  out += '\n';
}

}  // namespace

Result<Message> read_explain_query(const json::Object& object) {
  auto uid = read_uid(object);
  if (!uid) return std::unexpected(uid.error());
  return ExplainQuery{std::move(*uid)};
}

Result<Message> read_explanation(const json::Object& object) {
  return Explanation{report_of(object)};
}

/// It has the fields of a task.
Result<Message> read_plan_query(const json::Object& object) {
  auto message = read_task(object);
  if (!message) return message;
  if (auto* bad = std::get_if<BadTask>(&*message)) {
    return failure(ErrorCode::invalid, std::move(bad->error.message));
  }
  return PlanQuery{std::move(std::get<TaskMessage>(*message))};
}

Result<Message> read_plan(const json::Object& object) {
  return PlanReport{report_of(object)};
}

void append_explain_query(std::string& out, std::string_view uid) {
  ObjectWriter writer(out);
  writer.text("message_type", "explain_query");
  writer.text("task_uid", uid);
  writer.end();
  out += '\n';
}

void append_explanation(std::string& out, std::string_view members) {
  append_report(out, "explanation", members);
}

void append_plan_query(std::string& out, const Task& task, bool has_class) {
  ObjectWriter writer(out);
  writer.text("message_type", "plan_query");
  writer.count("task_id", 0);
  writer.text("task_name", task.name);
  if (has_class) writer.text("task_type", to_string(task.weight));
  json::append_plain(writer.begin("content"), task.content);
  writer.number("time_requirement", to_seconds(task.time_requirement));
  writer.value("cloud_processing", task.cloud_processing ? "true" : "false");
  writer.end();
  out += '\n';
}

void append_plan(std::string& out, std::string_view members) {
  append_report(out, "plan", members);
}

}  // namespace fogctl::wire
