// The messages that are neither task nor result, and what is no message at all.
#include "wire/messages.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace fogctl::wire {
namespace {

using namespace std::chrono_literals;

Result<Message> parse(const std::string& text) {
  json::Object scratch;
  return parse_message(text, scratch);
}

template <typename Kind>
Kind parse_as(const std::string& text) {
  auto message = parse(text);
  REQUIRE_MESSAGE(message, text);
  REQUIRE_MESSAGE(std::holds_alternative<Kind>(*message), text);
  return std::get<Kind>(*message);
}

bool is_one_ascii_line(const std::string& text) {
  return std::ranges::count(text, '\n') == 1 && text.back() == '\n' &&
         std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7F); });
}

TEST_CASE("What is no message is refused, naming what is wrong") {
  struct Row {
    const char* name;
    std::string text;
    const char* says;
  };
  const Row rows[] = {
      {"no JSON", "{hello}", "not valid JSON at byte 1"},
      {"invalid UTF-8", "{\"message_type\":\"\xff\"}",
       "invalid UTF-8 in field 'message_type' (byte 17)"},
      {"too deep", "{\"a\":" + std::string(32, '[') + std::string(32, ']') + "}",
       "field 'a': nested deeper than 32"},
      {"no type", "{}", "field 'message_type': missing"},
      {"an unknown type", R"({"message_type":"greeting"})",
       "field 'message_type': expected a known message type, got a string \"greeting\""},
      {"a type as a number", R"({"message_type":1})",
       "field 'message_type': expected a known message type, got a number 1"},
      {"null as a type", R"({"message_type":null})", "field 'message_type': expected"},
      {"a state without a time", R"({"message_type":"state"})", "field 'task_time': expected"},
      {"a state with a negative time", R"({"message_type":"state","task_time":-1})",
       "field 'task_time': expected seconds, a finite number >= 0, got a number -1"},
      {"a greeting without its time", R"({"message_type":"fog_ready"})",
       "field 'send_time': missing"},
      {"an answer without its time", R"({"message_type":"fog_ready_ack"})",
       "field 'send_time': missing"},
      {"a greeting's time as a string", R"({"message_type":"fog_ready","send_time":"now"})",
       "field 'send_time': expected a finite number, got a string \"now\""},
      {"a greeting's time without end", R"({"message_type":"fog_ready","send_time":1e999})",
       "field 'send_time': expected a finite number"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto message = parse(row.text);
    REQUIRE_FALSE(message);
    CHECK(message.error().code == ErrorCode::invalid);
    CAPTURE(message.error().message);
    CHECK(message.error().message.starts_with(row.says));
  }
}

TEST_CASE("Of a wrong value the kind is named, and the value where it says more") {
  CHECK(parse(R"({"message_type":null})").error().message ==
        "field 'message_type': expected a known message type, got null");
  CHECK(parse(R"({"message_type":true})").error().message ==
        "field 'message_type': expected a known message type, got a boolean true");
}

TEST_CASE("A message's type is known however it is escaped, and wherever it stands") {
  CHECK(parse_as<State>(R"({"task_time":1.5,"message_type":"st\u0061te"})").task_time == 1500ms);
}

TEST_CASE("A greeting says who the node is, and its answer gives the time back as it came") {
  const NodeIdentity identity{"00ff", "fog \xc3\xa9{", protocol_version};
  std::string written;
  append_fog_ready(written, WallTime(1795412131000007us), identity);
  CHECK(is_one_ascii_line(written));
  const auto ready = parse_as<FogReady>(written);
  CHECK(ready.send_time == "1795412131.000007");
  CHECK(ready.identity.node == "00ff");
  CHECK(ready.identity.name == "fog \xc3\xa9{");
  CHECK(ready.identity.protocol == 2);

  written.clear();
  append_fog_ready_ack(written, {"1795412131.22779901", {}}, identity);
  CHECK(is_one_ascii_line(written));
  CHECK(written.find("\"send_time\":1795412131.22779901,") != std::string::npos);
  CHECK(parse_as<FogReadyAck>(written).identity.protocol == 2);
}

TEST_CASE("A cloud greets with who it is alone") {
  std::string written;
  append_cloud_ready(written, {"ab", "cloud", protocol_version});
  CHECK(written ==
        "{\"message_type\":\"cloud_ready\",\"node\":\"ab\",\"name\":\"cloud\",\"protocol\":2}\n");
  CHECK(parse_as<CloudReady>(written).identity.name == "cloud");
}

TEST_CASE("A peer whose identity is missing or no identity is an original one") {
  for (const char* fields : {"", R"(,"protocol":"2")", R"(,"protocol":null,"node":5)",
                             R"(,"protocol":2.5)", R"(,"protocol":1e3)"}) {
    CAPTURE(fields);
    const auto ready =
        parse_as<CloudReady>(std::string(R"({"message_type":"cloud_ready")") + fields + "}");
    CHECK(ready.identity.protocol == 0);
    CHECK(ready.identity.node.empty());
  }
}

TEST_CASE("An error message carries a code and what was wrong") {
  std::string written;
  append_error(written, "invalid_message", "got '{\xff\n'");
  CHECK(is_one_ascii_line(written));
  CHECK(written.find_first_of("{}", 1) == written.size() - 2);
  const auto error = parse_as<ErrorMessage>(written);
  CHECK(error.code == "invalid_message");
  CHECK(error.message == "got '{\xef\xbf\xbd\n'");
}

TEST_CASE("A state without end is as long as can be") {
  CHECK(parse_as<State>(R"({"message_type":"state","task_time":1e300})").task_time ==
        Duration::max());
}

TEST_CASE("A wall-clock stamp has seconds and six digits behind the point") {
  CHECK(wall_time_text(WallTime{}) == "0.000000");
  CHECK(wall_time_text(WallTime(1795412135000001us)) == "1795412135.000001");
  CHECK(wall_time_text(WallTime(1795412135999999999ns)) == "1795412135.999999");
}

}  // namespace
}  // namespace fogctl::wire
