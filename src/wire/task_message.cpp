// The `task` message.
#include "wire/fields.hpp"
#include "wire/messages.hpp"
#include "wire/readers.hpp"

namespace fogctl::wire {
namespace {

bool is_task_id(std::string_view value) {
  constexpr std::size_t longest = 258;
  if (value.front() == '"') return value.size() <= longest;
  return json::read_integer(value).has_value();
}

bool read_time_requirement(TaskMessage& message, std::string_view value) {
  return read_seconds(message.task.time_requirement, value) &&
         keep_number(message.task.time_requirement_text, value);
}

bool read_task_type(TaskMessage& message, std::string_view value) {
  const auto name = json::read_string(value);
  const auto weight = name ? parse_task_class(*name) : std::nullopt;
  if (!weight) return false;
  message.task.weight = *weight;
  message.has_class = true;
  return true;
}

bool read_name_into(std::string& target, std::string_view value) {
  return read_into(target, value) && is_valid_name(target);
}

bool read_task_uid(TaskMessage& message, std::string_view value) {
  message.extended = true;
  message.task.uid_chosen = true;
  return read_name_into(message.task.uid, value);
}

bool read_max_attempts(TaskMessage& message, std::string_view value) {
  message.extended = true;
  return read_count(message.task.max_attempts, value) && message.task.max_attempts > 0;
}

bool read_attempts(TaskMessage& message, std::string_view value) {
  message.extended = true;
  return read_count(message.task.attempts, value);
}

bool read_expires(TaskMessage& message, std::string_view value) {
  message.extended = true;
  return read_seconds(message.task.expires.emplace(), value);
}

bool read_exclusive(TaskMessage& message, std::string_view value) {
  message.extended = true;
  return read_into(message.task.exclusive, value);
}

bool read_is_copy(TaskMessage& message, std::string_view value) {
  message.extended = true;
  return read_into(message.task.is_copy, value);
}

bool read_steal_into(TaskMessage& message, std::string_view value) {
  const auto number = json::read_integer(value);
  message.steal = number.value_or(0);
  return number.has_value();
}

bool read_want_accept(TaskMessage& message, std::string_view value) {
  message.extended = true;
  return read_into(message.wants_accept, value);
}

bool read_waited(TaskMessage& message, std::string_view value) {
  message.extended = true;
  return read_seconds(message.task.waited, value);
}

bool read_list(std::vector<std::string>& target, std::string_view value) {
  auto items = json::read_strings(value);
  if (items) target = std::move(*items);
  return items.has_value();
}

bool read_offloading_nodes(TaskMessage& message, std::string_view value) {
  message.extended = true;
  return read_list(message.task.offloading_nodes, value);
}

bool is_number(std::string_view value) {
  return json::read_number(value).has_value();
}

constexpr std::string_view a_name = "1 to 64 of [A-Za-z0-9_.-]";
constexpr std::string_view a_count = "a whole number from 0 to 1000000000";
constexpr std::string_view some_seconds = "seconds, a finite number >= 0";
constexpr std::string_view a_number = "a finite number";

using M = TaskMessage;
using V = std::string_view;
constexpr Field<TaskMessage> fields[] = {
    {"message_type", [](M&, V) { return true; }, ""},
    {"task_id", [](M& m, V v) { return is_task_id(v) && (m.task_id = v, true); },
     "a whole number of at most 64 bits, or a string of at most 256 bytes"},
    {"task_type", read_task_type, "\"light\", \"medium\" or \"heavy\""},
    {"task_name", [](M& m, V v) { return read_name_into(m.task.name, v); }, a_name},
    {"content", [](M& m, V v) { return m.task.content = v, true; }, ""},
    {"cloud_processing", [](M& m, V v) { return read_into(m.task.cloud_processing, v); },
     "true or false"},
    {"offload_times", [](M& m, V v) { return read_count(m.task.offload_times, v); }, a_count},
    {"offloading_fog", [](M& m, V v) { return read_list(m.task.offloading_fog, v); },
     "an array of strings"},
    {"max_offload", [](M& m, V v) { return read_count(m.task.max_offload, v); }, a_count},
    {"time_requirement", read_time_requirement, some_seconds},
    {"estimated_queuing_time",
     [](M& m, V v) { return read_into(m.task.estimated_queuing_time, v); }, a_number},
    {"queuing_time", [](M&, V v) { return is_number(v); }, a_number},
    {"estimated_execution_time",
     [](M& m, V v) { return read_into(m.task.estimated_execution_time, v); }, a_number},
    {"execution_time", [](M&, V v) { return is_number(v); }, a_number},
    {"distribution_time", [](M& m, V v) { return keep_number(m.task.distribution_time, v); },
     a_number},
    {"sending_time", [](M& m, V v) { return keep_number(m.task.sending_time, v); }, a_number},
    {"process_by", [](M& m, V v) { return read_into(m.task.process_by, v); }, "a string"},
    {"task_uid", read_task_uid, a_name},
    {"waited", read_waited, some_seconds},
    {"max_attempts", read_max_attempts, "a whole number from 1 to 1000000000"},
    {"attempts", read_attempts, a_count},
    {"expires", read_expires, some_seconds},
    {"exclusive", read_exclusive, "true or false"},
    {"is_copy", read_is_copy, "true or false"},
    {"steal", read_steal_into, "a whole number"},
    {"want_accept", read_want_accept, "true or false"},
    {"offloading_nodes", read_offloading_nodes, "an array of strings"},
};

std::optional<std::string> missing_field(const TaskMessage& message) {
  if (message.task.name.empty()) return "field 'task_name': missing";
  return std::nullopt;
}

}  // namespace

Result<Message> read_task(const json::Object& object) {
  TaskMessage message;
  const auto keep = [&](const json::Member& member) {
    message.task.other_fields.push_back({std::string(member.name), std::string(member.value)});
  };
  auto wrong = read_fields<TaskMessage>(object, fields, message, keep);
  if (!wrong) wrong = missing_field(message);
  if (!is_valid_name(message.task.uid)) {
    message.task.uid.clear();
    message.task.uid_chosen = false;
  }
  if (message.task_id.empty() && message.task.uid_chosen && !object.find("task_id")) {
    message.task_id = "null";
  }
  if (message.task_id.empty()) {
    const bool names_itself = object.find("task_id") || object.find("task_uid");
    return failure(ErrorCode::invalid, wrong && names_itself ? *wrong : "field 'task_id': missing");
  }
  if (message.task_id.front() == '"') message.extended = true;
  if (!wrong) return message;
  return BadTask{std::move(message), {TaskErrorCode::invalid_task, std::move(*wrong)}};
}

void append_task(std::string& out, const Task& task, std::string_view task_id,
                 const TaskMessageExtras& extras) {
  const auto name = [&out](std::string_view text) { out.append(",\"").append(text).append("\":"); };
  out += R"({"message_type":"task","task_id":)";
  out += task_id;
  if (extras.has_class) {
    name("task_type");
    json::append_string(out, to_string(task.weight));
  }
  name("task_name");
  json::append_string(out, task.name);
  name("content");
  json::append_plain(out, task.content);
  name("cloud_processing");
  out += task.cloud_processing ? "true" : "false";
  name("offload_times");
  json::append_integer(out, task.offload_times);
  name("offloading_fog");
  json::append_strings(out, task.offloading_fog);
  name("max_offload");
  json::append_integer(out, task.max_offload);
  name("time_requirement");
  out += task.time_requirement_text;
  name("estimated_queuing_time");
  json::append_number(out, task.estimated_queuing_time);
  out += R"(,"queuing_time":0)";
  name("estimated_execution_time");
  json::append_number(out, task.estimated_execution_time);
  out += R"(,"execution_time":0)";
  name("distribution_time");
  out += task.distribution_time;
  name("sending_time");
  out += task.sending_time;
  name("process_by");
  json::append_string(out, task.process_by);
  if (!task.uid.empty()) {
    name("task_uid");
    json::append_string(out, task.uid);
  }
  if (task.waited > Duration::zero()) {
    name("waited");
    json::append_number(out, to_seconds(task.waited));
  }
  if (task.max_attempts > 0) {
    name("max_attempts");
    json::append_integer(out, task.max_attempts);
  }
  if (task.attempts > 0) {
    name("attempts");
    json::append_integer(out, task.attempts);
  }
  if (task.expires) {
    name("expires");
    json::append_number(out, to_seconds(*task.expires));
  }
  if (task.exclusive) out += R"(,"exclusive":true)";
  if (task.is_copy) out += R"(,"is_copy":true)";
  if (extras.steal != 0) {
    name("steal");
    json::append_integer(out, extras.steal);
  }
  if (!task.offloading_nodes.empty()) {
    name("offloading_nodes");
    json::append_strings(out, task.offloading_nodes);
  }
  for (const RawField& field : task.other_fields) {
    out += ',';
    json::append_string(out, field.name);
    out += ':';
    json::append_plain(out, field.value);
  }
  out += "}\n";
}

}  // namespace fogctl::wire
