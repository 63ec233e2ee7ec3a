// The link from a fog node to its cloud: kept up for ever, with exponential back-off and jitter. Of
// several addresses the first that answers is taken, and all are tried again when it is lost.
// Until a peer has said cloud_ready it is taken for an original one, which understands nothing but
// tasks (protocol.md part 2). One of fogctl's is asked now and then what it can run, and is lost
// where it says nothing, although its connection holds: it is frozen. Network thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "json/json.hpp"
#include "net/address.hpp"
#include "net/connection.hpp"
#include "task/task.hpp"
#include "wire/messages.hpp"

namespace fogctl {

class CloudLink {
 public:
  struct Events {
    /// Once for each time that it comes up; again, with false, where an original one turns out to
    /// be fogctl's, whose cloud_ready was slow. `max_message`: of a task that it takes, in bytes.
    std::function<void(bool is_original, std::size_t max_message)> on_up;
    std::function<void()> on_down;
    std::function<void(wire::ResultMessage result)> on_result;
    std::function<void(TaskKinds kinds)> on_kinds;  // that it can run
    std::function<void(const wire::Progress& progress)> on_progress;
    std::function<void()> on_batch;         // after the results of one read
    std::function<void()> on_written = {};  // less of what was sent to it waits
  };

  CloudLink(asio::io_context& io, std::vector<HostPort> addresses, ConnectionOptions options,
            Random random, Events events);

  void start();
  void stop();
  void send(const Task& task, std::int64_t id);
  /// Another message, to one that is not original.
  void send_text(std::string_view objects);
  void flush();
  [[nodiscard]] Duration round_trip() const;
  [[nodiscard]] std::size_t unsent_bytes() const;

  [[nodiscard]] bool is_up() const { return is_settled_; }
  [[nodiscard]] bool is_original() const { return is_original_; }
  /// What it calls itself; empty for an original one.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Of the cloud that is up, or is tried.
  [[nodiscard]] const HostPort& address() const { return addresses_[current_]; }

 private:
  void dial_now();
  void dial_next();
  void dial_later();
  void on_connected(asio::ip::tcp::socket socket);
  void on_object(std::string_view text);
  void on_error(const wire::ErrorMessage& error);
  void on_closed(const std::string& why);
  void settle_kind(bool is_original, const wire::NodeIdentity& who);
  void ask_for_kinds();
  void ask_for_kinds_later();
  void await_word();

  asio::io_context& io_;
  const std::vector<HostPort> addresses_;  // at least one
  std::vector<bool> was_fogctl_;           // by address: of fogctl's, when it spoke last
  std::size_t current_ = 0;
  const ConnectionOptions options_;
  Random random_;
  const Events events_;
  asio::steady_timer timer_;
  std::shared_ptr<Connection> connection_;
  json::Object scratch_;
  std::string buffer_;
  Duration back_off_{};
  bool is_settled_ = false;   // taken for fogctl's or an original one; tasks may go
  bool is_original_ = false;  // ... for an original one
  std::string name_;
  bool awaits_kinds_ = false;  // it was asked for them, and has not answered
  std::uint64_t heard_ = 0;    // bytes, when that was looked at last
  int silent_looks_ = 0;       // at which no more had come
  bool is_stopped_ = false;
  bool said_away_ = false;  // the log has it that the cloud is away
};

}  // namespace fogctl
