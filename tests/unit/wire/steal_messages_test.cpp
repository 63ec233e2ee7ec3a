// What nodes say to each other of stealing.
#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "wire/messages.hpp"

namespace fogctl::wire {
namespace {

using namespace std::chrono_literals;

Result<Message> parse(std::string_view text) {
  json::Object scratch;
  return parse_message(text, scratch);
}

template <typename Kind>
Kind parsed(std::string_view text) {
  auto message = parse(text);
  REQUIRE_MESSAGE(message.has_value(), message.error().message);
  REQUIRE(std::holds_alternative<Kind>(*message));
  return std::get<Kind>(*message);
}

TEST_CASE("wire: steal and steal_refused read as they were written") {
  std::string out;
  append_steal(out, {7, 3});
  CHECK(out == "{\"message_type\":\"steal\",\"request\":7,\"workers\":3}\n");
  CHECK(parsed<Steal>(out).request == 7);
  CHECK(parsed<Steal>(out).workers == 3);
  CHECK(parsed<Steal>(R"({"message_type":"steal","request":1})").workers == 1);
  CHECK_FALSE(parse(R"({"message_type":"steal","request":1,"workers":0})").has_value());
  out.clear();
  append_steal_refused(out, {8, 250ms});
  CHECK(out == "{\"message_type\":\"steal_refused\",\"request\":8,\"retry_after\":0.25}\n");
  CHECK(parsed<StealRefused>(out).request == 8);
  CHECK(parsed<StealRefused>(out).retry_after == 250ms);
  CHECK(parsed<StealRefused>(R"({"message_type":"steal_refused","request":1})").retry_after == 0s);
}

TEST_CASE("wire: a steal or its refusal without a request, or with a senseless one, is wrong") {
  for (const char* type : {"steal", "steal_refused"}) {
    for (const char* rest : {"", R"(,"request":0)", R"(,"request":-1)", R"(,"request":"1")",
                             R"(,"request":1.5)", R"(,"request":99999999999999999999)"}) {
      CAPTURE(type);
      CAPTURE(rest);
      const auto got = parse(R"({"message_type":")" + std::string(type) + '"' + rest + '}');
      REQUIRE_FALSE(got.has_value());
      CHECK(got.error().message.find("request") != std::string::npos);
    }
  }
  for (const char* length : {"-1", "\"soon\"", "null", "1e999"}) {
    CAPTURE(length);
    const auto got = parse(R"({"message_type":"steal_refused","request":1,"retry_after":)" +
                           std::string(length) + '}');
    CHECK_FALSE(got.has_value());
  }
}

TEST_CASE("wire: a task names the request that it answers, and passes no other's on") {
  Task task;
  task.name = "light";
  std::string out;
  append_task(out, task, "5", {.steal = 7});
  const auto message = parsed<TaskMessage>(out);
  CHECK(message.steal == 7);
  CHECK(message.task.other_fields.empty());
  out.clear();
  append_task(out, message.task, "6");
  CHECK(out.find("steal") == std::string::npos);
  CHECK(parsed<TaskMessage>(out).steal == 0);
}

TEST_CASE("wire: a state says whether its sender may be asked for tasks") {
  State state;
  std::string out;
  append_state(out, state, false);
  CHECK(out.find("steals") == std::string::npos);
  CHECK_FALSE(parsed<State>(out).steals);
  state.steals = true;
  out.clear();
  append_state(out, state, false);
  CHECK(parsed<State>(out).steals);
  out.clear();
  append_state(out, state, true);
  CHECK(out == "{\"message_type\":\"state\",\"task_time\":0}\n");
}

}  // namespace
}  // namespace fogctl::wire
