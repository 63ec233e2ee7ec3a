// The tasks of a session: sent, answered, sent again, given up.
#include "client/session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "json/json.hpp"
#include "net/timer_length.hpp"

namespace fogctl {
namespace {

/// Without a connection, so many tasks may wait for one.
constexpr std::size_t most_waiting = 1'000'000;
/// A node that reads slowly is asked again so soon whether it takes more.
constexpr Duration full_pause = std::chrono::milliseconds(5);

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

bool may_pass(TaskErrorCode code) {
  return code == TaskErrorCode::unavailable || code == TaskErrorCode::overloaded;
}

Outcome outcome_of(const SentTask& task, const wire::ResultMessage& message, Instant now) {
  Outcome outcome;
  outcome.id = task.id;
  outcome.stream = task.stream;
  outcome.weight = parse_task_class(json::read_string(message.task_type).value_or(""));
  outcome.content = message.result.content;
  outcome.is_base64 = message.result.is_base64;
  outcome.node = message.result.node;
  outcome.response = now - task.sent;
  outcome.execution = message.result.execution_time;
  outcome.site = site_of(json::read_string(message.process_by).value_or(""), message.offload_times);
  outcome.kind = message.result.error ? Outcome::Kind::failed : Outcome::Kind::done;
  if (message.result.error) outcome.error = *message.result.error;
  return outcome;
}

}  // namespace

std::uint64_t Session::send(std::size_t stream) {
  const Instant now = clock_.now();
  const std::uint64_t id = outstanding_.add(stream, now);
  if (may_send() && due_.empty()) {
    send_now({id, stream, now});
  } else {
    due_.emplace(now, id);
  }
  return id;
}

void Session::flush() {
  if (ended_) return;
  send_due();
  if (current_ != no_node) links_[current_]->flush();
  arm_timer();
  arm_due_timer();
  arm_hedge_timer();
}

bool Session::is_full() const {
  if (current_ == no_node) return outstanding_.size() >= most_waiting;
  return links_[current_]->unsent_bytes() > full_bytes;
}

void Session::fail_oldest(TaskError error) {
  const auto sent = outstanding_.give_up_oldest();
  refusals_.erase(sent.id);
  Outcome outcome;
  outcome.id = sent.id;
  outcome.stream = sent.stream;
  outcome.kind = Outcome::Kind::failed;
  outcome.error = std::move(error);
  events_.on_outcome(std::move(outcome));
}

void Session::on_object(NodeIndex node, std::string_view text) {
  const auto message = wire::parse_message(text, scratch_);
  if (!message) {
    ++stray_.unknown;
    return;
  }
  const auto* reason = std::get_if<wire::ErrorMessage>(&*message);
  if (reason != nullptr && reason->code == "overloaded" && options_.retries) {
    return on_turned_away(node, *reason);
  }
  on_heard();
  has_spoken_[node] = true;
  std::visit(Overloaded{
                 [&](const wire::ResultMessage& result) { on_result(node, result); },
                 [&](const wire::Accepted& accepted) { on_accepted(node, accepted); },
                 [&](const wire::Progress& progress) { on_progress(node, progress); },
                 [&](const wire::ErrorMessage& error) { events_.on_node_error(error); },
                 [&](const wire::FogReady& ready) { learn_identity(node, ready.identity); },
                 [&](const wire::CloudReady& ready) { learn_identity(node, ready.identity); },
                 [](const auto&) {},
             },
             *message);
  if (node == current_ && awaits_first_word_) on_first_word();
}

void Session::on_progress(NodeIndex node, const wire::Progress& progress) {
  const auto number = json::read_integer(progress.task_id);
  if (!number || *number <= 0 || !events_.on_progress) return;
  const auto open = outstanding_.find(static_cast<std::uint64_t>(*number));
  if (open && open->node == node) events_.on_progress(open->task.id, progress.share);
}

void Session::on_result(NodeIndex node, const wire::ResultMessage& message) {
  const auto number = json::read_integer(message.task_id);
  const std::uint64_t id = number && *number > 0 ? static_cast<std::uint64_t>(*number) : 0;
  if (is_error_of_other(node, id, message) || refuse(node, id, message)) return;
  const auto answer = outstanding_.take(id);
  switch (answer.match) {
    case Outstanding::Match::unknown:
      ++stray_.unknown;
      return;
    case Outstanding::Match::repeated:
      if (!hedging_.is_known(id)) ++stray_.repeated;
      return;
    case Outstanding::Match::late:
      ++stray_.late;
      return;
    case Outstanding::Match::first:
      break;
  }
  refusals_.erase(id);
  for (const NodeIndex has : {answer.node, answer.other}) {
    if (has != node) give_up_at(has, answer.task);
  }
  events_.on_outcome(outcome_of(answer.task, message, clock_.now()));
}

/// Where the result is not the last word on the task: the node cannot take it just now, and there
/// is time left. Also that of a node which has it no more.
bool Session::refuse(NodeIndex node, std::uint64_t id, const wire::ResultMessage& message) {
  if (!options_.retries || !message.result.error || !may_pass(message.result.error->code)) {
    return false;
  }
  const auto open = outstanding_.find(id);
  const Instant now = clock_.now();
  if (!open || open->task.sent + options_.timeout <= now) return false;
  if (open->node != node) return true;
  if (!outstanding_.take_back(id)) send_later(node, id, *message.result.error);
  if (node == current_) move_on();
  return true;
}

/// After a back-off, or, where the task goes to the node that refused it, when that one said.
void Session::send_later(NodeIndex node, std::uint64_t id, const TaskError& error) {
  Refusal& refusal = refusals_[id];
  refusal.error = error;
  refusal.back_off = back_off_after(refusal.back_off);
  refusal.node = node;
  const Duration pause =
      node == current_ ? believed_pause(error.retry_after, refusal.back_off) : refusal.back_off;
  // Past the end of its time the task is not open any more.
  refusal.due = clock_.now() + std::min(pause, options_.timeout);
  due_.emplace(refusal.due, id);
  arm_due_timer();
}

/// Another node is the current one now: what was refused does not wait for as long as the one that
/// refused it said.
void Session::hasten_refused() {
  const Instant now = clock_.now();
  for (auto& [id, refusal] : refusals_) {
    const Instant due = now + refusal.back_off;
    if (refusal.node == current_ || refusal.due <= due) continue;
    refusal.due = due;
    due_.emplace(due, id);
  }
}

void Session::send_now(const SentTask& task) {
  out_.clear();
  const bool may_hedge = hedging_.is_on() && !ids_[current_].empty();
  events_.write_task(out_, task, {.wants_accept = may_hedge});
  links_[current_]->send(out_);
  if (outstanding_.give_to(task.id, current_)) ++sent_again_;
  if (!may_hedge) return;
  hedging_.drop_settled(task.stream, outstanding_);
  hedging_.on_sent(task.id, task.stream, clock_.now());
}

void Session::send_due() {
  const Instant now = clock_.now();
  while (may_send() && !due_.empty() && due_.top().first <= now && !is_full()) {
    const auto open = outstanding_.find(due_.top().second);
    due_.pop();
    if (open && open->node == no_node) send_now(open->task);
  }
}

/// Its time is over, or everything is.
void Session::give_up(const SentTask& task) {
  Outcome outcome;
  outcome.id = task.id;
  outcome.stream = task.stream;
  outcome.kind = Outcome::Kind::lost;
  if (const auto refusal = refusals_.find(task.id); refusal != refusals_.end()) {
    outcome.kind = Outcome::Kind::failed;
    outcome.error = std::move(refusal->second.error);
    refusals_.erase(refusal);
  }
  events_.on_outcome(std::move(outcome));
}

void Session::close() {
  if (!ended_) stop();
}

void Session::end(const Error& error) {
  if (ended_) return;
  stop();
  events_.on_ended(error);
}

void Session::stop() {
  ended_ = true;
  while (!outstanding_.is_empty()) give_up(outstanding_.give_up_oldest());
  timer_.cancel();
  due_timer_.cancel();
  for (auto* timer : {&away_timer_, &word_timer_, &seek_timer_, &hedge_timer_, &silence_timer_}) {
    timer->cancel();
  }
  reconnector_.stop();
  seeker_.stop();
  for (const auto& link : links_) {
    if (link) link->close("done");
  }
}

/// One timer for all: every task has the same time-out, so the oldest one is given up first.
void Session::arm_timer() {
  const auto oldest = outstanding_.oldest_sent();
  if (timer_armed_ || ended_ || !oldest) return;
  timer_armed_ = true;
  timer_.expires_after(timer_length(*oldest + options_.timeout - clock_.now()));
  timer_.async_wait([this](asio::error_code error) {
    timer_armed_ = false;
    if (!error && !ended_) on_timer();
  });
}

void Session::on_timer() {
  const Instant now = clock_.now();
  bool any = false;
  while (outstanding_.oldest_sent() && *outstanding_.oldest_sent() + options_.timeout <= now) {
    give_up(outstanding_.give_up_oldest());
    any = true;
  }
  arm_timer();
  if (any) events_.on_batch();
}

/// For what is to be sent later; without a connection the next one sends it.
void Session::arm_due_timer() {
  if (ended_ || !may_send() || due_.empty()) return;
  const Instant now = clock_.now();
  Instant at = due_.top().first;
  if (at <= now) at = now + full_pause;
  if (due_timer_at_ && *due_timer_at_ <= at) return;
  due_timer_at_ = at;
  due_timer_.expires_after(timer_length(at - now));
  due_timer_.async_wait([this](asio::error_code error) {
    if (error || ended_) return;
    due_timer_at_.reset();
    flush();
  });
}

}  // namespace fogctl
