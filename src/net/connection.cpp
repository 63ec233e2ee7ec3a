#include "net/connection.hpp"

#include <fmt/format.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <asio/post.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <utility>

#include "net/address.hpp"
#include "net/timer_length.hpp"

namespace fogctl {
namespace {

constexpr std::size_t first_chunk = std::size_t{4} << 10;      // idle connections stay small
constexpr std::size_t largest_chunk = std::size_t{256} << 10;  // busy ones read much at once
constexpr std::chrono::seconds longest_goodbye(1);
/// A client that waits for no more than this many objects gets each in a write of its own, since
/// the original one loses an object that a read of 1,024 bytes splits; others get them together.
constexpr std::size_t few_objects = 3;

void set_socket_options(asio::ip::tcp::socket& socket) {
  asio::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  // A peer whose machine vanished is found out within some 15 s, not the kernel's two hours.
  const auto set = [&](int option, int value) {
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
  };
  set(TCP_KEEPIDLE, 5);
  set(TCP_KEEPINTVL, 5);
  set(TCP_KEEPCNT, 2);
  set(TCP_USER_TIMEOUT, 15'000);
}

std::string describe_peer(const asio::ip::tcp::socket& socket) {
  asio::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? "a peer that is gone" : to_string(endpoint);
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, const ConnectionOptions& options)
    : socket_(std::move(socket)),
      pace_timer_(socket_.get_executor()),
      linger_timer_(socket_.get_executor()),
      options_(options),
      peer_(describe_peer(socket_)) {
  asio::error_code ignored;
  peer_host_ = socket_.remote_endpoint(ignored).address().to_string();
  own_host_ = socket_.local_endpoint(ignored).address().to_string();
  set_socket_options(socket_);
}

void Connection::start(Events events) {
  events_ = std::move(events);
  read();
}

/// What comes after the end is thrown away, and waits for nothing.
bool Connection::may_read() const {
  if (ending_) return !is_flooded();
  return !paused_ && (keeps_reading_ || unsent_ <= options_.pause_bytes);
}

void Connection::resume() {
  paused_ = false;
  read();
}

void Connection::keep_reading(std::size_t drop_bytes) {
  keeps_reading_ = true;
  options_.drop_bytes = drop_bytes;
  read();
}

void Connection::read() {
  if (!open_ || reading_ || !may_read()) return;
  if (in_size_ == in_.size()) in_.resize(std::max(first_chunk, in_.size() * 2));
  reading_ = true;
  socket_.async_read_some(
      asio::buffer(in_.data() + in_size_, in_.size() - in_size_),
      [self = shared_from_this()](asio::error_code error, std::size_t bytes) {
        if (!self->open_) return;
        if (error) {
          return self->close(error == asio::error::eof ? "closed by peer" : error.message());
        }
        if (self->ending_) {
          self->discard(bytes);
        } else {
          self->on_read(bytes);
        }
        self->read_ += bytes;
        self->reading_ = false;  // not before: what on_read calls must not read into its buffer
        self->read();
      });
}

void Connection::on_read(std::size_t bytes) {
  const bool was_full = in_size_ + bytes == in_.size();
  in_size_ += bytes;
  const std::size_t consumed = deliver_objects();
  if (!open_) return;
  if (consumed > 0) {  // else a long object would be moved with every piece of it that comes
    std::copy(in_.begin() + static_cast<std::ptrdiff_t>(consumed),
              in_.begin() + static_cast<std::ptrdiff_t>(in_size_), in_.begin());
    in_size_ -= consumed;
    scanner_.discard(consumed);
  }
  make_room(was_full);
  if (events_.on_batch) events_.on_batch();
  flush();
}

/// A busy connection reads more at once, up to a bound; beyond it goes only one that is in the
/// midst of a long object, and not for longer than that.
void Connection::make_room(bool was_full) {
  if (was_full && in_.size() < largest_chunk) in_.resize(in_.size() * 2);
  if (in_.size() <= largest_chunk || in_size_ > largest_chunk / 2) return;
  in_.resize(largest_chunk);
  in_.shrink_to_fit();
}

/// What is left to write is still written, though nothing more is read.
void Connection::discard(std::size_t bytes) {
  discarded_ += bytes;
  if (is_flooded() && unsent_ == 0) close("it goes on sending after the end");
}

/// Hands on every complete object that was read; how many bytes are then done with.
std::size_t Connection::deliver_objects() {
  using Outcome = json::ObjectScanner::Outcome;
  const std::string_view filled(in_.data(), in_size_);
  while (open_ && !ending_) {
    const auto step = scanner_.next(filled);
    if (step.outcome == Outcome::lost) {
      lose_framing("expected '{' where an object begins");
    } else if (step.end - step.begin > options_.max_message) {
      lose_framing(fmt::format("object longer than {} bytes", options_.max_message));
    } else if (step.outcome == Outcome::incomplete) {
      return step.begin;
    } else {
      events_.on_object(filled.substr(step.begin, step.end - step.begin));
    }
  }
  return in_size_;
}

void Connection::lose_framing(const std::string& why) {
  if (events_.on_framing_lost) events_.on_framing_lost({ErrorCode::invalid, why});
  close_when_written();
}

void Connection::send(std::string_view objects) {
  if (!open_) return;
  out_ += objects;
  unsent_ += objects.size();
  if (unsent_ > options_.drop_bytes) close("it does not read what is sent to it");
}

void Connection::set_pacing(Duration gap) {
  gap_ = gap;
}

void Connection::flush() {
  if (!open_ || writing_now_ || out_.empty()) return;
  writing_now_ = true;
  writing_.clear();
  std::swap(writing_, out_);
  written_ = 0;
  write_next();
}

/// Writes all, or the next object alone where the peer could lose one that a read splits.
void Connection::write_next() {
  const std::string_view left = std::string_view(writing_).substr(written_);
  const bool one_by_one =
      gap_ > Duration::zero() || std::ranges::count(left, '\n') <= std::ptrdiff_t{few_objects};
  const std::size_t end = one_by_one ? left.find('\n') + 1 : left.size();
  asio::async_write(socket_, asio::buffer(left.data(), end == 0 ? left.size() : end),
                    [self = shared_from_this()](asio::error_code error, std::size_t bytes) {
                      if (!self->open_) return;
                      if (error) return self->close(error.message());
                      self->written_ += bytes;
                      self->unsent_ -= bytes;
                      self->on_written();
                    });
}

/// The gap follows each write, the last one too: what is sent next must not come too close.
void Connection::on_written() {
  read();
  if (events_.on_written) events_.on_written();
  if (!open_) return;
  if (gap_ == Duration::zero()) return write_more();
  pace_timer_.expires_after(timer_length(gap_));
  pace_timer_.async_wait([self = shared_from_this()](asio::error_code error) {
    if (!error && self->open_) self->write_more();
  });
}

void Connection::write_more() {
  if (written_ < writing_.size()) return write_next();
  if (!out_.empty()) {
    std::swap(writing_, out_);
    out_.clear();
    written_ = 0;
    return write_next();
  }
  writing_now_ = false;
  if (writing_.capacity() > largest_chunk) std::string().swap(writing_);
  if (ending_) end_writing();
}

void Connection::close_when_written() {
  if (!open_ || ending_) return;
  ending_ = true;
  linger_timer_.expires_after(longest_goodbye);
  linger_timer_.async_wait([self = shared_from_this()](asio::error_code error) {
    if (!error) self->close("done");
  });
  flush();
  if (!writing_now_) end_writing();
  read();
}

/// Says that nothing more comes, and goes on reading what the peer still sends until it closes
/// too: closing with unread bytes would reset the connection and take the last answer with it. A
/// peer that sends without end does not wait for that answer.
void Connection::end_writing() {
  if (is_flooded()) return close("it goes on sending after the end");
  asio::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void Connection::close(const std::string& why) {
  if (!open_) return;
  open_ = false;
  asio::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
  pace_timer_.cancel();
  linger_timer_.cancel();
  // The caller may be inside one of the events: they end, and are let go of, only after it.
  asio::post(socket_.get_executor(), [self = shared_from_this(), why] {
    const Events events = std::exchange(self->events_, Events{});
    if (events.on_closed) events.on_closed(why);
  });
}

void Connection::set_patience(Duration longest_silence) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(longest_silence).count();
  const auto set = [&](int option, int value) {
    ::setsockopt(socket_.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
  };
  set(TCP_USER_TIMEOUT, static_cast<int>(ms));
  // Idle, it is asked each second from the second one on.
  set(TCP_KEEPIDLE, 2);
  set(TCP_KEEPINTVL, 1);
  set(TCP_KEEPCNT, std::max(1, static_cast<int>(ms / 1000) - 2));
}

void Connection::acknowledge_now() {
  const int on = 1;
  if (open_) ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

int Connection::descriptor() const {
  return const_cast<asio::ip::tcp::socket&>(socket_).native_handle();
}

bool Connection::is_delivered() const {
  int waiting = 0;  // in the kernel, not acknowledged
  return unsent_ == 0 && ::ioctl(descriptor(), SIOCOUTQ, &waiting) == 0 && waiting == 0;
}

Duration Connection::round_trip() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(descriptor(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return Duration::zero();
  return std::chrono::microseconds(info.tcpi_rtt);
}

}  // namespace fogctl
