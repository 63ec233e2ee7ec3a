// A node that answers as a test tells it to, on a free port of 127.0.0.1, with a thread of its own.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

#include "net/address.hpp"
#include "net/connection.hpp"
#include "wire/messages.hpp"

namespace fogctl::testing {

/// Called on the node's thread.
struct Behaviour {
  std::string greeting;  // sent to each client that connects
  /// The n-th task of a connection (from 1): what to send. Empty text: nothing.
  std::function<std::string(const wire::TaskMessage& task, int n)> answer;
  int closes_after = 0;       // closes the connection when so many tasks came
  int breaks = 1'000'000;     // ... this many times at most
  bool is_gone_then = false;  // ... and is not to be connected to any more
  std::function<void(const std::string& uid)> on_given_up = {};
  std::function<void()> on_connected = {};
  std::uint16_t port = 0;  // 0: any
  bool closes_at_once = false;
};

class FakeNode {
 public:
  explicit FakeNode(Behaviour behaviour)
      : behaviour_(std::move(behaviour)),
        acceptor_(io_, {asio::ip::make_address("127.0.0.1"), behaviour_.port}),
        address_{"127.0.0.1", acceptor_.local_endpoint().port()} {
    accept();
    thread_ = std::jthread([this] { io_.run(); });
  }
  ~FakeNode() { io_.stop(); }

  [[nodiscard]] const HostPort& address() const { return address_; }

 private:
  void accept() {
    acceptor_.async_accept([this](asio::error_code error, asio::ip::tcp::socket socket) {
      if (error) return;
      serve(std::make_shared<Connection>(std::move(socket), ConnectionOptions{}));
      accept();
    });
  }

  void serve(const std::shared_ptr<Connection>& connection) {
    if (behaviour_.on_connected) behaviour_.on_connected();
    Connection::Events events;
    events.on_object = [this, connection = connection.get(), n = 0](std::string_view text) mutable {
      json::Object scratch;
      const auto message = wire::parse_message(text, scratch);
      const auto* given_up = message ? std::get_if<wire::CancelCopy>(&*message) : nullptr;
      if (given_up != nullptr && behaviour_.on_given_up) behaviour_.on_given_up(given_up->uid);
      const auto* task = message ? std::get_if<wire::TaskMessage>(&*message) : nullptr;
      if (task == nullptr) return;
      connection->send(behaviour_.answer(*task, ++n));
      connection->flush();
      if (n != behaviour_.closes_after || breaks_ == behaviour_.breaks) return;
      ++breaks_;
      if (behaviour_.is_gone_then) acceptor_.close();
      connection->close("as told");
    };
    events.on_closed = [](const std::string&) {};
    connection->start(std::move(events));
    if (behaviour_.closes_at_once) return connection->close("as told");
    connection->send(behaviour_.greeting);
    connection->flush();
  }

  Behaviour behaviour_;
  int breaks_ = 0;
  asio::io_context io_{1};
  asio::ip::tcp::acceptor acceptor_;
  HostPort address_;
  std::jthread thread_;
};

/// Of a node with an id of its own.
inline std::string hello() {
  static std::atomic<int> nodes = 0;
  std::string text;
  wire::append_fog_ready(text, WallTime{}, {"0011223344" + std::to_string(++nodes), "fake", 2});
  return text;
}

/// The content back.
inline std::string echo(const wire::TaskMessage& task, const char* process_by = "local") {
  TaskResult result;
  result.content = task.task.content;
  wire::ResultContext context;
  context.task_id = task.task_id;
  context.weight = task.task.weight;
  context.process_by = process_by;
  std::string text;
  wire::append_result(text, result, context);
  return text;
}

inline std::string accept(const wire::TaskMessage& task) {
  std::string text;
  wire::append_accepted(text, {task.task_id, task.task.uid, "local", {}});
  return text;
}

inline std::string fail(const wire::TaskMessage& task, TaskError error) {
  TaskResult result;
  result.error = std::move(error);
  wire::ResultContext context;
  context.task_id = task.task_id;
  std::string text;
  wire::append_result(text, result, context);
  return text;
}

}  // namespace fogctl::testing
