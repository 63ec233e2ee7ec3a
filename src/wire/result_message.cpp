// The `result` message.
#include <array>

#include "wire/fields.hpp"
#include "wire/messages.hpp"
#include "wire/readers.hpp"

namespace fogctl::wire {
namespace {

bool keep_text(std::string& target, std::string_view value) {
  target = value;
  return true;
}

bool read_execution_time(ResultMessage& message, std::string_view value) {
  const auto seconds = json::read_number(value);
  if (!seconds) return false;
  message.result.execution_time = from_seconds(*seconds);
  return keep_text(message.execution_time, value);
}

bool read_error(ResultMessage& message, std::string_view value) {
  if (value == "null") return true;
  json::Object object;
  if (!object.parse(value)) return false;
  const auto code = json::read_string(object.find("code").value_or("null"));
  const auto text = json::read_string(object.find("message").value_or("null"));
  if (!code) return false;
  message.result.error = TaskError{
      parse_task_error_code(*code).value_or(TaskErrorCode::task_failed), text.value_or(*code)};
  const auto retry_after = json::read_number(object.find("retry_after").value_or("null"));
  if (retry_after && *retry_after >= 0) {
    message.result.error->retry_after = from_seconds(*retry_after);
  }
  return true;
}

constexpr std::string_view a_number = "a finite number";

using M = ResultMessage;
using V = std::string_view;
constexpr Field<ResultMessage> fields[] = {
    {"message_type", [](M&, V) { return true; }, ""},
    {"task_id", [](M& m, V v) { return keep_text(m.task_id, v); }, ""},
    {"content", [](M& m, V v) { return keep_text(m.result.content, v); }, ""},
    {"time_requirement", [](M& m, V v) { return keep_number(m.time_requirement, v); }, a_number},
    {"sending_time", [](M& m, V v) { return keep_number(m.sending_time, v); }, a_number},
    {"distribution_time", [](M& m, V v) { return keep_number(m.distribution_time, v); }, a_number},
    {"execution_time", read_execution_time, a_number},
    {"task_type", [](M& m, V v) { return keep_text(m.task_type, v); }, ""},
    {"offload_times", [](M& m, V v) { return read_count(m.offload_times, v); }, "a whole number"},
    {"process_by", [](M& m, V v) { return keep_text(m.process_by, v); }, ""},
    {"task_uid", [](M& m, V v) { return read_into(m.result.uid, v); }, "a string"},
    {"content_encoding",
     [](M& m, V v) { return m.result.is_base64 = json::read_string(v) == "base64", true; }, ""},
    {"error", read_error, "an object with code and message"},
    {"node", [](M& m, V v) { return read_into(m.result.node, v); }, "a string"},
    {"queuing_time", [](M& m, V v) { return read_seconds(m.result.queuing_time, v); },
     "seconds, a finite number >= 0"},
};

void append_name(std::string& out, std::string_view name) {
  out.append(",\"").append(name).append("\":");
}

/// What part 3 adds, for a peer that reads it; an error goes to every peer, so that a failure
/// never looks like a result.
void append_additions(std::string& out, const TaskResult& result, const ResultContext& context) {
  if (context.has_uid) {
    append_name(out, "task_uid");
    json::append_string(out, result.uid);
  }
  if (context.extended && !result.node.empty()) {  // an original node tells neither
    append_name(out, "node");
    json::append_string(out, result.node);
    append_name(out, "queuing_time");
    json::append_number(out, to_seconds(result.queuing_time));
  }
  if (context.extended && result.is_base64) out += R"(,"content_encoding":"base64")";
  if (result.error) {
    append_name(out, "error");
    out += R"({"code":)";
    json::append_string(out, to_string(result.error->code));
    append_name(out, "message");
    json::append_string(out, result.error->message);
    if (result.error->retry_after) {
      append_name(out, "retry_after");
      json::append_number(out, to_seconds(*result.error->retry_after));
    }
    out += '}';
  }
  out += "}\n";
}

/// The original's fields of a result, each as JSON text.
struct OriginalFields {
  std::string_view content;
  std::string_view time_requirement;
  std::string_view sending_time;
  std::string_view distribution_time;
  std::string_view execution_time;
  std::string_view task_type;
  std::string_view process_by;
  int offload_times = 0;
};

void append_original_fields(std::string& out, std::string_view task_id,
                            const OriginalFields& original) {
  const auto append = [&out](std::string_view name, std::string_view value) {
    append_name(out, name);
    out += value;
  };
  out += R"({"message_type":"result","task_id":)";
  json::append_plain(out, task_id);  // a string's may be any text
  append_name(out, "content");
  json::append_plain(out, original.content);
  append("time_requirement", original.time_requirement);
  append("sending_time", original.sending_time);
  append("distribution_time", original.distribution_time);
  append("execution_time", original.execution_time);
  append_name(out, "task_type");
  json::append_plain(out, original.task_type);
  append_name(out, "offload_times");
  json::append_integer(out, original.offload_times);
  append_name(out, "process_by");
  json::append_plain(out, original.process_by);
}

}  // namespace

Result<Message> read_result(const json::Object& object) {
  ResultMessage message;
  const auto wrong = read_fields<ResultMessage>(object, fields, message, [](const auto&) {});
  const auto id = object.find("task_id");
  if (!id) return failure(ErrorCode::invalid, wrong.value_or("field 'task_id': missing"));
  if (!wrong) return message;
  // Whose answer it is is known: that task need not wait for a better one.
  ResultMessage unreadable;
  unreadable.task_id = *id;
  unreadable.is_junk = true;
  unreadable.result.error =
      TaskError{TaskErrorCode::unavailable, "the answer cannot be read: " + *wrong};
  return unreadable;
}

void append_result(std::string& out, const TaskResult& result, const ResultContext& context) {
  constexpr std::array<std::string_view, task_class_count> quoted_classes = {
      "\"light\"", "\"medium\"", "\"heavy\""};
  std::string execution_time;
  json::append_number(execution_time, to_seconds(result.execution_time));
  std::string process_by;
  json::append_string(process_by, context.process_by);
  append_original_fields(out, context.task_id,
                         {.content = result.content,
                          .time_requirement = context.time_requirement,
                          .sending_time = context.sending_time,
                          .distribution_time = context.distribution_time,
                          .execution_time = execution_time,
                          .task_type = quoted_classes[index_of(context.weight)],
                          .process_by = process_by,
                          .offload_times = context.offload_times});
  append_additions(out, result, context);
}

void append_forwarded_result(std::string& out, const ResultMessage& message,
                             const TaskResult& result, const ResultContext& context) {
  append_original_fields(out, context.task_id,
                         {.content = message.result.content,
                          .time_requirement = message.time_requirement,
                          .sending_time = message.sending_time,
                          .distribution_time = message.distribution_time,
                          .execution_time = message.execution_time,
                          .task_type = message.task_type,
                          .process_by = message.process_by,
                          .offload_times = message.offload_times});
  append_additions(out, result, context);
}

}  // namespace fogctl::wire
