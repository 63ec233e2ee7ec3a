// A client's side of its talk with the nodes it knows: sends tasks, keeps each until its result,
// and sends it again, under the same task_uid, where a connection breaks or a node cannot take it
// just now. Knows nothing of what is sent when. Belongs to the thread that runs its io_context;
// must live as long as that runs handlers.
//
// 1. Every task has exactly one outcome: done, failed, or lost (no answer in time). Its time runs
//    from its first sending, or from when it was to be sent, whatever becomes of connections.
// 2. New tasks go to one node, the current one. When its connection breaks, the same node is tried
//    again, then the others in turn, after a back-off. A task goes to another node only when the
//    connection to the one that had it is gone, or that node refused it.
// 3. A node that refuses a task (unavailable, overloaded) stays connected for what it has; tasks
//    go to the next node from then on. A refused task is sent again after a back-off, or when the
//    node said, which binds what goes to that node only; it fails with the refusal when its time
//    is over.
// 4. With hedging, a task that its node has not accepted in time goes to another node as well. The
//    first of the two that accepts it has it, and the other one is told to give it up; the first
//    result counts, whoever it comes from, and a second one is dropped. Both are of fogctl.
// 5. A node of fogctl's that says nothing while tasks are unanswered is asked something that it
//    answers at once; where it does not, its connection counts as broken, and the next node is
//    tried first. So does that of a node that has said nothing at all, whatever it is, once another
//    one speaks; else it is waited for, since an original cloud says nothing before its results.
// 6. A connection that breaks without a word from the node makes the next one be tried first. A
// peer
//    that does not speak the protocol ends the session only where no other node is left to try.
// 7. A peer is taken for one of the original system's until it says otherwise, and gets its tasks
//    one at a time with a pause between (protocol.md, part 2).
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "client/hedging.hpp"
#include "client/outcome.hpp"
#include "client/outstanding.hpp"
#include "client/reconnector.hpp"
#include "net/connection.hpp"
#include "wire/messages.hpp"

namespace fogctl {

struct SessionOptions {
  std::vector<HostPort> nodes;              // at least one; the first is preferred
  Duration timeout{};                       // of a task
  bool retries = true;                      // false: a break or a refusal is the last word
  double hedge = 0;                         // share of the requirement; 0: never
  std::vector<Duration> requirements = {};  // of each stream
};

/// How a task is sent, beside what it is.
struct Sending {
  bool wants_accept = false;
  bool is_copy = false;  // another node got it before
};

class Session {
 public:
  struct Events {
    /// Writes the task message, each time that the task is sent.
    std::function<void(std::string& out, const SentTask& task, Sending how)> write_task;
    /// Writes what a node of fogctl's answers at once.
    std::function<void(std::string& out)> write_question;
    /// Writes to a node that the task is not needed of it any more.
    std::function<void(std::string& out, const SentTask& task)> write_give_up;
    std::function<void(const HostPort& node)> on_connected;  // the first time
    std::function<void(Outcome outcome)> on_outcome;
    std::function<void(std::uint64_t id, double share)> on_progress;  // may be empty
    std::function<void()> on_batch;  // after the outcomes of one read, or of one time-out
    std::function<void(const wire::ErrorMessage& message)> on_node_error;
    std::function<void(std::string_view note)> on_note;  // for a person
    /// No node was to be reached for as long as a task waits. It is still tried for those that do.
    std::function<void(const Error& error)> on_away;
    /// It is over, not by close(); every outcome has been told. Before on_connected: no node could
    /// be connected to. `error` invalid: no node speaks the protocol.
    std::function<void(const Error& error)> on_ended;
  };

  Session(asio::io_context& io, const Clock& clock, SessionOptions options, Random random);

  /// Connects, trying each node once.
  void start(Events events);
  /// A new task, as number `stream`; flush() sends. Its id; ids count from 1.
  std::uint64_t send(std::size_t stream);
  void flush();
  /// True while the node reads more slowly than it is sent to: send no more for the moment.
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] std::size_t in_flight() const { return outstanding_.size(); }
  /// The oldest task fails by what the node said in a message that names no task.
  void fail_oldest(TaskError error);
  /// Gives up what is unanswered, and ends the connections. No event comes after it.
  void close();

  [[nodiscard]] const StrayAnswers& stray() const { return stray_; }
  [[nodiscard]] std::uint64_t sent_again() const { return sent_again_; }    // tasks
  [[nodiscard]] std::uint64_t hedged() const { return hedging_.hedged(); }  // likewise
  [[nodiscard]] std::uint64_t reconnects() const { return connects_ > 0 ? connects_ - 1 : 0; }

 private:
  struct Refusal {
    TaskError error;
    Duration back_off{};
    NodeIndex node = no_node;  // that refused it
    Instant due;               // when it is sent again
  };
  using Due = std::pair<Instant, std::uint64_t>;  // when to send which task

