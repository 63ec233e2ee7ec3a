#include "client/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <csignal>
#include <deque>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "base/counted.hpp"
#include "base/random.hpp"
#include "client/session.hpp"
#include "json/json.hpp"
#include "net/timer_length.hpp"
#include "wire/messages.hpp"

namespace fogctl {
namespace {

constexpr Duration progress_interval = std::chrono::milliseconds(200);
/// A load wakes up no more often than this and sends what is due by then.
constexpr Duration shortest_pause = std::chrono::milliseconds(1);
constexpr std::uint64_t node_errors_shown = 5;
/// 54 random bits before a task's number: short enough together for a std::string to hold without
/// allocating.
constexpr std::size_t uid_prefix_size = 9;

Task task_of(const TaskStream& stream, const ClientPlan& plan) {
  Task task;
  task.name = stream.name;
  task.weight = stream.weight.value_or(TaskClass::light);
  task.content = plan.contents.front();
  task.cloud_processing = plan.to_cloud;
  task.time_requirement = stream.requirement;
  task.time_requirement_text.clear();
  json::append_number(task.time_requirement_text, to_seconds(stream.requirement));
  return task;
}

SessionOptions options_for(const ClientPlan& plan) {
  SessionOptions options{plan.nodes, plan.timeout, plan.retries};
  options.hedge = plan.to_cloud ? 0 : plan.hedge;
  for (const TaskStream& stream : plan.streams) options.requirements.push_back(stream.requirement);
  return options;
}

class Runner {
 public:
  Runner(const ClientPlan& plan, const Clock& clock, ClientEvents events);
  Result<Report> run();

 private:
  [[nodiscard]] Session::Events session_events();
  void on_connected(const HostPort& node);
  void write_task(std::string& out, const SentTask& sent, Sending how);
  [[nodiscard]] std::string uid_of(std::uint64_t id) const;
  void pump();
  void send_due();
  void fill_window();
  void send(std::size_t stream);
  void wake_at(Instant when);
  void on_outcome(Outcome outcome);
  void deliver_in_order(Outcome outcome);
  void on_node_error(const wire::ErrorMessage& message);
  void on_away(const Error& error);
  void on_ended(const Error& error);
  void wait_for_signal();
  void on_signal();
  void show_progress();
  void stop_sending_short();
  void finish();
  void note(std::string_view text) const;

  const ClientPlan& plan_;
  const Clock& clock_;
  ClientEvents events_;
  const Sequence* sequence_;  // in plan_, or null for a load

  asio::io_context io_{1};
  asio::signal_set signals_{io_};
  asio::steady_timer wake_timer_{io_};
  asio::steady_timer progress_timer_{io_};
  Random random_{entropy()};
  std::string uid_prefix_ = random_short_id(random_).substr(0, uid_prefix_size);
  Session session_;
  bool was_connected_ = false;

  std::vector<Task> tasks_;  // one for each stream: what does not change from task to task
  std::optional<Schedule> schedule_;
  std::uint64_t sent_ = 0;
  bool sending_ = true;
  bool finished_ = false;
  bool is_interrupted_ = false;                     // ended by a signal, whatever is unanswered
  std::deque<std::optional<Outcome>> undelivered_;  // of a sequence, by id
  std::uint64_t delivered_ = 0;                     // ids up to this

