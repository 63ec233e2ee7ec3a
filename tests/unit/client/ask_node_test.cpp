#include "client/ask_node.hpp"

#include <doctest/doctest.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <variant>

namespace fogctl {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

/// Greets on a free port of 127.0.0.1, reads one question, says `answer`, and hangs up or waits
/// until the other side does.
const std::string greeting =
    "{\"message_type\":\"fog_ready\",\"send_time\":1,\"node\":\"ab\",\"name\":\"n\",\"protocol\":"
    "2}";

class OneAnswer {
 public:
  explicit OneAnswer(std::string answer, bool hangs_up = false, std::string says_first = greeting)
      : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}),
        says_first_(std::move(says_first)),
        address{"127.0.0.1", acceptor_.local_endpoint().port()},
        thread_([this, hangs_up, answer = std::move(answer)] { serve(answer, hangs_up); }) {}
  /// What came until the other side hung up.
  std::string received() {
    thread_.join();
    return received_;
  }

 private:
  void serve(const std::string& answer, bool hangs_up) {
    tcp::socket socket = acceptor_.accept();
    asio::error_code error;
    asio::write(socket, asio::buffer(says_first_), error);
    asio::read_until(socket, asio::dynamic_buffer(received_), '\n', error);
    asio::write(socket, asio::buffer(answer), error);
    if (!hangs_up) asio::read(socket, asio::dynamic_buffer(received_), error);
  }

  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::string received_;
  std::string says_first_;

 public:
  const HostPort address;

 private:
  std::jthread thread_;
};

constexpr const char* question = "{\"message_type\":\"nodes_query\"}\n";

Result<wire::Message> ask(const HostPort& node, Duration budget = 20s) {
  return ask_node(
      node, question,
      [](const wire::Message& message) {
        return std::holds_alternative<wire::NodesReport>(message);
      },
      budget);
}

TEST_CASE("A question is sent as it is, and the first answer of its kind is taken") {
  OneAnswer node(
      "{\"message_type\":\"bogus\"}"
      "{\"message_type\":\"state\",\"task_time\":0}{\"message_type\":\"nodes\",\"name\":\"a\"}"
      "{\"message_type\":\"nodes\",\"name\":\"b\"}");
  const auto answer = ask(node.address);
  REQUIRE(answer);
  CHECK(std::get<wire::NodesReport>(*answer).json == "{\"name\":\"a\"}");
  CHECK(node.received() == question);
}

TEST_CASE("A node that does not understand the question is said to") {
  OneAnswer node(
      R"({"message_type":"error","code":"invalid_message","message":"\u001b[31mwhat?\n"})");
  const auto answer = ask(node.address);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::invalid);
  CHECK(answer.error().message == to_string(node.address) + " says: invalid_message: ?[31mwhat??");
}

TEST_CASE("A node that takes no more connections ends the question by what it says") {
  OneAnswer node("", true, R"({"message_type":"error","code":"overloaded","message":"no room"})");
  const auto answer = ask(node.address);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::overloaded);
  CHECK(answer.error().message == to_string(node.address) + " says: overloaded: no room");
}

TEST_CASE("Where nobody answers the question has an error that says whom it was for") {
  struct Row {
    const char* name;
    const char* answer;
    bool hangs_up;
    ErrorCode code;
    const char* says;
  };
  constexpr Row rows[] = {
      {"hangs up", "", true, ErrorCode::unavailable, "broke: closed by peer"},
      {"hangs up before the end", "{\"message_type\":", true, ErrorCode::unavailable, "broke"},
      {"is silent", "", false, ErrorCode::timed_out, "no answer from"},
      {"says other things", "{\"message_type\":\"state\",\"task_time\":0}", false,
       ErrorCode::timed_out, "no answer from"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    OneAnswer node(row.answer, row.hangs_up);
    const bool is_silent = row.code == ErrorCode::timed_out;
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = ask(node.address, is_silent ? 200ms : 20s);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == row.code);
    CHECK(answer.error().message.find(row.says) != std::string::npos);
    CHECK(answer.error().message.find(to_string(node.address)) != std::string::npos);
    if (is_silent) CHECK(std::chrono::steady_clock::now() - begin >= 200ms);
  }
}

TEST_CASE("What is no node of this kind ends the question when it hangs up") {
  OneAnswer node("HTTP/1.1 400 Bad Request\r\n\r\n", true);
  const auto answer = ask(node.address);
  REQUIRE_FALSE(answer);
  CHECK(is_transient(answer.error()));
}

TEST_CASE("An original node is not asked: it would not understand") {
  OneAnswer node("", false, "{\"message_type\":\"fog_ready\",\"send_time\":1}");
  const auto answer = ask(node.address);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::failed);
  CHECK(answer.error().message.find("original node") != std::string::npos);
  CHECK(node.received().empty());
}

TEST_CASE("Nobody is there: the question ends at once") {
  HostPort address;
  {
    asio::io_context io;
    const tcp::acceptor gone(io, {asio::ip::address_v4::loopback(), 0});
    address = {"127.0.0.1", gone.local_endpoint().port()};
  }
  const auto answer = ask(address);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::unavailable);
  CHECK(answer.error().message.find(to_string(address)) != std::string::npos);
}

}  // namespace
}  // namespace fogctl
