#include <doctest/doctest.h>

#include <string>

#include "wire/messages.hpp"

namespace fogctl::wire {
namespace {

using namespace std::chrono_literals;

template <typename Kind>
Kind read(const std::string& text) {
  json::Object scratch;
  auto message = parse_message(text, scratch);
  REQUIRE_MESSAGE(message.has_value(), message.error().message);
  REQUIRE(std::holds_alternative<Kind>(*message));
  return std::get<Kind>(*message);
}

std::string error_of(const std::string& text) {
  json::Object scratch;
  const auto message = parse_message(text, scratch);
  return message ? "" : message.error().message;
}

TEST_CASE("kinds come back as they were written; what is not known is left out") {
  const TaskKinds kinds = {{"thumbnail", TaskClass::medium, 250ms, 7},
                           {"ocr", TaskClass::heavy, {}, 0}};
  std::string text;
  append_kinds(text, kinds, "");
  CHECK(text == R"({"message_type":"kinds","tasks":[)"
                R"({"name":"thumbnail","class":"medium","time":0.25,"runs":7},)"
                R"({"name":"ocr","class":"heavy"}]})"
                "\n");
  CHECK(read<Kinds>(text).tasks == kinds);
  CHECK(read<Kinds>(text).mesh == "[]");

  text.clear();
  append_kinds(text, {}, R"([{"task_name":"x"}])");
  CHECK(read<Kinds>(text).tasks.empty());
  CHECK(read<Kinds>(text).mesh == R"([{"task_name":"x"}])");
}

TEST_CASE("Of too many kinds the first thousand count") {
  TaskKinds kinds;
  for (std::size_t i = 0; i < most_kinds + 5; ++i) {
    kinds.push_back({"task-" + std::to_string(i), TaskClass::light, {}, 0});
  }
  std::string text;
  append_kinds(text, kinds, "");
  CHECK(read<Kinds>(text).tasks.size() == most_kinds);
}

TEST_CASE("Wrong kinds are answered by what is wrong") {
  struct Row {
    const char* tasks;
    const char* message;
  };
  constexpr Row rows[] = {
      {"7", "field 'tasks': expected an array, got a number 7"},
      {"[7]", "field 'tasks': expected an array of objects, got a number 7"},
      {R"([{"class":"light"}])", "field 'tasks': field 'name': missing"},
      {R"([{"name":"a b"}])",
       "field 'tasks': field 'name': expected 1 to 64 of [A-Za-z0-9_.-], got a string \"a b\""},
      {R"([{"name":"a","time":-1}])",
       "field 'tasks': field 'time': expected seconds, a finite number >= 0, got a number -1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.tasks);
    CHECK(error_of(R"({"message_type":"kinds","tasks":)" + std::string(row.tasks) + "}") ==
          row.message);
  }
}

TEST_CASE("progress comes back as it was written, and is a share") {
  std::string text;
  append_progress(text, {"\"a{\"", "u1", 0.4});
  CHECK(text == R"({"message_type":"progress","task_id":"a\u007b","task_uid":"u1","progress":0.4})"
                "\n");
  CHECK(read<Progress>(text).share == 0.4);
  CHECK(read<Progress>(text).uid == "u1");
  for (const char* wrong : {"-0.1", "1.1", "\"half\"", "null"}) {
    CAPTURE(wrong);
    CHECK(error_of(R"({"message_type":"progress","task_id":1,"progress":)" + std::string(wrong) +
                   "}") != "");
  }
}

TEST_CASE("kinds_query has no fields") {
  std::string text;
  append_kinds_query(text);
  (void)read<KindsQuery>(text);
}

TEST_CASE("A result in base64 says so to a peer that reads it, and to no other") {
  TaskResult result;
  result.uid = "u1";
  result.content = "\"AAAA\"";
  result.is_base64 = true;
  ResultContext context{.task_id = "1", .extended = true};
  std::string text;
  append_result(text, result, context);
  const auto message = read<ResultMessage>(text);
  CHECK(message.result.is_base64);
  std::string forwarded;
  append_forwarded_result(forwarded, message, message.result, context);
  CHECK(read<ResultMessage>(forwarded).result.is_base64);

  context.extended = false;
  text.clear();
  append_result(text, result, context);
  CHECK(text.find("content_encoding") == std::string::npos);
}

}  // namespace
}  // namespace fogctl::wire
