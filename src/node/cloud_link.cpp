#include "node/cloud_link.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

#include "base/log.hpp"
#include "net/dialer.hpp"
#include "net/timer_length.hpp"
#include "scheduling/neighbours.hpp"

namespace fogctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration connect_budget = seconds(3);
/// What is with a cloud that was cut off waits so long before it is placed again.
constexpr Duration longest_silence = seconds(5);
constexpr Duration first_back_off = milliseconds(100);
constexpr Duration longest_back_off = seconds(2);
/// A fogctl cloud says so at once; one that stays silent this long is an original one.
constexpr Duration silence_of_original = milliseconds(300);
/// Objects for an original peer go out this far apart: it loses one that a read splits.
constexpr Duration original_gap = milliseconds(1);
/// What a cloud can run, and what that takes, changes: it is asked again so often.
constexpr Duration kinds_interval = seconds(5);
/// One that was asked, and says nothing at so many looks, is gone. Looks, not time: where this
/// process itself was frozen, what came meanwhile is heard before the second one.
constexpr Duration between_looks = seconds(3);
constexpr int looks_before_loss = 2;

/// However much is to be sent, what comes is read; the Scheduler bounds what is sent.
ConnectionOptions link_options(ConnectionOptions options) {
  options.max_message = longest_reply(options.max_message);
  options.pause_bytes = std::numeric_limits<std::size_t>::max();
  options.drop_bytes = std::numeric_limits<std::size_t>::max();
  return options;
}

}  // namespace

CloudLink::CloudLink(asio::io_context& io, std::vector<HostPort> addresses,
                     ConnectionOptions options, Random random, Events events)
    : io_(io),
      addresses_(std::move(addresses)),
      was_fogctl_(addresses_.size()),
      options_(link_options(options)),
      random_(random),
      events_(std::move(events)),
      timer_(io) {}

void CloudLink::start() {
  dial_now();
}

void CloudLink::stop() {
  is_stopped_ = true;
  timer_.cancel();
  if (connection_) connection_->close("stopping");
}

void CloudLink::dial_now() {
  dial(io_, address(), connect_budget, [this](Result<asio::ip::tcp::socket> socket) {
    if (is_stopped_) return;
    if (socket) return on_connected(std::move(*socket));
    if (!said_away_) {
      log(LogLevel::warning, "no cloud: {}; trying again for ever", socket.error().message);
    }
    said_away_ = true;
    dial_next();
  });
}

/// The next address at once; after the last one the first, after a pause.
void CloudLink::dial_next() {
  current_ = (current_ + 1) % addresses_.size();
  if (current_ == 0) return dial_later();
  dial_now();
}

/// Exponential, with jitter: nodes that lost the same cloud do not come back all at once. One that
/// comes up and breaks again has not shown that it is of use, and is waited for as long.
void CloudLink::dial_later() {
  back_off_ = std::clamp(back_off_ * 2, first_back_off, longest_back_off);
  const double share = 0.5 + random_.unit() / 2;
  timer_.expires_after(timer_length(from_seconds(to_seconds(back_off_) * share)));
  timer_.async_wait([this](asio::error_code error) {
    if (!error && !is_stopped_) dial_now();
  });
}

void CloudLink::on_connected(asio::ip::tcp::socket socket) {
  is_settled_ = false;
  connection_ = std::make_shared<Connection>(std::move(socket), options_);
  connection_->set_patience(longest_silence);
  connection_->start(
      {.on_object = [this](std::string_view text) { on_object(text); },
       .on_batch =
           [this] {
             if (is_settled_) events_.on_batch();
           },
       .on_framing_lost = [this](const Error& why) { connection_->close(why.message); },
       .on_closed = [this](const std::string& why) { on_closed(why); },
       .on_written =
           [this] {
             if (is_settled_ && events_.on_written) events_.on_written();
           }});
  const bool was_fogctl = was_fogctl_[current_];
  timer_.expires_after(timer_length(was_fogctl ? longest_silence : silence_of_original));
  timer_.async_wait([this, was_fogctl](asio::error_code error) {
    if (error || !connection_ || is_settled_) return;
    if (was_fogctl) return connection_->close("it says nothing");
    settle_kind(true, {});
  });
}

