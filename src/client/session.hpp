// A client's side of one connection to a node: sends tasks, matches results to them, gives up
// those without an answer in time. Knows nothing of what is sent when. Belongs to the thread that
// runs its io_context; must live as long as that runs handlers.
//
// Every task sent has exactly one outcome: done, failed, or lost (no answer in time, or the
// connection ended). A peer is taken for one of the original system's until it says otherwise, and
// gets its tasks one at a time with a pause between (protocol.md, part 2).
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "client/outcome.hpp"
#include "client/outstanding.hpp"
#include "net/connection.hpp"
#include "wire/messages.hpp"

namespace fogctl {

class Session {
 public:
  struct Events {
    std::function<void(Outcome outcome)> on_outcome;
    std::function<void()> on_batch;  // after the outcomes of one read, or of one time-out
    std::function<void(const wire::ErrorMessage& message)> on_node_error;
    /// The connection ended, not by close(); every outcome has been told. `error` invalid: the
    /// peer does not speak the protocol.
    std::function<void(const Error& error)> on_ended;
  };

  Session(asio::io_context& io, const Clock& clock, asio::ip::tcp::socket socket, Duration timeout);

  void start(Events events);
  /// Queues a task for sending, as number `stream`; flush() sends. Its id; ids count from 1.
  std::uint64_t send(const Task& task, std::size_t stream);
  void flush();
  /// True while the node reads more slowly than it is sent to: send no more for the moment.
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] std::size_t in_flight() const { return outstanding_.size(); }
  /// The oldest task fails by what the node said in a message that names no task.
  void fail_oldest(TaskError error);
  /// Gives up what is unanswered, and ends the connection. No event comes after it.
  void close();

  [[nodiscard]] const StrayAnswers& stray() const { return stray_; }
  [[nodiscard]] const std::string& peer() const { return connection_->peer(); }

 private:
  void on_object(std::string_view text);
  void on_result(const wire::ResultMessage& message);
  void learn_protocol(int protocol);
  void end(const Error& error);
  void give_up_all();
  void arm_timer();
  void on_timer();
  void lose(const SentTask& task);

  const Clock& clock_;
  Duration timeout_;
  std::shared_ptr<Connection> connection_;
  asio::steady_timer timer_;
  Events events_;
  Outstanding outstanding_;
  StrayAnswers stray_;
  json::Object scratch_;
  std::string out_;
  bool timer_armed_ = false;
  bool ended_ = false;
};

}  // namespace fogctl
