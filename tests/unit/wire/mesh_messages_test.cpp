// What fog nodes say to each other of themselves and their neighbours, and multicast.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "wire/messages.hpp"

namespace fogctl::wire {
namespace {

using namespace std::chrono_literals;

const NodeIdentity identity{"00ff", "fog \xc3\xa9{", protocol_version, "10.0.0.7:10000"};

template <typename Kind>
Kind parse_as(const std::string& text) {
  json::Object scratch;
  auto message = parse_message(text, scratch);
  REQUIRE_MESSAGE(message, text);
  REQUIRE_MESSAGE(std::holds_alternative<Kind>(*message), text);
  return std::get<Kind>(*message);
}

template <typename Kind>
Kind hear_as(const std::string& text) {
  json::Object scratch;
  auto message = parse_datagram(text, scratch);
  REQUIRE_MESSAGE(message, text);
  REQUIRE_MESSAGE(std::holds_alternative<Kind>(*message), text);
  return std::get<Kind>(*message);
}

bool is_ascii(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
}
bool is_one_ascii_line(const std::string& text) {
  return text.ends_with("}\n") && is_ascii(text.substr(0, text.size() - 1));
}

void check_refused(const char* name, const Error& error, const char* says) {
  CAPTURE(name);
  CAPTURE(error.message);
  CHECK(error.code == ErrorCode::invalid);
  CHECK(error.message.starts_with(says));
}

const State busy{1500ms, 4, 3, 2, 77, 250ms};

TEST_CASE("A fogctl node is told a state with all that a policy may need") {
  std::string written;
  append_state(written, busy, false);
  CHECK(is_one_ascii_line(written));
  const auto state = parse_as<State>(written);
  CHECK(state.task_time == 1500ms);
  CHECK(state.workers == 4);
  CHECK(state.queued == 3);
  CHECK(state.running == 2);
  CHECK(state.sequence == 77);
  CHECK(state.sharing_interval == 250ms);
  CHECK(state.waits.empty());
}

TEST_CASE("A state may say how long tasks of each urgency wait, and how sure that is") {
  State told = busy;
  told.waits = {0ms, 1ms, 2500us, 1s};
  std::string written;
  append_state(written, told, false);
  CHECK(written.find(R"("waits":[0,0.001,0.0025,1])") != std::string::npos);
  CHECK(parse_as<State>(written).waits == told.waits);
  CHECK_FALSE(parse_as<State>(written).takes_copies);
  told.takes_copies = true;
  written.clear();
  append_state(written, told, false);
  CHECK(parse_as<State>(written).takes_copies);
}

TEST_CASE("An original node is told the waiting time alone") {
  std::string written;
  append_state(written, busy, true);
  CHECK(written == "{\"message_type\":\"state\",\"task_time\":1.5}\n");
  written.clear();
  append_state(written, {.task_time = takes_no_task}, true);
  CHECK(parse_as<State>(written).task_time == takes_no_task);
}

TEST_CASE("An original node's state leaves the rest open") {
  const auto state = parse_as<State>(R"({"message_type":"state","task_time":0.25})");
  CHECK(state.task_time == 250ms);
  CHECK(state.workers == 0);
  CHECK(state.sharing_interval == 0s);
}

TEST_CASE("Nodes tell of the neighbours that they have") {
  for (const std::size_t count : {0U, 1U, 2U, 1000U}) {
    KnownNodes known;
    for (std::size_t i = 0; i < count; ++i) {
      known.nodes.push_back({"n" + std::to_string(i), "10.0.0.7:" + std::to_string(i)});
    }
    std::string written;
    append_known_nodes(written, known);
    CHECK(is_one_ascii_line(written));
    const auto read = parse_as<KnownNodes>(written);
    REQUIRE(read.nodes.size() == count);
    for (std::size_t i = 0; i < count; ++i) {
      REQUIRE(read.nodes[i].node == known.nodes[i].node);
      REQUIRE(read.nodes[i].address == known.nodes[i].address);
    }
  }
}

TEST_CASE("A node says why it closes a link; without a reason it is as for a second one") {
  for (const bool has_enough : {true, false}) {
    std::string written;
    append_leave(written, {has_enough});
    CHECK(is_one_ascii_line(written));
    CHECK(parse_as<Leave>(written).has_enough == has_enough);
  }
  CHECK_FALSE(parse_as<Leave>(R"({"message_type":"leave"})").has_enough);
  CHECK_FALSE(parse_as<Leave>(R"({"message_type":"leave","reason":["enough"]})").has_enough);
}

TEST_CASE("A node is asked which others it knows, and says so in one object") {
  std::string written;
  append_nodes_query(written);
  CHECK(is_one_ascii_line(written));
  (void)parse_as<NodesQuery>(written);

  written.clear();
  append_nodes_report(written, R"("node":"ab","neighbours":[{"name":"b"}])");
  CHECK(is_one_ascii_line(written));
  CHECK(parse_as<NodesReport>(written).json == R"({"node":"ab","neighbours":[{"name":"b"}]})");
}

TEST_CASE("A field of another kind is named") {
  struct Row {
    const char* name;
    std::string text;
    const char* says;
  };
  std::string many = "[\"a\"";
  for (int i = 0; i < 1000; ++i) many += ",\"a\"";
  many += ']';
  const std::string state = R"({"message_type":"state","task_time":1,)";
  const std::string known = R"({"message_type":"neighbours",)";
  const Row rows[] = {
      {"no time", R"({"message_type":"state","workers":1})", "field 'task_time': expected sec"},
      {"workers", state + R"("workers":-1})", "field 'workers': expected a whole number"},
      {"queued", state + R"("queued":1.5})", "field 'queued': expected a whole number"},
      {"running", state + R"("running":1000000001})", "field 'running': expected a whole number"},
      {"sequence", state + R"("sequence":"1"})", "field 'sequence': expected a whole number"},
      {"interval", state + R"("sharing_interval":-1})", "field 'sharing_interval': expected sec"},
      {"waits", state + R"("waits":[1,-1]})", "field 'waits': expected an array"},
      {"time without end", R"({"message_type":"state","task_time":1e999})", "field 'task_time'"},
      {"no nodes", known + R"("addresses":[]})", "field 'nodes': expected an array of up to 1000"},
      {"no addresses", known + R"("nodes":[]})", "field 'addresses': expected an array"},
      {"nodes of another kind", known + R"("nodes":[1],"addresses":["a:1"]})", "field 'nodes'"},
      {"too many nodes", known + "\"nodes\":" + many + ",\"addresses\":[]}", "field 'nodes'"},
      {"too many addresses", known + "\"nodes\":[],\"addresses\":" + many + "}",
       "field 'addresses'"},
      {"more nodes than addresses", known + R"("nodes":["a","b"],"addresses":["a:1"]})",
       "field 'addresses': expected as many as there are nodes"},
  };
  for (const Row& row : rows) {
    json::Object scratch;
    const auto message = parse_message(row.text, scratch);
    REQUIRE_MESSAGE(!message, row.name);
    check_refused(row.name, message.error(), row.says);
  }
}

TEST_CASE("A hello says where the node is reached, first as hello, then as alive") {
  for (const bool is_repeated : {false, true}) {
    const std::string written = fog_hello({10'007, identity}, is_repeated);
    CHECK(is_ascii(written));
    CHECK(written.starts_with(is_repeated ? "{\"message_type\":\"fog_alive\",\"tcp_port\":10007,"
                                          : "{\"message_type\":\"fog_hello\",\"tcp_port\":10007,"));
    CHECK(written.ends_with('}'));
    const auto hello = hear_as<FogHello>(written);
    CHECK(hello.tcp_port == 10'007);
    CHECK(hello.identity.node == "00ff");
    CHECK(hello.identity.name == "fog \xc3\xa9{");
    CHECK(hello.identity.listen == "10.0.0.7:10000");
    CHECK_FALSE(hello.identity.is_original());
  }
}

TEST_CASE("An endpoint asks who is there, and a fog node answers with its port") {
  CHECK(endpoint_hello() == "{\"message_type\":\"endpoint_hello\"}");
  (void)hear_as<EndpointHello>(endpoint_hello());
  const auto ack = hear_as<FogAck>(fog_ack({10'007, identity}));
  CHECK(ack.tcp_port == 10'007);
  CHECK(ack.identity.node == "00ff");
}

TEST_CASE("What an original node multicasts is understood, and shows no identity") {
  const auto hello = hear_as<FogHello>(R"({"message_type": "fog_hello", "tcp_port": 10000})");
  CHECK(hello.tcp_port == 10'000);
  CHECK(hello.identity.is_original());
  const auto ack = hear_as<FogAck>(R"({"message_type":"fog_ack","tcp_port":1})");
  CHECK(ack.tcp_port == 1);
  CHECK(ack.identity.is_original());
}

TEST_CASE("A datagram that is none is refused, naming what is wrong") {
  struct Row {
    const char* name;
    const char* text;
    const char* says;
  };
  constexpr Row rows[] = {
      {"nothing", "", "not valid JSON"},
      {"no JSON", "hello", "not valid JSON"},
      {"no type", "{}", "field 'message_type': missing"},
      {"a message of a link", R"({"message_type":"state","task_time":1})",
       "field 'message_type': expected a known message type"},
      {"no port", R"({"message_type":"fog_hello"})", "field 'tcp_port': expected a port"},
      {"port 0", R"({"message_type":"fog_hello","tcp_port":0})", "field 'tcp_port'"},
      {"a negative port", R"({"message_type":"fog_ack","tcp_port":-1})", "field 'tcp_port'"},
      {"too high a port", R"({"message_type":"fog_alive","tcp_port":65536})", "field 'tcp_port'"},
      {"a port as a string", R"({"message_type":"fog_ack","tcp_port":"1"})", "field 'tcp_port'"},
  };
  for (const Row& row : rows) {
    json::Object scratch;
    const auto message = parse_datagram(row.text, scratch);
    REQUIRE_MESSAGE(!message, row.name);
    check_refused(row.name, message.error(), row.says);
  }
}

TEST_CASE("A datagram's message over a link is no message there") {
  json::Object scratch;
  CHECK_FALSE(parse_message(endpoint_hello(), scratch));
  CHECK_FALSE(parse_message(fog_hello({1, identity}, false), scratch));
}

TEST_CASE("A peer is original until it showed an id and protocol 2") {
  CHECK(NodeIdentity{}.is_original());
  CHECK(NodeIdentity{"ab", "x", 1}.is_original());
  CHECK(NodeIdentity{"", "x", 2}.is_original());
  CHECK_FALSE(NodeIdentity{"ab", "x", 2}.is_original());
  CHECK_FALSE(NodeIdentity{"ab", "x", 3}.is_original());
}

TEST_CASE("A greeting without an address to be reached at says none") {
  std::string written;
  append_fog_ready(written, WallTime{}, {"ab", "x", 2});
  CHECK(written.find("listen") == std::string::npos);
  CHECK(parse_as<FogReady>(written).identity.listen.empty());
  written.clear();
  append_fog_ready_ack(written, {"1.5", {}}, identity);
  CHECK(parse_as<FogReadyAck>(written).identity.listen == "10.0.0.7:10000");
  CHECK(written.find("max_message") == std::string::npos);
  written.clear();
  append_cloud_ready(written, {"00ff", "fog-1", 2, "", 4096});
  CHECK(parse_as<CloudReady>(written).identity.max_message == 4096);
}

}  // namespace
}  // namespace fogctl::wire
