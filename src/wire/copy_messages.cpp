// What nodes say to each other of tied copies: one has begun, one is not needed any more.
#include "json/object_writer.hpp"
#include "wire/fields.hpp"
#include "wire/readers.hpp"

namespace fogctl::wire {

Result<Message> read_started(const json::Object& object) {
  const std::string_view id = object.find("task_id").value_or("null");
  if (json::read_integer(id)) return Started{std::string(id)};
  return failure(ErrorCode::invalid, wrong_field("task_id", "the whole number it came with", id));
}

Result<Message> read_cancel_copy(const json::Object& object) {
  auto uid = read_uid(object);
  if (!uid) return std::unexpected(uid.error());
  return CancelCopy{std::move(*uid)};
}

void append_started(std::string& out, std::string_view task_id) {
  ObjectWriter writer(out);
  writer.text("message_type", "started");
  json::append_plain(writer.begin("task_id"), task_id);
  writer.end();
  out += '\n';
}

void append_cancel_copy(std::string& out, std::string_view uid) {
  ObjectWriter writer(out);
  writer.text("message_type", "cancel_copy");
  writer.text("task_uid", uid);
  writer.end();
  out += '\n';
}

}  // namespace fogctl::wire