void CloudLink::on_object(std::string_view text) {
  auto message = wire::parse_message(text, scratch_);
  if (!message) {
    // Whose answer it was cannot be told: with the link, every task that waits is taken back.
    connection_->close(message.error().message);
  } else if (auto* result = std::get_if<wire::ResultMessage>(&*message)) {
    back_off_ = Duration::zero();
    events_.on_result(std::move(*result));
  } else if (const auto* ready = std::get_if<wire::CloudReady>(&*message)) {
    const bool is_original = ready->identity.protocol < wire::protocol_version;
    if (!is_settled_ || (is_original_ && !is_original)) {
      settle_kind(is_original, ready->identity);
    }
  } else if (std::holds_alternative<wire::FogReady>(*message) && (!is_settled_ || is_original_)) {
    connection_->close("it is a fog node: name it with --peer");
  } else if (auto* kinds = std::get_if<wire::Kinds>(&*message)) {
    awaits_kinds_ = false;
    events_.on_kinds(std::move(kinds->tasks));
    ask_for_kinds_later();
  } else if (const auto* progress = std::get_if<wire::Progress>(&*message)) {
    events_.on_progress(*progress);
  } else if (const auto* error = std::get_if<wire::ErrorMessage>(&*message)) {
    on_error(*error);
  }
}

void CloudLink::on_error(const wire::ErrorMessage& error) {
  const bool is_no_question = error.code == "invalid_message";  // to one that is older than it
  if (is_no_question && std::exchange(awaits_kinds_, false)) return events_.on_kinds(first_kinds());
  connection_->close("it says: " + error.code + ": " + error.message);
}

void CloudLink::settle_kind(bool is_original, const wire::NodeIdentity& who) {
  is_settled_ = true;
  is_original_ = is_original;
  was_fogctl_[current_] = !is_original;
  timer_.cancel();
  connection_->set_pacing(is_original ? original_gap : Duration::zero());
  name_ = who.name;
  log(LogLevel::info, "cloud {} is up ({})", to_string(address()),
      is_original ? "an original one" : name_);
  said_away_ = false;
  events_.on_up(is_original, who.max_message > 0 ? who.max_message : no_limit);
  if (!is_original) ask_for_kinds();
}

void CloudLink::ask_for_kinds() {
  awaits_kinds_ = true;
  buffer_.clear();
  wire::append_kinds_query(buffer_);
  connection_->send(buffer_);
  connection_->flush();
  heard_ = connection_->read_bytes();
  silent_looks_ = 0;
  await_word();
}

/// What is still on its way there may be long, and the link slow: the kernel watches that.
void CloudLink::await_word() {
  timer_.expires_after(timer_length(between_looks));
  timer_.async_wait([this](asio::error_code error) {
    if (error || !connection_ || !is_settled_) return;
    const std::uint64_t heard = std::exchange(heard_, connection_->read_bytes());
    const bool is_silent = heard == heard_ && connection_->is_delivered();
    silent_looks_ = is_silent ? silent_looks_ + 1 : 0;
    if (silent_looks_ < looks_before_loss) return await_word();
    connection_->close("it says nothing, though it was asked");
  });
}

void CloudLink::ask_for_kinds_later() {
  timer_.expires_after(timer_length(kinds_interval));
  timer_.async_wait([this](asio::error_code error) {
    if (error || !connection_ || !is_settled_) return;
    back_off_ = Duration::zero();
    ask_for_kinds();
  });
}

void CloudLink::on_closed(const std::string& why) {
  const bool was_up = std::exchange(is_settled_, false);
  connection_.reset();
  timer_.cancel();
  if (is_stopped_) return;
  if (!said_away_) log(LogLevel::warning, "lost the cloud {}: {}", to_string(address()), why);
  said_away_ = true;
  if (was_up) {
    current_ = 0;
    events_.on_down();
    return dial_later();
  }
  dial_next();
}

void CloudLink::send(const Task& task, std::int64_t id) {
  if (!connection_) return;  // on_down follows, and takes the task back
  buffer_.clear();
  wire::append_task(buffer_, task, std::to_string(id));
  connection_->send(buffer_);
}

void CloudLink::send_text(std::string_view objects) {
  if (connection_ && !is_original_) connection_->send(objects);
}

void CloudLink::flush() {
  if (connection_) connection_->flush();
}

std::size_t CloudLink::unsent_bytes() const {
  return connection_ ? connection_->unsent_bytes() : 0;
}

Duration CloudLink::round_trip() const {
  return connection_ ? connection_->round_trip() : Duration::zero();
}

}  // namespace fogctl