  // Connections.
  void on_attempt(Result<Reconnector::Connected> connected);
  void adopt(Reconnector::Connected connected);
  void open_link(Reconnector::Connected connected);
  [[nodiscard]] Connection::Events events_of(NodeIndex node);
  void on_framing_lost(NodeIndex node, const Error& why);
  void on_turned_away(NodeIndex node, const wire::ErrorMessage& error);
  void lose_link(NodeIndex node, const std::string& why, bool is_tried_first = true);
  [[nodiscard]] NodeIndex best_link() const;
  void move_on();
  void start_away_timer(const std::string& why);
  void on_heard();
  void learn_identity(NodeIndex node, const wire::NodeIdentity& identity);
  [[nodiscard]] const std::string& name_of(NodeIndex node) const;

  // Silence: session_silence.cpp.
  void arm_silence_timer();
  void look_for_silence();
  [[nodiscard]] bool is_silent(NodeIndex node) const;
  [[nodiscard]] bool is_mute(NodeIndex node) const;
  void question(NodeIndex node);
  void leave_mute(NodeIndex node);
  void seek_speaker();

  // Tasks.
  void on_object(NodeIndex node, std::string_view text);
  void on_result(NodeIndex node, const wire::ResultMessage& message);
  void on_progress(NodeIndex node, const wire::Progress& progress);
  bool refuse(NodeIndex node, std::uint64_t id, const wire::ResultMessage& message);
  void send_later(NodeIndex node, std::uint64_t id, const TaskError& error);
  void hasten_refused();
  void send_now(const SentTask& task);
  void send_due();
  void give_up(const SentTask& task);
  void end(const Error& error);
  void stop();

  // Hedging: session_hedging.cpp.
  void await_first_word();
  void arm_word_timer(Duration length);
  void on_first_word();
  [[nodiscard]] NodeIndex node_other_than(NodeIndex node) const;
  void seek_other();
  void seek_other_later();
  void arm_hedge_timer();
  void hedge_due();
  void leave_full();
  void hedge(const SentTask& task, NodeIndex other);
  void on_accepted(NodeIndex node, const wire::Accepted& accepted);
  void give_up_at(NodeIndex node, const SentTask& task);
  bool is_error_of_other(NodeIndex node, std::uint64_t id, const wire::ResultMessage& message);
  [[nodiscard]] bool may_send() const { return current_ != no_node && !awaits_first_word_; }

  // Timers.
  void arm_timer();
  void on_timer();
  void arm_due_timer();

  /// Unsent, beyond which a node reads more slowly than it is sent to.
  static constexpr std::size_t full_bytes = std::size_t{1} << 20;

  const Clock& clock_;
  SessionOptions options_;
  Random random_;
  Reconnector reconnector_;
  Reconnector seeker_;  // of another node, for hedging
  asio::steady_timer timer_;
  asio::steady_timer due_timer_;
  asio::steady_timer away_timer_;
  asio::steady_timer word_timer_;
  asio::steady_timer seek_timer_;
  asio::steady_timer hedge_timer_;
  asio::steady_timer silence_timer_;
  Events events_;

  std::vector<std::shared_ptr<Connection>> links_;  // by node; null: none
  std::vector<bool> has_spoken_;                    // by node, over its link
  std::vector<std::string> ids_;                    // likewise: which of fogctl's it is; or empty
  struct Silence {
    bool is_fogctl = false;   // also of a connection that was lost
    std::uint64_t heard = 0;  // bytes over its link
    int looks = 0;            // since something came
  };
  std::vector<Silence> silence_;  // by node
  NodeIndex sought_ = 0;          // the last that was connected to because another was mute
  std::vector<bool> is_foreign_;  // by node: what it said first was not the protocol
  NodeIndex current_ = no_node;
  NodeIndex last_ = 0;  // the current one, or the last that was
  std::uint64_t connects_ = 0;
  Instant next_move_;
  bool was_heard_ = false;  // some node spoke the protocol
  bool is_away_ = false;    // the connection was lost, and no node was heard since

  Hedging hedging_;
  std::optional<Instant> hedge_timer_at_;
  bool awaits_first_word_ = false;  // of the current node
  Instant word_until_;

  Outstanding outstanding_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>>
      due_;                                              // answered or sent ones may be left
  std::unordered_map<std::uint64_t, Refusal> refusals_;  // of unanswered tasks
  std::uint64_t sent_again_ = 0;
  StrayAnswers stray_;
  json::Object scratch_;
  std::string out_;
  bool timer_armed_ = false;
  std::optional<Instant> due_timer_at_;
  bool ended_ = false;
};

}  // namespace fogctl
