#include "wire/messages.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/fields.hpp"
#include "wire/readers.hpp"

namespace fogctl::wire {
namespace {

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

Result<Message> read_cloud_ready(const json::Object& object) {
  return CloudReady{read_identity(object)};
}

Result<Message> read_error_message(const json::Object& object) {
  const auto text = [&](std::string_view name) {
    return json::read_string(object.find(name).value_or("null")).value_or("");
  };
  return ErrorMessage{text("code"), text("message")};
}

template <typename Messages>
struct Kind {
  std::string_view name;
  Result<Messages> (*read)(const json::Object& object);
};
constexpr Kind<Datagram> datagram_kinds[] = {
    {"fog_hello", read_fog_hello},
    {"fog_alive", read_fog_hello},
    {"endpoint_hello", read_endpoint_hello},
    {"fog_ack", read_fog_ack},
};
constexpr Kind<Message> message_kinds[] = {
    {"task", read_task},
    {"result", read_result},
    {"state", read_state},
    {"fog_ready", read_ready<FogReady>},
    {"fog_ready_ack", read_ready<FogReadyAck>},
    {"cloud_ready", read_cloud_ready},
    {"error", read_error_message},
    {"neighbours", read_known_nodes},
    {"leave", read_leave},
    {"nodes_query", read_nodes_query},
    {"nodes", read_nodes_report},
    {"accepted", read_accepted},
    {"cancel", read_cancel},
    {"cancelled", read_cancelled},
    {"queue_query", read_queue_query},
    {"queue_report", read_queue_report},
    {"kinds", read_kinds},
    {"kinds_query", read_kinds_query},
    {"progress", read_progress},
    {"started", read_started},
    {"cancel_copy", read_cancel_copy},
    {"steal", read_steal},
    {"steal_refused", read_steal_refused},
    {"explain_query", read_explain_query},
    {"explanation", read_explanation},
    {"plan_query", read_plan_query},
    {"plan", read_plan},
};

template <typename Messages>
Result<Messages> parse_as(std::string_view text, std::span<const Kind<Messages>> kinds,
                          json::Object& scratch, std::size_t deepest = json::max_depth) {
  if (const auto parsed = scratch.parse(text, deepest); !parsed)
    return std::unexpected(parsed.error());
  const auto type = scratch.find("message_type");
  if (!type) return failure(ErrorCode::invalid, "field 'message_type': missing");
  const auto name = json::read_string(*type);
  for (const Kind<Messages>& kind : kinds) {
    if (kind.name == name) return kind.read(scratch);
  }
  return failure(ErrorCode::invalid, wrong_field("message_type", "a known message type", *type));
}

}  // namespace

Result<Message> parse_message(std::string_view text, json::Object& scratch, std::size_t deepest) {
  return parse_as<Message>(text, message_kinds, scratch, deepest);
}

Result<Datagram> parse_datagram(std::string_view text, json::Object& scratch) {
  return parse_as<Datagram>(text, datagram_kinds, scratch);
}

constexpr std::size_t longest_text = 64;

NodeIdentity read_identity(const json::Object& object) {
  NodeIdentity identity;
  const auto text = [&](std::string_view name) {
    return json::read_string(object.find(name).value_or("null")).value_or("");
  };
  identity.node = text("node");
  identity.name = text("name");
  const auto protocol = json::read_integer(object.find("protocol").value_or("0")).value_or(0);
  identity.protocol = static_cast<int>(std::clamp<std::int64_t>(protocol, 0, 1000));
  identity.listen = text("listen");
  const auto longest = json::read_integer(object.find("max_message").value_or("0")).value_or(0);
  identity.max_message = static_cast<std::size_t>(std::max<std::int64_t>(longest, 0));
  // What is kept, and told to people and others, is short, or it was not said.
  if (!is_valid_name(identity.node)) identity.node.clear();
  if (identity.name.empty() || identity.name.size() > longest_text) identity.name = identity.node;
  if (identity.listen.size() > longest_text) identity.listen.clear();
  return identity;
}

void append_identity(std::string& out, const NodeIdentity& identity) {
  out += R"(,"node":)";
  json::append_string(out, identity.node);
  out += R"(,"name":)";
  json::append_string(out, identity.name);
  out += R"(,"protocol":)";
  json::append_integer(out, identity.protocol);
  if (!identity.listen.empty()) {
    out += R"(,"listen":)";
    json::append_string(out, identity.listen);
  }
  if (identity.max_message > 0) {
    out += R"(,"max_message":)";
    json::append_integer(out, static_cast<std::int64_t>(identity.max_message));
  }
  out += "}\n";
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
