// The original system's captured bytes: each message parses to what it says, and what we write in
// its place has the same fields with the same values, in the same order.
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "json/scanner.hpp"
#include "support/wire_files.hpp"
#include "wire/messages.hpp"

namespace fogctl::wire {
namespace {

using support::wire_file;
using namespace std::chrono_literals;

template <typename Kind>
Kind parse_as(const std::string& text) {
  json::Object scratch;
  auto message = parse_message(text, scratch);
  REQUIRE_MESSAGE(message, text);
  REQUIRE_MESSAGE(std::holds_alternative<Kind>(*message), text);
  return std::get<Kind>(*message);
}

/// The fields of the captured message, in its order, are the first of the written one, with equal
/// values and the same JSON types (whole numbers and fractions being one: Python reads both).
void check_same_fields(const std::string& written, const std::string& captured) {
  const auto ours = boost::json::parse(written).as_object();
  const auto theirs = boost::json::parse(captured).as_object();
  REQUIRE(ours.size() >= theirs.size());
  auto our_field = ours.begin();
  for (const auto& their_field : theirs) {
    CAPTURE(std::string(their_field.key()));
    CHECK(our_field->key() == their_field.key());
    const auto& our_value = our_field->value();
    const auto& their_value = their_field.value();
    CHECK(our_value.is_number() == their_value.is_number());
    if (their_value.is_number()) {
      CHECK(our_value.to_number<double>() == their_value.to_number<double>());
    } else {
      CHECK(our_value == their_value);
    }
    ++our_field;
  }
}

TEST_CASE("The client's captured task is read, field by field") {
  const auto message = parse_as<TaskMessage>(wire_file("task.endpoint-to-fog"));
  CHECK(message.task_id == "1");
  CHECK(message.has_class);
  CHECK_FALSE(message.extended);
  const Task& task = message.task;
  CHECK(task.uid.empty());
  CHECK_FALSE(task.uid_chosen);
  CHECK(task.name == "light");
  CHECK(task.weight == TaskClass::light);
  CHECK(task.content == "1");
  CHECK_FALSE(task.cloud_processing);
  CHECK(task.time_requirement == 200ms);
  CHECK(task.time_requirement_text == "0.2");
  CHECK(task.max_offload == 4);
  CHECK(task.offload_times == 0);
  CHECK(task.offloading_fog.empty());
  CHECK(task.sending_time == "1795412135.5189703");
  CHECK(task.distribution_time == "0");
  CHECK(task.process_by == "f");
  CHECK(task.waited == 0s);
  CHECK(task.other_fields.empty());
}

TEST_CASE("The captured tasks between fog nodes and to the cloud are read") {
  const auto to_fog = parse_as<TaskMessage>(wire_file("task.fog-to-fog"));
  CHECK(to_fog.task_id == "42");
  CHECK(to_fog.task.offload_times == 1);
  CHECK(to_fog.task.offloading_fog == std::vector<std::string>{"192.168.1.9"});
  CHECK(to_fog.task.estimated_queuing_time == 100.0);
  CHECK(to_fog.task.estimated_execution_time == 1.0);
  CHECK(to_fog.task.distribution_time == "1795412139.1473649");
  CHECK(to_fog.task.process_by == "fog");

  const auto to_cloud = parse_as<TaskMessage>(wire_file("task.fog-to-cloud"));
  CHECK(to_cloud.task_id == "10000");
  CHECK(to_cloud.task.weight == TaskClass::heavy);
  CHECK(to_cloud.task.cloud_processing);
  CHECK(to_cloud.task.time_requirement == 5s);
  CHECK(to_cloud.task.process_by == "cloud");
}

TEST_CASE("A task that we write has the fields of the original's, in its order") {
  for (const char* name : {"task.endpoint-to-fog", "task.fog-to-fog", "task.fog-to-cloud"}) {
    CAPTURE(name);
    const std::string captured = wire_file(name);
    const auto message = parse_as<TaskMessage>(captured);
    std::string written;
    append_task(written, message.task, message.task_id);
    check_same_fields(written, captured);
    CHECK(boost::json::parse(written).as_object().size() ==
          boost::json::parse(captured).as_object().size());
  }
}

TEST_CASE("The captured results are read, and passed on with nothing changed but the id") {
  struct Row {
    const char* name;
    const char* task_id;
    const char* execution_time;
    const char* process_by;
  };
  constexpr Row rows[] = {
      {"result.fog-to-endpoint", "1", "0.005263328552246094", "\"local\""},
      {"result.fog-to-fog", "42", "0.008227348327636719", "\"fog\""},
      {"result.cloud-to-fog", "10000", "2.227891206741333", "\"cloud\""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    std::string captured = wire_file(row.name);
    const auto message = parse_as<ResultMessage>(captured);
    CHECK(message.task_id == row.task_id);
    CHECK(message.execution_time == row.execution_time);
    CHECK(message.process_by == row.process_by);
    CHECK(message.result.content == "3");
    CHECK_FALSE(message.result.error);
    CHECK(message.result.uid.empty());

    std::string written;
    append_forwarded_result(written, message, message.result, {.task_id = "77"});
    const std::string id = std::string("\"task_id\": ") + row.task_id;
    captured.replace(captured.find(id), id.size(), "\"task_id\": 77");
    check_same_fields(written, captured);
    CHECK(boost::json::parse(written).as_object().size() ==
          boost::json::parse(captured).as_object().size());
  }
}

TEST_CASE("A result that we write has the fields of the original's, in its order") {
  const std::string captured = wire_file("result.fog-to-endpoint");
  TaskResult result;
  result.content = "3";
  result.execution_time = 5263328ns;
  std::string written;
  append_result(written, result,
                {.task_id = "1",
                 .weight = TaskClass::light,
                 .time_requirement = "0.2",
                 .sending_time = "1795412135.5189703",
                 .distribution_time = "1795412135.520138",
                 .offload_times = 0,
                 .process_by = "local"});
  std::string expected = captured;
  const std::string time = "0.005263328552246094";
  expected.replace(expected.find(time), time.size(), "0.005263328");
  check_same_fields(written, expected);
}

TEST_CASE("The captured state and greetings are read") {
  CHECK(parse_as<State>(wire_file("state.fog-to-fog")).task_time == 0s);
  const auto to_fog = parse_as<FogReady>(wire_file("fog_ready.fog-to-fog"));
  CHECK(to_fog.send_time == "1795412131.227799");
  CHECK(to_fog.identity.protocol == 0);
  CHECK(to_fog.identity.node.empty());
  const auto to_client = parse_as<FogReady>(wire_file("fog_ready.fog-to-endpoint"));
  CHECK(to_client.send_time == "1795412135.5193648");
  const auto ack = parse_as<FogReadyAck>(wire_file("fog_ready_ack.fog-to-fog"));
  CHECK(ack.send_time == "1795412131.228443");
}

TEST_CASE("Greetings that we write have the fields of the original's first") {
  std::string written;
  append_fog_ready(written, WallTime(1795412131227799us), {"n", "name", 2});
  check_same_fields(written, wire_file("fog_ready.fog-to-fog"));

  written.clear();
  append_fog_ready_ack(written, {"1795412131.228443", {}}, {"n", "name", 2});
  check_same_fields(written, wire_file("fog_ready_ack.fog-to-fog"));
}

TEST_CASE("Two captured messages in one segment come out one by one") {
  const std::string text = wire_file("coalesced.fog-to-fog");
  json::ObjectScanner scanner;
  const auto next = [&] {
    const auto step = scanner.next(text);
    REQUIRE(step.outcome == json::ObjectScanner::Outcome::object);
    return text.substr(step.begin, step.end - step.begin);
  };
  CHECK(parse_as<FogReady>(next()).send_time == "1795412131.228443");
  CHECK(parse_as<FogReadyAck>(next()).send_time == "1795412131.227799");
  CHECK(scanner.next(text).outcome == json::ObjectScanner::Outcome::incomplete);
}

TEST_CASE("What belongs to the multicast group is no message of a connection") {
  json::Object scratch;
  for (const char* name : {"endpoint_hello.endpoint-to-multicast", "fog_ack.fog-to-multicast",
                           "fog_hello.fog-to-multicast"}) {
    CAPTURE(name);
    const std::string text = wire_file(name);
    const auto message = parse_message(text, scratch);
    REQUIRE_FALSE(message);
    CHECK(message.error().message.find("message_type") != std::string::npos);
  }
}

TEST_CASE("What an original node and endpoint multicast is understood") {
  json::Object scratch;
  const auto hello = parse_datagram(wire_file("fog_hello.fog-to-multicast"), scratch);
  REQUIRE(hello);
  CHECK(std::get<FogHello>(*hello).tcp_port == 10000);
  CHECK(std::get<FogHello>(*hello).identity.is_original());
  const auto ack = parse_datagram(wire_file("fog_ack.fog-to-multicast"), scratch);
  REQUIRE(ack);
  CHECK(std::get<FogAck>(*ack).tcp_port == 10000);
  const auto asked = parse_datagram(wire_file("endpoint_hello.endpoint-to-multicast"), scratch);
  REQUIRE(asked);
  CHECK(std::holds_alternative<EndpointHello>(*asked));
  CHECK_FALSE(parse_datagram(wire_file("state.fog-to-fog"), scratch));
}

}  // namespace
}  // namespace fogctl::wire
