// The `task` message: defaults, part 3's additions, and what is wrong with one that is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "wire/messages.hpp"

namespace fogctl::wire {
namespace {

using namespace std::chrono_literals;

Result<Message> parse(const std::string& text) {
  json::Object scratch;
  return parse_message(text, scratch);
}

/// A task of these fields; `fields` begins with a comma or is empty.
Result<Message> parse_task(const std::string& fields) {
  return parse(R"({"message_type":"task","task_id":7,"task_name":"echo")" + fields + "}");
}

TaskMessage good_task(const std::string& fields) {
  auto message = parse_task(fields);
  REQUIRE_MESSAGE(message, fields);
  REQUIRE_MESSAGE(std::holds_alternative<TaskMessage>(*message), fields);
  return std::get<TaskMessage>(*message);
}

TEST_CASE("A task of three fields has the protocol's defaults for all others") {
  const TaskMessage message = good_task("");
  const Task defaults;
  CHECK(message.task_id == "7");
  CHECK_FALSE(message.has_class);
  CHECK_FALSE(message.extended);
  CHECK(message.task.name == "echo");
  CHECK(message.task.content == "null");
  CHECK(message.task.time_requirement == defaults.time_requirement);
  CHECK(message.task.max_offload == 4);
  CHECK(message.task.process_by == "f");
}

TEST_CASE("Part 3's fields show that the peer reads part 3's results") {
  struct Row {
    const char* name;
    const char* fields;
    bool is_extended;
    bool is_uid_chosen;
  };
  constexpr Row rows[] = {
      {"none of them", "", false, false},
      {"task_uid", R"(,"task_uid":"a-B_9.z")", true, true},
      {"waited", R"(,"waited":0.25)", true, false},
      {"exclusive", R"(,"exclusive":true)", true, false},
      {"is_copy", R"(,"is_copy":true)", true, false},
      {"an unknown field is none", R"(,"colour":"red")", false, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const TaskMessage message = good_task(row.fields);
    CHECK(message.extended == row.is_extended);
    CHECK(message.task.uid_chosen == row.is_uid_chosen);
  }
  CHECK(good_task(R"(,"waited":0.25)").task.waited == 250ms);
  CHECK(good_task(R"(,"task_uid":"a-B_9.z")").task.uid == "a-B_9.z");
  CHECK(good_task(R"(,"exclusive":true)").task.exclusive);
  CHECK_FALSE(good_task(R"(,"exclusive":true)").task.is_copy);
  CHECK(good_task(R"(,"is_copy":true)").task.is_copy);
}

TEST_CASE("A string task_id comes back as it came, and only a peer of part 3 sends one") {
  const std::vector<std::string> ids = {R"("")",
                                        R"("a b")",
                                        R"("\u00e9\"")",
                                        "\"\xc3\xa9\"",
                                        "\"" + std::string(256, 'x') + "\"",
                                        "-3",
                                        "9223372036854775807"};
  for (const std::string& id : ids) {
    CAPTURE(id);
    const auto message =
        parse(R"({"message_type":"task","task_name":"echo","task_id": )" + id + " }");
    REQUIRE(message);
    REQUIRE(std::holds_alternative<TaskMessage>(*message));
    CHECK(std::get<TaskMessage>(*message).task_id == id);
    CHECK(std::get<TaskMessage>(*message).extended == id.starts_with('"'));
  }
}

TEST_CASE("A task_uid stands in for a missing task_id") {
  const auto message = parse(R"({"message_type":"task","task_name":"echo","task_uid":"u"})");
  REQUIRE(message);
  REQUIRE(std::holds_alternative<TaskMessage>(*message));
  CHECK(std::get<TaskMessage>(*message).task_id == "null");
  CHECK(std::get<TaskMessage>(*message).task.uid == "u");
}

struct BadRow {
  const char* name;
  std::string fields;
  const char* field;  // that the message names
  const char* says;   // somewhere in the message
};

std::vector<BadRow> bad_tasks() {
  const std::string uid65(65, 'u');
  return {
      {"a negative requirement", R"(,"time_requirement":-1)", "time_requirement", "number >= 0"},
      {"exclusive as a number", R"(,"exclusive":1)", "exclusive", "true or false"},
      {"an infinite one", R"(,"time_requirement":1e999)", "time_requirement", "finite"},
      {"one as a string", R"(,"time_requirement":"5")", "time_requirement", "got a string \"5\""},
      {"max_offload below 0", R"(,"max_offload":-1)", "max_offload", "got a number -1"},
      {"max_offload with a fraction", R"(,"max_offload":1.5)", "max_offload", "whole number"},
      {"max_offload as a string", R"(,"max_offload":"3")", "max_offload", "got a string"},
      {"max_offload of 2^70", R"(,"max_offload":1180591620717411303424)", "max_offload", "to 10"},
      {"max_offload too large", R"(,"max_offload":1000000001)", "max_offload", "to 1000000000"},
      {"max_offload null", R"(,"max_offload":null)", "max_offload", "got null"},
      {"offload_times below 0", R"(,"offload_times":-1)", "offload_times", "whole number"},
      {"addresses that are no array", R"(,"offloading_fog":"a")", "offloading_fog", "an array of"},
      {"addresses that are no strings", R"(,"offloading_fog":["a",1])", "offloading_fog", "array"},
      {"an unknown class", R"(,"task_type":"huge")", "task_type", "got a string \"huge\""},
      {"a class as a number", R"(,"task_type":1)", "task_type", "\"light\", \"medium\" or"},
      {"cloud_processing as a number", R"(,"cloud_processing":1)", "cloud_processing", "true or"},
      {"cloud_processing as a string", R"(,"cloud_processing":"no")", "cloud_processing", "false"},
      {"a uid with a space", R"(,"task_uid":"a b")", "task_uid", "[A-Za-z0-9_.-]"},
      {"a uid beyond ASCII", ",\"task_uid\":\"\xc3\xa9\"", "task_uid", "1 to 64"},
      {"a uid of 65", ",\"task_uid\":\"" + uid65 + "\"", "task_uid", "got a string"},
      {"an empty uid", R"(,"task_uid":"")", "task_uid", "got a string \"\""},
      {"a uid as a number", R"(,"task_uid":5)", "task_uid", "got a number 5"},
      {"a negative wait", R"(,"waited":-0.1)", "waited", "number >= 0"},
      {"a wait as a string", R"(,"waited":"1")", "waited", "got a string"},
      {"an infinite instant", R"(,"sending_time":1e999)", "sending_time", "a finite number"},
      {"an instant as a string", R"(,"distribution_time":"x")", "distribution_time", "a finite"},
      {"an estimate as an object", R"(,"estimated_queuing_time":{})", "estimated_queuing_time",
       "got an object {}"},
      {"a time that nobody uses", R"(,"queuing_time":"x")", "queuing_time", "a finite number"},
      {"process_by as a number", R"(,"process_by":1)", "process_by", "a string"},
  };
}

TEST_CASE("A task with a usable id and a wrong field is answered under its id, naming the field") {
  for (const BadRow& row : bad_tasks()) {
    CAPTURE(row.name);
    const auto message = parse_task(row.fields);
    REQUIRE(message);
    REQUIRE(std::holds_alternative<BadTask>(*message));
    const BadTask& bad = std::get<BadTask>(*message);
    CHECK(bad.message.task_id == "7");
    CHECK(bad.error.code == TaskErrorCode::invalid_task);
    CAPTURE(bad.error.message);
    CHECK(bad.error.message.starts_with("field '" + std::string(row.field) + "': expected "));
    CHECK(bad.error.message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("A uid that is no name is not given back as one") {
  const auto message = parse_task(R"(,"task_uid":"a b")");
  REQUIRE(std::holds_alternative<BadTask>(message.value()));
  const TaskMessage& bad = std::get<BadTask>(*message).message;
  CHECK(bad.task.uid.empty());
  CHECK_FALSE(bad.task.uid_chosen);
}

TEST_CASE("A task without a name, or with one that no handler can have, is refused") {
  for (const std::string name : {"", R"(,"task_name":"")", R"(,"task_name":"a/b")",
                                 R"(,"task_name":3)", R"(,"task_name":null)"}) {
    CAPTURE(name);
    const auto message = parse(R"({"message_type":"task","task_id":7)" + name + "}");
    REQUIRE(message);
    REQUIRE(std::holds_alternative<BadTask>(*message));
    CHECK(std::get<BadTask>(*message).error.message.starts_with("field 'task_name': "));
  }
}

TEST_CASE("A task without a usable id is an error, which names it") {
  struct Row {
    const char* name;
    std::string id;
    const char* says;
  };
  const Row rows[] = {
      {"none", "", "field 'task_id': missing"},
      {"none, and a wrong field", R"(,"max_offload":-1)", "field 'task_id': missing"},
      {"a string that is too long", ",\"task_id\":\"" + std::string(257, 'x') + "\"",
       "field 'task_id': expected a whole number of at most 64 bits, or a string"},
      {"a fraction", R"(,"task_id":1.5)", "field 'task_id': expected"},
      {"a whole number written as a fraction", R"(,"task_id":1.0)", "field 'task_id': expected"},
      {"a boolean", R"(,"task_id":true)", "field 'task_id': expected"},
      {"null", R"(,"task_id":null)", "field 'task_id': expected"},
      {"an array", R"(,"task_id":[1])", "field 'task_id': expected"},
      {"2^70", R"(,"task_id":1180591620717411303424)", "field 'task_id': expected"},
      {"2^63", R"(,"task_id":9223372036854775808)", "field 'task_id': expected"},
      {"a wrong one beside a good uid", R"(,"task_id":1.5,"task_uid":"u")", "field 'task_id'"},
      {"a wrong uid in its place", R"(,"task_uid":"a b")", "field 'task_uid': expected"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto message = parse(R"({"message_type":"task","task_name":"echo")" + row.id + "}");
    REQUIRE_FALSE(message);
    CHECK(message.error().code == ErrorCode::invalid);
    CAPTURE(message.error().message);
    CHECK(message.error().message.starts_with(row.says));
  }
}

TEST_CASE("A long wrong value is not quoted in the answer") {
  const auto message = parse_task(",\"max_offload\":\"" + std::string(500, 'x') + "\"");
  REQUIRE(std::holds_alternative<BadTask>(message.value()));
  CHECK(std::get<BadTask>(*message).error.message.size() < 100);
}

TEST_CASE("What passes through a node keeps its bytes, unknown fields too") {
  const TaskMessage message = good_task(
      R"(,"content":{"x":[1.10,"}"]},"time_requirement":0.20,"sending_time":1795412135.51897031)"
      R"(,"deadline":1795412135.51897031,"offloading_nodes":["a","b"],"\u00fc\"":null)");
  CHECK(message.task.other_fields.size() == 2);
  CHECK(message.task.offloading_nodes == std::vector<std::string>{"a", "b"});
  std::string written;
  append_task(written, message.task, "5");
  for (const char* part :
       {R"("task_id":5,)", R"("content":{"x":[1.10,"\u007d"]})", R"("time_requirement":0.20,)",
        R"("sending_time":1795412135.51897031,)", R"("deadline":1795412135.51897031,)",
        R"("offloading_nodes":["a","b"])", R"("\u00fc\"":null)"}) {
    CAPTURE(part);
    CHECK(written.find(part) != std::string::npos);
  }
}

TEST_CASE("A task is written as one line of ASCII, and read back the same") {
  TaskMessage sent = good_task(
      ",\"content\":[\"\xc3\xa9{\",\n {}],\"task_uid\":\"u\",\"waited\":1.5,\"offload_times\":2,"
      "\"offloading_fog\":[\"fe80::1\",\"\xc3\xa9\"],\"process_by\":\"\xc3\xa9{\","
      "\"max_offload\":9,\"cloud_processing\":true,\"task_type\":\"medium\",\"x\":[\n]");
  std::string written;
  append_task(written, sent.task, "9");
  CHECK(written.back() == '\n');
  CHECK(std::ranges::count(written, '\n') == 1);
  CHECK(std::ranges::all_of(written.substr(0, written.size() - 1),
                            [](char c) { return c >= 0x20 && c < 0x7F; }));

  const auto again = parse(written);
  REQUIRE(again);
  REQUIRE(std::holds_alternative<TaskMessage>(*again));
  const Task& task = std::get<TaskMessage>(*again).task;
  CHECK(std::get<TaskMessage>(*again).task_id == "9");
  CHECK(task.uid == "u");
  CHECK(task.waited == 1500ms);
  CHECK(task.offload_times == 2);
  CHECK(task.offloading_fog == sent.task.offloading_fog);
  CHECK(task.process_by == sent.task.process_by);
  CHECK(task.max_offload == 9);
  CHECK(task.cloud_processing);
  CHECK(task.weight == TaskClass::medium);
  CHECK(task.content == R"(["\u00e9\u007b",  {}])");
}

TEST_CASE("A requirement beyond what a length of time holds is as long as can be") {
  const TaskMessage message = good_task(R"(,"time_requirement":1e300,"waited":1e300)");
  CHECK(message.task.time_requirement == Duration::max());
  CHECK(message.task.time_requirement_text == "1e300");
  CHECK(message.task.waited == Duration::max());
}

}  // namespace
}  // namespace fogctl::wire
