// What fog nodes say to each other of themselves and their neighbours, over a link and by
// multicast.
#include <algorithm>
#include <cmath>

#include "json/object_writer.hpp"
#include "wire/fields.hpp"
#include "wire/messages.hpp"
#include "wire/readers.hpp"

namespace fogctl::wire {
namespace {

constexpr std::size_t most_known_nodes = 1000;

using V = std::string_view;

constexpr std::size_t most_waits = 64;

bool read_waits(std::vector<Duration>& waits, V value) {
  const auto numbers = json::read_numbers(value);
  if (!numbers || numbers->size() > most_waits) return false;
  for (const double seconds : *numbers) {
    if (!std::isfinite(seconds) || seconds < 0) return false;
    waits.push_back(from_seconds(seconds));
  }
  return true;
}

constexpr Field<State> state_fields[] = {
    {"task_time", [](State& s, V v) { return read_seconds(s.task_time, v); },
     "seconds, a finite number >= 0"},
    {"workers", [](State& s, V v) { return read_count(s.workers, v); }, "a whole number"},
    {"queued", [](State& s, V v) { return read_count(s.queued, v); }, "a whole number"},
    {"running", [](State& s, V v) { return read_count(s.running, v); }, "a whole number"},
    {"sequence",
     [](State& s, V v) {
       const auto number = json::read_integer(v);
       s.sequence = number.value_or(0);
       return number.has_value();
     },
     "a whole number"},
    {"sharing_interval", [](State& s, V v) { return read_seconds(s.sharing_interval, v); },
     "seconds, a finite number >= 0"},
    {"waits", [](State& s, V v) { return read_waits(s.waits, v); },
     "an array of up to 64 finite numbers >= 0"},
    {"copies", [](State& s, V v) { return read_into(s.takes_copies, v); }, "true or false"},
    {"steals", [](State& s, V v) { return read_into(s.steals, v); }, "true or false"},
};

Result<std::vector<std::string>> read_list(const json::Object& object, std::string_view name) {
  const std::string_view value = object.find(name).value_or("null");
  auto items = json::read_strings(value);
  if (items && items->size() <= most_known_nodes) return std::move(*items);
  return failure(ErrorCode::invalid, wrong_field(name, "an array of up to 1000 strings", value));
}

Result<std::uint16_t> read_tcp_port(const json::Object& object) {
  const std::string_view value = object.find("tcp_port").value_or("null");
  const auto port = json::read_integer(value);
  if (port && *port > 0 && *port <= 65535) return static_cast<std::uint16_t>(*port);
  return failure(ErrorCode::invalid, wrong_field("tcp_port", "a port from 1 to 65535", value));
}

template <typename Announcement>
Result<Datagram> read_announcement(const json::Object& object) {
  const auto port = read_tcp_port(object);
  if (!port) return std::unexpected(port.error());
  return Announcement{*port, read_identity(object)};
}

std::string announcement(std::string_view type, std::uint16_t port, const NodeIdentity& identity) {
  std::string out = R"({"message_type":)";
  json::append_string(out, type);
  out += R"(,"tcp_port":)";
  json::append_integer(out, port);
  append_identity(out, identity);
  out.pop_back();
  return out;
}

}  // namespace

Result<Message> read_state(const json::Object& object) {
  State state;
  auto wrong = read_fields<State>(object, state_fields, state, [](const auto&) {});
  if (!wrong && !object.find("task_time")) {
    wrong = wrong_field("task_time", state_fields[0].expected, "null");
  }
  if (wrong) return failure(ErrorCode::invalid, *wrong);
  return state;
}

Result<Message> read_known_nodes(const json::Object& object) {
  auto nodes = read_list(object, "nodes");
  auto addresses = read_list(object, "addresses");
  if (!nodes || !addresses) return std::unexpected((nodes ? addresses : nodes).error());
  if (nodes->size() != addresses->size()) {
    return failure(ErrorCode::invalid, "field 'addresses': expected as many as there are nodes");
  }
  KnownNodes known;
  for (std::size_t i = 0; i < nodes->size(); ++i) {
    known.nodes.push_back({std::move((*nodes)[i]), std::move((*addresses)[i])});
  }
  return known;
}

Result<Message> read_leave(const json::Object& object) {
  return Leave{json::read_string(object.find("reason").value_or("null")) == "enough"};
}

Result<Message> read_nodes_query(const json::Object&) {
  return NodesQuery{};
}

std::string report_of(const json::Object& object) {
  std::string report;
  ObjectWriter writer(report);
  for (const json::Member& member : object.members()) {
    if (member.name != "message_type") writer.value(member.name, member.value);
  }
  writer.end();
  return report;
}

Result<Message> read_nodes_report(const json::Object& object) {
  return NodesReport{report_of(object)};
}

Result<Datagram> read_fog_hello(const json::Object& object) {
  return read_announcement<FogHello>(object);
}

Result<Datagram> read_endpoint_hello(const json::Object&) {
  return EndpointHello{};
}

Result<Datagram> read_fog_ack(const json::Object& object) {
  return read_announcement<FogAck>(object);
}

void append_state(std::string& out, const State& state, bool is_original) {
  out += R"({"message_type":"state","task_time":)";
  json::append_number(out, to_seconds(state.task_time));
  if (!is_original) {
    const auto number = [&out](std::string_view name, std::int64_t value) {
      out.append(",\"").append(name).append("\":");
      json::append_integer(out, value);
    };
    number("workers", state.workers);
    number("queued", state.queued);
    number("running", state.running);
    number("sequence", state.sequence);
    out += R"(,"sharing_interval":)";
    json::append_number(out, to_seconds(state.sharing_interval));
    if (!state.waits.empty()) out += R"(,"waits":[)";
    for (const Duration wait : state.waits) {
      if (out.back() != '[') out += ',';
      // Whole microseconds: it is told often, and read by many.
      json::append_number(out, to_seconds(std::chrono::round<std::chrono::microseconds>(wait)));
    }
    if (!state.waits.empty()) out += ']';
    if (state.takes_copies) out += R"(,"copies":true)";
    if (state.steals) out += R"(,"steals":true)";
  }
  out += "}\n";
}

void append_known_nodes(std::string& out, const KnownNodes& known) {
  const auto list = [&](std::string_view name, std::string KnownNodes::Entry::* text) {
    out.append(",\"").append(name).append("\":[");
    for (const KnownNodes::Entry& entry : known.nodes) {
      if (out.back() != '[') out += ',';
      json::append_string(out, entry.*text);
    }
    out += ']';
  };
  out += R"({"message_type":"neighbours")";
  list("nodes", &KnownNodes::Entry::node);
  list("addresses", &KnownNodes::Entry::address);
  out += "}\n";
}

void append_leave(std::string& out, const Leave& leave) {
  out += R"({"message_type":"leave","reason":)";
  json::append_string(out, leave.has_enough ? "enough" : "duplicate");
  out += "}\n";
}

void append_nodes_query(std::string& out) {
  out += "{\"message_type\":\"nodes_query\"}\n";
}

void append_nodes_report(std::string& out, std::string_view members) {
  out += R"({"message_type":"nodes",)";
  out += members;
  out += "}\n";
}

std::string fog_hello(const FogHello& hello, bool is_repeated) {
  return announcement(is_repeated ? "fog_alive" : "fog_hello", hello.tcp_port, hello.identity);
}

std::string endpoint_hello() {
  return R"({"message_type":"endpoint_hello"})";
}

std::string fog_ack(const FogAck& ack) {
  return announcement("fog_ack", ack.tcp_port, ack.identity);
}

}  // namespace fogctl::wire
