#include "client/ask_node.hpp"

#include <fmt/format.h>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "base/hide_controls.hpp"
#include "json/json.hpp"
#include "net/connection.hpp"
#include "net/dialer.hpp"
#include "net/timer_length.hpp"

namespace fogctl {
namespace {

constexpr std::size_t longest_answer = std::size_t{64} << 20;

ErrorCode code_of(const wire::ErrorMessage& error) {
  if (error.code == "not_found") return ErrorCode::not_found;
  if (error.code == "unavailable") return ErrorCode::unavailable;  // the node's queue is away
  if (error.code == "overloaded") return ErrorCode::overloaded;    // it takes no more connections
  return ErrorCode::invalid;
}

class Question {
 public:
  Question(const HostPort& node, bool (*is_answer)(const wire::Message& message))
      : node_(node), is_answer_(is_answer) {}

  Result<wire::Message> run(std::string_view question, Duration budget) {
    dial(io_, node_, budget, [this, question](Result<asio::ip::tcp::socket> socket) {
      if (!socket) return finish(std::unexpected(socket.error()));
      ask(std::move(*socket), question);
    });
    timer_.expires_after(timer_length(budget));
    timer_.async_wait([this](asio::error_code error) {
      if (error) return;
      finish(failure(ErrorCode::timed_out,
                     hide_controls("no answer from " + to_string(node_) + unreadable_)));
    });
    io_.run();
    return std::move(*answer_);
  }

 private:
  void ask(asio::ip::tcp::socket socket, std::string_view question) {
    ConnectionOptions options;
    options.max_message = longest_answer;
    connection_ = std::make_shared<Connection>(std::move(socket), options);
    Connection::Events events;
    events.on_object = [this](std::string_view text) { on_object(text); };
    events.on_closed = [this](const std::string& why) {
      finish(failure(ErrorCode::unavailable,
                     fmt::format("the connection to {} broke: {}", to_string(node_), why)));
    };
    connection_->start(std::move(events));
    question_ = question;
  }

  /// An original cloud closes the connection at anything but a task, an original fog node answers
  /// nothing: only one that says first that it is fogctl's is asked.
  void on_greeting(const wire::NodeIdentity& identity) {
    if (identity.is_original()) {
      return finish(failure(ErrorCode::failed,
                            to_string(node_) + " is an original node, which cannot be asked"));
    }
    connection_->send(question_);
    connection_->flush();
  }

  void on_object(std::string_view text) {
    auto message = wire::parse_message(text, scratch_, json::deepest_listing);
    if (!message) {  // of a newer node it need not be the answer
      unreadable_ = ", and what it says cannot be read: " + message.error().message;
      return;
    }
    if (const auto* error = std::get_if<wire::ErrorMessage>(&*message)) {
      return finish(
          failure(code_of(*error), hide_controls(fmt::format("{} says: {}: {}", to_string(node_),
                                                             error->code, error->message))));
    }
    if (const auto* ready = std::get_if<wire::FogReady>(&*message)) on_greeting(ready->identity);
    if (const auto* ready = std::get_if<wire::CloudReady>(&*message)) on_greeting(ready->identity);
    if (is_answer_(*message)) finish(std::move(*message));
  }

  void finish(Result<wire::Message> answer) {
    if (!answer_) answer_ = std::move(answer);
    io_.stop();
  }

  const HostPort node_;
  bool (*const is_answer_)(const wire::Message& message);
  asio::io_context io_{1};
  asio::steady_timer timer_{io_};
  std::shared_ptr<Connection> connection_;
  std::string question_;
  std::string unreadable_;  // for people
  json::Object scratch_;
  std::optional<Result<wire::Message>> answer_;
};

}  // namespace

Result<wire::Message> ask_node(const HostPort& node, std::string_view question,
                               bool (*is_answer)(const wire::Message& message), Duration budget) {
  return Question(node, is_answer).run(question, budget);
}

}  // namespace fogctl
