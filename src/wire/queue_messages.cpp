// What people and clients ask of a node's queue, and that a task was accepted.
#include <algorithm>

#include "json/object_writer.hpp"
#include "wire/fields.hpp"
#include "wire/messages.hpp"
#include "wire/readers.hpp"

namespace fogctl::wire {
namespace {

std::string text_of(const json::Object& object, std::string_view name) {
  return json::read_string(object.find(name).value_or("null")).value_or("");
}

}  // namespace

Result<std::string> read_uid(const json::Object& object) {
  std::string uid = text_of(object, "task_uid");
  if (is_valid_name(uid)) return uid;
  const auto value = object.find("task_uid");
  if (!value) return failure(ErrorCode::invalid, "field 'task_uid': missing");
  return failure(ErrorCode::invalid, wrong_field("task_uid", "1 to 64 of [A-Za-z0-9_.-]", *value));
}

Result<Message> read_accepted(const json::Object& object) {
  auto uid = read_uid(object);
  if (!uid) return std::unexpected(uid.error());
  Accepted accepted{std::string(object.find("task_id").value_or("null")),
                    std::move(*uid),
                    text_of(object, "placement"),
                    {}};
  const auto wait = json::read_number(object.find("expected_wait").value_or("0"));
  accepted.expected_wait = from_seconds(std::max(wait.value_or(0), 0.0));
  return accepted;
}

Result<Message> read_cancel(const json::Object& object) {
  auto uid = read_uid(object);
  if (!uid) return std::unexpected(uid.error());
  return Cancel{std::move(*uid)};
}

Result<Message> read_cancelled(const json::Object& object) {
  auto uid = read_uid(object);
  if (!uid) return std::unexpected(uid.error());
  return Cancelled{std::move(*uid), text_of(object, "status")};
}

Result<Message> read_queue_query(const json::Object& object) {
  QueueQuery query;
  query.action = text_of(object, "action");
  query.state = text_of(object, "state");
  const auto uids = object.find("task_uids");
  if (uids) {
    auto items = json::read_strings(*uids);
    if (!items) {
      return failure(ErrorCode::invalid, wrong_field("task_uids", "an array of strings", *uids));
    }
    query.uids = std::move(*items);
  }
  const auto most = object.find("most");
  const auto number = json::read_integer(most.value_or("100"));
  if (!number || *number < 0 || *number > 1'000'000) {
    return failure(ErrorCode::invalid,
                   wrong_field("most", "a whole number from 0 to 1000000", *most));
  }
  query.most = static_cast<std::size_t>(*number);
  return query;
}

Result<Message> read_queue_report(const json::Object& object) {
  QueueReport report;
  const auto objects = json::read_values(object.find("objects").value_or("[]"));
  if (!objects) return failure(ErrorCode::invalid, "field 'objects': not an array");
  for (const std::string_view one : *objects) report.objects.emplace_back(one);
  return report;
}

void append_accepted(std::string& out, const Accepted& accepted) {
  ObjectWriter writer(out);
  writer.text("message_type", "accepted");
  json::append_plain(writer.begin("task_id"), accepted.task_id);
  writer.text("task_uid", accepted.uid);
  writer.text("placement", accepted.placement);
  writer.number("expected_wait", to_seconds(accepted.expected_wait));
  writer.end();
  out += '\n';
}

void append_cancel(std::string& out, std::string_view uid) {
  ObjectWriter writer(out);
  writer.text("message_type", "cancel");
  writer.text("task_uid", uid);
  writer.end();
  out += '\n';
}

void append_cancelled(std::string& out, const Cancelled& cancelled) {
  ObjectWriter writer(out);
  writer.text("message_type", "cancelled");
  writer.text("task_uid", cancelled.uid);
  writer.text("status", cancelled.status);
  writer.end();
  out += '\n';
}

void append_queue_query(std::string& out, const QueueQuery& query) {
  ObjectWriter writer(out);
  writer.text("message_type", "queue_query");
  writer.text("action", query.action);
  if (!query.state.empty()) writer.text("state", query.state);
  std::string& uids = writer.begin("task_uids");
  uids += '[';
  for (const std::string& uid : query.uids) {
    if (uids.back() != '[') uids += ',';
    json::append_string(uids, uid);
  }
  uids += ']';
  writer.count("most", query.most);
  writer.end();
  out += '\n';
}

void append_queue_report(std::string& out, const QueueReport& report) {
  ObjectWriter writer(out);
  writer.text("message_type", "queue_report");
  std::string& objects = writer.begin("objects");
  objects += '[';
  for (const std::string& one : report.objects) {
    if (objects.back() != '[') objects += ',';
    json::append_plain(objects, one);
  }
  objects += ']';
  writer.end();
  out += '\n';
}

}  // namespace fogctl::wire
