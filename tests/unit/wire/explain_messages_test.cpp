#include <doctest/doctest.h>

#include "wire/messages.hpp"

namespace fogctl::wire {
namespace {

template <typename Kind>
Kind read(const std::string& text) {
  json::Object scratch;
  auto message = parse_message(text, scratch);
  REQUIRE(message);
  REQUIRE(std::holds_alternative<Kind>(*message));
  return std::get<Kind>(std::move(*message));
}

std::string refusal_of(const std::string& text) {
  json::Object scratch;
  const auto message = parse_message(text, scratch);
  REQUIRE_FALSE(message);
  return message.error().message;
}

TEST_CASE("A question about a task comes through with its uid") {
  std::string text;
  append_explain_query(text, "a-1");
  CHECK(read<ExplainQuery>(text).uid == "a-1");
}

TEST_CASE("A uid that can be nobody's is refused, naming the field") {
  for (const std::string& uid : {std::string("\"\""), std::string("\"a b\""), std::string("7"),
                                 '"' + std::string(65, 'x') + '"'}) {
    const std::string text = R"({"message_type":"explain_query","task_uid":)" + uid + "}";
    CHECK(refusal_of(text).starts_with("field 'task_uid': expected 1 to 64"));
  }
  CHECK(refusal_of(R"({"message_type":"explain_query"})").find("task_uid") != std::string::npos);
}

TEST_CASE("A task that is to be planned comes through as one, its class only where it is given") {
  Task task;
  task.name = "thumbnail";
  task.content = R"({"a":1})";
  task.time_requirement = std::chrono::milliseconds(200);
  task.cloud_processing = true;
  std::string text;
  append_plan_query(text, task, false);
  const TaskMessage message = read<PlanQuery>(text).task;
  CHECK(message.task.name == "thumbnail");
  CHECK(message.task.content == R"({"a":1})");
  CHECK(message.task.time_requirement == std::chrono::milliseconds(200));
  CHECK(message.task.cloud_processing);
  CHECK_FALSE(message.has_class);
  text.clear();
  task.weight = TaskClass::heavy;
  append_plan_query(text, task, true);
  CHECK(read<PlanQuery>(text).task.has_class);
  CHECK(read<PlanQuery>(text).task.task.weight == TaskClass::heavy);
}

TEST_CASE("A plan for no task is refused as a task would be") {
  CHECK(refusal_of(R"({"message_type":"plan_query","task_id":1,"task_name":7})")
            .starts_with("field 'task_name'"));
}

TEST_CASE("Answers come through as one object") {
  std::string text;
  append_explanation(text, R"("task_uid":"a","decisions":[])");
  CHECK(read<Explanation>(text).json == R"({"task_uid":"a","decisions":[]})");
  text.clear();
  append_plan(text, R"("site":null)");
  CHECK(read<PlanReport>(text).json == R"({"site":null})");
}

}  // namespace
}  // namespace fogctl::wire
