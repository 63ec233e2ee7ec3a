#include "wire/messages.hpp"

#include <fmt/format.h>

#include "wire/fields.hpp"
#include "wire/readers.hpp"

namespace fogctl::wire {
namespace {

NodeIdentity read_identity(const json::Object& object) {
  NodeIdentity identity;
  const auto text = [&](std::string_view name) {
    return json::read_string(object.find(name).value_or("null")).value_or("");
  };
  identity.node = text("node");
  identity.name = text("name");
  const auto protocol = json::read_integer(object.find("protocol").value_or("0"));
  identity.protocol = static_cast<int>(protocol.value_or(0));
  return identity;
}

/// `send_time`, which a fog_ready_ack gives back as it came.
Result<std::string> read_send_time(const json::Object& object) {
  const auto value = object.find("send_time");
  if (!value) return failure(ErrorCode::invalid, "field 'send_time': missing");
  if (!json::read_number(*value)) {
    return failure(ErrorCode::invalid, wrong_field("send_time", "a finite number", *value));
  }
  return std::string(*value);
}

template <typename Ready>
Result<Message> read_ready(const json::Object& object) {
  auto send_time = read_send_time(object);
  if (!send_time) return std::unexpected(send_time.error());
  return Ready{std::move(*send_time), read_identity(object)};
}

Result<Message> read_state(const json::Object& object) {
  State state;
  const std::string_view value = object.find("task_time").value_or("null");
  if (!read_seconds(state.task_time, value)) {
    return failure(ErrorCode::invalid,
                   wrong_field("task_time", "seconds, a finite number >= 0", value));
  }
  return state;
}

Result<Message> read_cloud_ready(const json::Object& object) {
  return CloudReady{read_identity(object)};
}

Result<Message> read_error_message(const json::Object& object) {
  const auto text = [&](std::string_view name) {
    return json::read_string(object.find(name).value_or("null")).value_or("");
  };
  return ErrorMessage{text("code"), text("message")};
}

struct Kind {
  std::string_view name;
  Result<Message> (*read)(const json::Object& object);
};
constexpr Kind kinds[] = {
    {"task", read_task},
    {"result", read_result},
    {"state", read_state},
    {"fog_ready", read_ready<FogReady>},
    {"fog_ready_ack", read_ready<FogReadyAck>},
    {"cloud_ready", read_cloud_ready},
    {"error", read_error_message},
};

void append_identity(std::string& out, const NodeIdentity& identity) {
  out += R"(,"node":)";
  json::append_string(out, identity.node);
  out += R"(,"name":)";
  json::append_string(out, identity.name);
  out += R"(,"protocol":)";
  json::append_integer(out, identity.protocol);
  out += "}\n";
}

}  // namespace

Result<Message> parse_message(std::string_view text, json::Object& scratch) {
  if (const auto parsed = scratch.parse(text); !parsed) return std::unexpected(parsed.error());
  const auto type = scratch.find("message_type");
  if (!type) return failure(ErrorCode::invalid, "field 'message_type': missing");
  const auto name = json::read_string(*type);
  for (const Kind& kind : kinds) {
    if (kind.name == name) return kind.read(scratch);
  }
  return failure(ErrorCode::invalid, wrong_field("message_type", "a known message type", *type));
}

void append_fog_ready(std::string& out, WallTime now, const NodeIdentity& identity) {
  out += R"({"message_type":"fog_ready","send_time":)";
  out += wall_time_text(now);
  append_identity(out, identity);
}

void append_fog_ready_ack(std::string& out, const FogReady& ready, const NodeIdentity& identity) {
  out += R"({"message_type":"fog_ready_ack","send_time":)";
  out += ready.send_time;
  append_identity(out, identity);
}

void append_cloud_ready(std::string& out, const NodeIdentity& identity) {
  out += R"({"message_type":"cloud_ready")";
  append_identity(out, identity);
}

void append_error(std::string& out, std::string_view code, std::string_view message) {
  out += R"({"message_type":"error","code":)";
  json::append_string(out, code);
  out += R"(,"message":)";
  json::append_string(out, message);
  out += "}\n";
}

std::string wall_time_text(WallTime now) {
  const auto since_epoch =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  return fmt::format("{}.{:06}", since_epoch / 1'000'000, since_epoch % 1'000'000);
}

}  // namespace fogctl::wire
