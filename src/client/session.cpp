#include "client/session.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "base/check.hpp"
#include "json/json.hpp"

namespace fogctl {
namespace {

constexpr std::size_t full_bytes = std::size_t{1} << 20;
constexpr Duration original_peer_gap = std::chrono::milliseconds(1);

/// A client goes on reading however much it has to send: a node may write first and read then.
ConnectionOptions connection_options() {
  ConnectionOptions options;
  options.max_message = std::size_t{64} << 20;
  options.pause_bytes = std::numeric_limits<std::size_t>::max();
  options.drop_bytes = std::numeric_limits<std::size_t>::max();
  return options;
}

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace

Session::Session(asio::io_context& io, const Clock& clock, asio::ip::tcp::socket socket,
                 Duration timeout)
    : clock_(clock),
      timeout_(timeout),
      connection_(std::make_shared<Connection>(std::move(socket), connection_options())),
      timer_(io) {
  connection_->set_pacing(original_peer_gap);
}

void Session::start(Events events) {
  events_ = std::move(events);
  Connection::Events from_connection;
  from_connection.on_object = [this](std::string_view text) {
    if (!ended_) on_object(text);
  };
  from_connection.on_batch = [this] {
    if (!ended_) events_.on_batch();
  };
  from_connection.on_framing_lost = [this](const Error& why) {
    end({ErrorCode::invalid,
         fmt::format("{} does not speak the protocol of a fog node: {}", peer(), why.message)});
  };
  from_connection.on_closed = [this](const std::string& why) {
    end({ErrorCode::unavailable, fmt::format("the connection to {} broke: {}", peer(), why)});
  };
  connection_->start(std::move(from_connection));
}

std::uint64_t Session::send(const Task& task, std::size_t stream) {
  const std::uint64_t id = outstanding_.add(stream, clock_.now());
  out_.clear();
  wire::append_task(out_, task, fmt::to_string(id));
  connection_->send(out_);
  return id;
}

void Session::flush() {
  connection_->flush();
  arm_timer();
}

bool Session::is_full() const {
  return connection_->unsent_bytes() > full_bytes;
}

void Session::fail_oldest(TaskError error) {
  const auto sent = outstanding_.give_up_oldest();
  Outcome outcome;
  outcome.id = sent.id;
  outcome.stream = sent.stream;
  outcome.kind = Outcome::Kind::failed;
  outcome.error = std::move(error);
  events_.on_outcome(std::move(outcome));
}

void Session::close() {
  if (ended_) return;
  ended_ = true;
  give_up_all();
  timer_.cancel();
  connection_->close("done");
}

void Session::on_object(std::string_view text) {
  const auto message = wire::parse_message(text, scratch_);
  if (!message) {
    ++stray_.unknown;
    return;
  }
  std::visit(Overloaded{
                 [this](const wire::ResultMessage& result) { on_result(result); },
                 [this](const wire::ErrorMessage& error) { events_.on_node_error(error); },
                 [this](const wire::FogReady& ready) { learn_protocol(ready.identity.protocol); },
                 [this](const wire::CloudReady& ready) { learn_protocol(ready.identity.protocol); },
                 [](const auto&) {},
             },
             *message);
}

void Session::on_result(const wire::ResultMessage& message) {
  const auto id = json::read_integer(message.task_id);
  const auto answer = outstanding_.take(id && *id > 0 ? static_cast<std::uint64_t>(*id) : 0);
  switch (answer.match) {
    case Outstanding::Match::unknown:
      ++stray_.unknown;
      return;
    case Outstanding::Match::repeated:
      ++stray_.repeated;
      return;
    case Outstanding::Match::late:
      ++stray_.late;
      return;
    case Outstanding::Match::first:
      break;
  }
  Outcome outcome;
  outcome.id = answer.task.id;
  outcome.stream = answer.task.stream;
  outcome.content = message.result.content;
  outcome.node = message.result.node;
  outcome.response = clock_.now() - answer.task.sent;
  outcome.execution = message.result.execution_time;
  outcome.site = site_of(json::read_string(message.process_by).value_or(""), message.offload_times);
  outcome.kind = message.result.error ? Outcome::Kind::failed : Outcome::Kind::done;
  if (message.result.error) outcome.error = *message.result.error;
  events_.on_outcome(std::move(outcome));
}

void Session::learn_protocol(int protocol) {
  if (protocol >= wire::protocol_version) connection_->set_pacing(Duration::zero());
}

void Session::end(const Error& error) {
  if (ended_) return;
  ended_ = true;
  give_up_all();
  timer_.cancel();
  connection_->close("done");
  events_.on_ended(error);
}

void Session::give_up_all() {
  while (!outstanding_.is_empty()) lose(outstanding_.give_up_oldest());
}

/// One timer for all: every task has the same time-out, so the oldest one is given up first.
void Session::arm_timer() {
  const auto oldest = outstanding_.oldest_sent();
  if (timer_armed_ || ended_ || !oldest) return;
  timer_armed_ = true;
  const Duration left = *oldest + timeout_ - clock_.now();
  timer_.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(left));
  timer_.async_wait([this](asio::error_code error) {
    timer_armed_ = false;
    if (!error && !ended_) on_timer();
  });
}

void Session::on_timer() {
  const Instant now = clock_.now();
  bool any = false;
  while (outstanding_.oldest_sent() && *outstanding_.oldest_sent() + timeout_ <= now) {
    lose(outstanding_.give_up_oldest());
    any = true;
  }
  arm_timer();
  if (any) events_.on_batch();
}

void Session::lose(const SentTask& task) {
  Outcome outcome;
  outcome.id = task.id;
  outcome.stream = task.stream;
  outcome.kind = Outcome::Kind::lost;
  events_.on_outcome(std::move(outcome));
}

}  // namespace fogctl