  Instant started_;
  Instant last_outcome_;
  std::optional<Error> connect_error_;
  Report report_;
};

Runner::Runner(const ClientPlan& plan, const Clock& clock, ClientEvents events)
    : plan_(plan),
      clock_(clock),
      events_(std::move(events)),
      sequence_(std::get_if<Sequence>(&plan.pace)),
      session_(io_, clock, options_for(plan), random_) {
  FOGCTL_CHECK(!plan.streams.empty() && !plan.contents.empty());
  for (const TaskStream& stream : plan.streams) {
    tasks_.push_back(task_of(stream, plan));
    report_.classes.push_back({stream.name, stream.weight, {}});
  }
}

Result<Report> Runner::run() {
  signals_.add(SIGINT);
  signals_.add(SIGTERM);
  wait_for_signal();
  session_.start(session_events());
  io_.run();
  if (connect_error_) return std::unexpected(*connect_error_);
  report_.stray = session_.stray();
  report_.sent_again = session_.sent_again();
  report_.hedged = session_.hedged();
  report_.reconnects = session_.reconnects();
  report_.elapsed = std::max(last_outcome_ - started_, Duration::zero());
  return std::move(report_);
}

Session::Events Runner::session_events() {
  Session::Events events;
  events.write_task = [this](std::string& out, const SentTask& sent, Sending how) {
    write_task(out, sent, how);
  };
  events.write_give_up = [this](std::string& out, const SentTask& sent) {
    wire::append_cancel_copy(out, uid_of(sent.id));
  };
  events.write_question = [](std::string& out) { wire::append_kinds_query(out); };
  events.on_connected = [this](const HostPort& node) { on_connected(node); };
  events.on_outcome = [this](Outcome outcome) { on_outcome(std::move(outcome)); };
  if (events_.on_task_progress) {
    events.on_progress = [this](std::uint64_t, double share) { events_.on_task_progress(share); };
  }
  // A load that is still sending goes by its own timer.
  events.on_batch = [this] {
    if (!sending_ || sequence_ != nullptr) pump();
  };
  events.on_node_error = [this](const wire::ErrorMessage& message) { on_node_error(message); };
  events.on_note = [this](std::string_view text) { note(text); };
  events.on_away = [this](const Error& error) { on_away(error); };
  events.on_ended = [this](const Error& error) { on_ended(error); };
  return events;
}

void Runner::on_connected(const HostPort& node) {
  was_connected_ = true;
  report_.address = to_string(node);
  started_ = clock_.now();
  last_outcome_ = started_;
  if (const auto* load = std::get_if<Load>(&plan_.pace)) {
    std::vector<Rate> rates;
    rates.reserve(plan_.streams.size());
    for (const TaskStream& stream : plan_.streams) rates.push_back(stream.rate);
    schedule_.emplace(rates, started_, load->length);
  }
  if (events_.on_progress) show_progress();
  pump();
}

/// Sends what may go out now; ends the run when nothing is left to send or to wait for.
void Runner::pump() {
  if (finished_) return;
  if (sending_ && schedule_) send_due();
  if (sending_ && sequence_ != nullptr) fill_window();
  session_.flush();
  if (!sending_ && session_.in_flight() == 0) finish();
}

void Runner::send_due() {
  const Instant now = clock_.now();
  while (!session_.is_full()) {
    const auto stream = schedule_->take(now);
    if (!stream) break;
    send(*stream);
  }
  const auto next = schedule_->next_due();
  if (next && now < schedule_->end()) return wake_at(std::max(*next, now + shortest_pause));
  // What the node did not let the client send while the load lasted is not sent after it.
  stop_sending_short();
}

void Runner::fill_window() {
  const std::uint64_t limit = std::min(sequence_->count, delivered_ + sequence_->window);
  while (sent_ < limit && !session_.is_full()) send(0);
  sending_ = sent_ < sequence_->count;
}

void Runner::send(std::size_t stream) {
  session_.send(stream);
  report_.classes[stream].statistics.add_sent();
  ++sent_;
  if (sequence_ != nullptr) undelivered_.emplace_back();
}

std::string Runner::uid_of(std::uint64_t id) const {
  return plan_.uid.empty() ? fmt::format("{}{:x}", uid_prefix_, id) : plan_.uid;
}

/// The same each time that it is sent, but for how it is.
void Runner::write_task(std::string& out, const SentTask& sent, Sending how) {
  Task& task = tasks_[sent.stream];
  if (plan_.contents.size() > 1)
    task.content = plan_.contents[(sent.id - 1) % plan_.contents.size()];
  task.uid = uid_of(sent.id);
  task.is_copy = how.is_copy;
  task.sending_time = wire::wall_time_text(clock_.wall_now() - (clock_.now() - sent.sent));
  task.other_fields.clear();
  if (events_.on_task_progress) task.other_fields.emplace_back("want_progress", "true");
  if (how.wants_accept) task.other_fields.emplace_back("want_accept", "true");
  wire::append_task(out, task, fmt::to_string(sent.id),
                    {.has_class = plan_.streams[sent.stream].weight.has_value()});
}

void Runner::wake_at(Instant when) {
  wake_timer_.expires_after(timer_length(when - clock_.now()));
  wake_timer_.async_wait([this](asio::error_code error) {
    if (!error) pump();
  });
}

void Runner::on_outcome(Outcome outcome) {
  last_outcome_ = clock_.now();
  const bool is_of_load = sequence_ == nullptr && outcome.kind != Outcome::Kind::done;
  if (is_of_load && report_.failed_uids.size() < most_failed_uids) {
    report_.failed_uids.push_back(uid_of(outcome.id));
  }
  ClassReport& report = report_.classes[outcome.stream];
  if (outcome.weight) report.weight = outcome.weight;
  Statistics& statistics = report.statistics;
  switch (outcome.kind) {
    case Outcome::Kind::done:
      statistics.add_done({.response = outcome.response,
                           .execution = outcome.execution,
                           .requirement = plan_.streams[outcome.stream].requirement,
                           .site = outcome.site});
      break;
    case Outcome::Kind::failed: {
      statistics.add_failed();
      FailureReason& reason = report_.failures[outcome.error.code];
      if (reason.count++ == 0) reason.first_message = outcome.error.message;
      break;
    }
    case Outcome::Kind::lost:
      statistics.add_lost();
      break;
  }
  if (sequence_ == nullptr) return;
  const bool is_lost = outcome.kind == Outcome::Kind::lost;
  if (is_lost && is_interrupted_) outcome.interrupted_uid = uid_of(outcome.id);
  deliver_in_order(std::move(outcome));
}

void Runner::deliver_in_order(Outcome outcome) {
  undelivered_[outcome.id - delivered_ - 1] = std::move(outcome);
  while (!undelivered_.empty() && undelivered_.front()) {
    if (events_.on_outcome) events_.on_outcome(*undelivered_.front());
    undelivered_.pop_front();
    ++delivered_;
  }
}

void Runner::on_node_error(const wire::ErrorMessage& message) {
  if (++report_.node_errors <= node_errors_shown) {
    note(fmt::format("the node says: {}: {}", message.code, message.message));
  }
  // The message names no task; where only one is on its way, that is the one it means.
  if (sequence_ == nullptr || session_.in_flight() != 1) return;
  const auto code = parse_task_error_code(message.code);
  session_.fail_oldest({code.value_or(TaskErrorCode::task_failed),
                        code ? message.message : message.code + ": " + message.message});
}

/// What was sent may still be answered; more is not sent to nobody.
void Runner::on_away(const Error& error) {
  if (!sending_) return;
  report_.ended_early = error.message;
  stop_sending_short();
  if (session_.in_flight() == 0) finish();
}

void Runner::on_ended(const Error& error) {
  if (!was_connected_) {
    connect_error_ = error;
    return finish();
  }
  report_.ended_early = error.message;
  if (sending_) stop_sending_short();
  finish();
}

/// Ends the sending; what was asked for and did not go out is counted.
void Runner::stop_sending_short() {
  sending_ = false;
  report_.not_sent += sequence_ != nullptr ? sequence_->count - sent_ : schedule_->remaining();
}

void Runner::wait_for_signal() {
  signals_.async_wait([this](asio::error_code error, int) {
    if (error) return;
    on_signal();
    if (!finished_) wait_for_signal();
  });
}

void Runner::on_signal() {
  if (!was_connected_) {
    connect_error_ = Error{ErrorCode::failed, "stopped by a signal while connecting"};
    return finish();
  }
  const std::size_t waiting = session_.in_flight();
  if (!sending_ || waiting == 0) {
    is_interrupted_ = true;
    return finish();
  }
  sending_ = false;
  note(fmt::format("stopping: waiting for {}; interrupt again to end at once",
                   counted(waiting, "answer")));
}

void Runner::show_progress() {
  progress_timer_.expires_after(timer_length(progress_interval));
  progress_timer_.async_wait([this](asio::error_code error) {
    if (error || finished_) return;
    events_.on_progress(total_of(report_));
    show_progress();
  });
}

void Runner::finish() {
  finished_ = true;
  sending_ = false;
  session_.close();
  io_.stop();
}

void Runner::note(std::string_view text) const {
  if (events_.on_note) events_.on_note(text);
}

}  // namespace

Result<Report> run_client(const ClientPlan& plan, const Clock& clock, ClientEvents events) {
  return Runner(plan, clock, std::move(events)).run();
}

}  // namespace fogctl
