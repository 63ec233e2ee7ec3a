// What nodes say to each other of tied copies.
#include <doctest/doctest.h>

#include "wire/messages.hpp"

namespace fogctl::wire {
namespace {

template <typename Kind>
Kind parsed(std::string_view text) {
  json::Object scratch;
  const auto message = parse_message(text, scratch);
  REQUIRE_MESSAGE(message.has_value(), message.error().message);
  REQUIRE(std::holds_alternative<Kind>(*message));
  return std::get<Kind>(*message);
}

std::string error_of(std::string_view text) {
  json::Object scratch;
  const auto message = parse_message(text, scratch);
  REQUIRE_FALSE(message.has_value());
  return message.error().message;
}

}  // namespace

TEST_CASE("wire: started and cancel_copy read as they were written") {
  std::string out;
  append_started(out, "17");
  CHECK(out == "{\"message_type\":\"started\",\"task_id\":17}\n");
  CHECK(parsed<Started>(out).task_id == "17");
  out.clear();
  append_cancel_copy(out, "a-b");
  CHECK(out == "{\"message_type\":\"cancel_copy\",\"task_uid\":\"a-b\"}\n");
  CHECK(parsed<CancelCopy>(out).uid == "a-b");
}

TEST_CASE("wire: a started without a whole task_id, a cancel_copy without a uid are wrong") {
  CHECK(error_of(R"({"message_type":"started"})").find("task_id") != std::string::npos);
  CHECK(error_of(R"({"message_type":"started","task_id":"x"})").find("task_id") !=
        std::string::npos);
  CHECK(error_of(R"({"message_type":"cancel_copy"})").find("task_uid") != std::string::npos);
  CHECK(error_of(R"({"message_type":"cancel_copy","task_uid":"a b"})").find("task_uid") !=
        std::string::npos);
}

}  // namespace fogctl::wire
