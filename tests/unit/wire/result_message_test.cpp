// The `result` message: an original client gets the original's fields and no others, a peer of
// part 3 gets its additions, and a result that is passed on keeps its bytes.
#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <vector>

#include "wire/messages.hpp"

namespace fogctl::wire {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

const Names original_names = {
    "message_type",      "task_id",        "content",   "time_requirement", "sending_time",
    "distribution_time", "execution_time", "task_type", "offload_times",    "process_by"};

Names with(Names names, const Names& more) {
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

Names names_in(const std::string& written) {
  const boost::json::value value = boost::json::parse(written);
  Names names;
  for (const auto& field : value.as_object()) names.emplace_back(field.key());
  return names;
}

ResultMessage read(const std::string& text) {
  json::Object scratch;
  auto message = parse_message(text, scratch);
  REQUIRE_MESSAGE(message, text);
  REQUIRE(std::holds_alternative<ResultMessage>(*message));
  return std::get<ResultMessage>(*message);
}

TaskResult some_result() {
  TaskResult result;
  result.uid = "uid-1";
  result.content = "{\"a\":\"}\xc3\xa9\"}";
  result.execution_time = 1500us;
  result.queuing_time = 250ms;
  result.node = "fog-1";
  return result;
}

ResultContext original_context() {
  return {.task_id = "17",
          .weight = TaskClass::medium,
          .time_requirement = "2.0",
          .sending_time = "1795412135.51897031",
          .distribution_time = "1795412135.520138",
          .offload_times = 2,
          .process_by = "fog"};
}

std::string written_result(const TaskResult& result, const ResultContext& context) {
  std::string out;
  append_result(out, result, context);
  CHECK(out.back() == '\n');
  CHECK(std::ranges::all_of(out.substr(0, out.size() - 1),
                            [](char c) { return c >= 0x20 && c < 0x7F; }));
  return out;
}

TEST_CASE("An original client gets exactly the original's fields, with its types") {
  const std::string written = written_result(some_result(), original_context());
  CHECK(names_in(written) == original_names);
  const auto object = boost::json::parse(written).as_object();
  CHECK(object.at("task_id").as_int64() == 17);
  CHECK(object.at("content").as_object().at("a").as_string() == "}\xc3\xa9");
  CHECK(object.at("task_type").as_string() == "medium");
  CHECK(object.at("offload_times").as_int64() == 2);
  CHECK(object.at("process_by").as_string() == "fog");
  CHECK(object.at("execution_time").as_double() == 0.0015);
  CHECK(written.find("\"time_requirement\":2.0,") != std::string::npos);
  CHECK(written.find("\"sending_time\":1795412135.51897031,") != std::string::npos);
  CHECK(written.find("\"distribution_time\":1795412135.520138,") != std::string::npos);
}

TEST_CASE("A failure has all of the original's fields too, null and 0, and says what went wrong") {
  TaskResult result;
  result.error = TaskError{TaskErrorCode::unknown_task, "no handler is named '{\xc3\xa9}' here"};
  const std::string written = written_result(result, original_context());
  CHECK(names_in(written) == with(original_names, {"error"}));
  const auto object = boost::json::parse(written).as_object();
  CHECK(object.at("content").is_null());
  CHECK(object.at("execution_time").to_number<double>() == 0);
  const auto& error = object.at("error").as_object();
  CHECK(error.at("code").as_string() == "unknown_task");
  CHECK(error.at("message").as_string() == "no handler is named '{\xc3\xa9}' here");
}

TEST_CASE("A peer of part 3 is told more") {
  ResultContext context = original_context();
  context.extended = true;
  CHECK(names_in(written_result(some_result(), context)) ==
        with(original_names, {"node", "queuing_time"}));
  context.has_uid = true;
  const std::string written = written_result(some_result(), context);
  CHECK(names_in(written) == with(original_names, {"task_uid", "node", "queuing_time"}));
  const auto object = boost::json::parse(written).as_object();
  CHECK(object.at("task_uid").as_string() == "uid-1");
  CHECK(object.at("node").as_string() == "fog-1");
  CHECK(object.at("queuing_time").to_number<double>() == 0.25);
}

TEST_CASE("A string task_id comes back as it came, and null where none came") {
  ResultContext context = original_context();
  for (const std::string id : {R"("a \" b")", "null", "-5", R"("\u00e9")"}) {
    context.task_id = id;
    CHECK(written_result(some_result(), context).find("\"task_id\":" + id + ",") !=
          std::string::npos);
  }
  context.task_id = "\"{\xc3\xa9}\"";
  CHECK(written_result(some_result(), context).find(R"("task_id":"\u007b\u00e9\u007d",)") !=
        std::string::npos);
}

TEST_CASE("A result is read back as it was written") {
  ResultContext context = original_context();
  context.extended = context.has_uid = true;
  TaskResult sent = some_result();
  sent.content = R"({"a":"\u007d"})";
  CHECK(read(written_result(sent, context)).result == sent);
  sent.error = TaskError{TaskErrorCode::timed_out, "too \"slow\""};
  const ResultMessage message = read(written_result(sent, context));
  CHECK(message.result == sent);
  CHECK(message.task_id == "17");
  CHECK(message.offload_times == 2);
  CHECK(message.task_type == "\"medium\"");
}

TEST_CASE("A result that is passed on keeps the bytes of its times and content") {
  const std::string text =
      R"({"message_type":"result","task_id":4294967297,"content":[1.10,2E1],)"
      R"("time_requirement":5.0,"sending_time":1795412135.51897031,)"
      R"("distribution_time":1795412135.6394740,"execution_time":2.22789120674133301,)"
      R"("task_type":"heavy","offload_times":1,"process_by":"cloud"})";
  std::string written;
  append_forwarded_result(written, read(text), read(text).result, {.task_id = "3"});
  std::string expected = text + "\n";
  expected.replace(expected.find("4294967297"), 10, "3");
  CHECK(written == expected);
}

TEST_CASE("A result that is passed on is ASCII on one line, whatever the other side wrote") {
  const std::string text =
      "{\"message_type\":\"result\",\"task_id\":1,\"content\":[\"\xc3\xa9{\",\n1],"
      "\"task_type\":\"\xc3\xa9}\",\"process_by\":\"{\xc3\xa9\"}";
  std::string written;
  append_forwarded_result(written, read(text), read(text).result, {.task_id = "3"});
  CHECK(names_in(written) == original_names);
  CHECK(std::ranges::count(written, '\n') == 1);
  CHECK(std::ranges::all_of(written, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  CHECK(written.find(R"(["\u00e9\u007b", 1])") != std::string::npos);
}

TEST_CASE("A failure that is passed on keeps its code and message") {
  const std::string text =
      R"({"message_type":"result","task_id":1,"content":null,)"
      R"("error":{"code":"expired","message":"too late"},"node":"cloud-1","queuing_time":0.5})";
  std::string written;
  append_forwarded_result(written, read(text), read(text).result, {.task_id = "3"});
  CHECK(names_in(written) == with(original_names, {"error"}));
  const auto error = boost::json::parse(written).as_object().at("error").as_object();
  CHECK(error.at("code").as_string() == "expired");
  CHECK(error.at("message").as_string() == "too late");

  written.clear();
  append_forwarded_result(written, read(text), read(text).result,
                          {.task_id = "3", .extended = true});
  CHECK(boost::json::parse(written).as_object().at("node").as_string() == "cloud-1");
}

TEST_CASE("An error of a code that is not known here is a failed task") {
  const ResultMessage message =
      read(R"({"message_type":"result","task_id":1,"error":{"code":"melted","message":"hot"}})");
  REQUIRE(message.result.error);
  CHECK(message.result.error->code == TaskErrorCode::task_failed);
  CHECK(message.result.error->message == "hot");
  CHECK(read(R"({"message_type":"result","task_id":1,"error":{"code":"expired"}})")
            .result.error->message == "expired");
  CHECK_FALSE(read(R"({"message_type":"result","task_id":1,"error":null})").result.error);
}

TEST_CASE("Of a result that cannot be read is known whose it is, and which field is wrong") {
  struct Row {
    const char* fields;
    const char* says;
  };
  constexpr Row rows[] = {
      {R"(,"task_id":1,"execution_time":"fast")", "field 'execution_time': expected a finite"},
      {R"(,"task_id":1,"execution_time":1e999)", "field 'execution_time': expected a finite"},
      {R"(,"task_id":1,"offload_times":-1)", "field 'offload_times': expected a whole number"},
      {R"(,"task_id":1,"error":"no")", "field 'error': expected an object with code"},
      {R"(,"task_id":1,"error":{"message":"no"})", "field 'error': expected an object with code"},
      {R"(,"task_id":1,"sending_time":null)", "field 'sending_time': expected a finite number"},
      {R"(,"task_id":1,"queuing_time":-1)", "field 'queuing_time': expected seconds"},
  };
  json::Object scratch;
  for (const Row& row : rows) {
    CAPTURE(row.fields);
    const std::string text = std::string(R"({"message_type":"result")") + row.fields + "}";
    const ResultMessage message = read(text);
    CHECK(message.task_id == "1");
    CHECK(message.result.content == "null");
    REQUIRE(message.result.error);
    CHECK(message.result.error->code == TaskErrorCode::unavailable);
    CHECK(message.result.error->message.starts_with("the answer cannot be read: "));
    CHECK(message.result.error->message.contains(row.says));
  }
  const auto nobodys = parse_message(R"({"message_type":"result"})", scratch);
  REQUIRE_FALSE(nobodys);
  CHECK(nobodys.error().message == "field 'task_id': missing");
}

}  // namespace
}  // namespace fogctl::wire
