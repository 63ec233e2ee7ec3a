// One TCP connection that carries JSON objects: frames what comes, writes what is sent. For
// servers, links and clients alike. Belongs to the thread that runs its io_context.
//
// Memory is bounded: while more than `pause_bytes` wait to be written, nothing more is read, and
// past `drop_bytes` the connection is closed. A peer that never reads costs no more than that. What
// a long object took is given back after it. So is work for nothing bounded: of what comes after
// the end no more than `discard_bytes` are read. Two nodes that each wait for the other to read
// would wait for ever: a link between nodes goes on reading, and who sends looks at unsent_bytes().
#pragma once

#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "json/scanner.hpp"

namespace fogctl {

struct ConnectionOptions {
  std::size_t max_message = std::size_t{1} << 20;
  std::size_t pause_bytes = std::size_t{1} << 20;
  std::size_t drop_bytes = std::size_t{64} << 20;
  std::size_t discard_bytes = std::size_t{16} << 20;
};

/// The longest content that a node answers with to an object of `longest` bytes: as long, with
/// every byte of it escaped.
[[nodiscard]] constexpr std::size_t longest_content(std::size_t longest) {
  return longest * 6;
}
/// With all that is around it.
[[nodiscard]] constexpr std::size_t longest_reply(std::size_t longest) {
  return longest_content(longest) + 4096;
}

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// Called on the io_context's thread. They may call send() and close() of this connection.
  struct Events {
    std::function<void(std::string_view object)> on_object;
    std::function<void()> on_batch;                         // after the objects of one read
    std::function<void(const Error& why)> on_framing_lost;  // then it closes once all is written
    std::function<void(const std::string& why)> on_closed;  // once, never from within close()
    std::function<void()> on_written = {};                  // after each write: less is unsent
  };

  Connection(asio::ip::tcp::socket socket, const ConnectionOptions& options);

  /// Starts reading. The connection keeps itself alive until it is closed.
  void start(Events events);

  /// Queues whole objects to be written; flush() hands them to the kernel in one write.
  void send(std::string_view objects);
  void flush();
  /// For a peer that loses objects which a read splits: each object in a write of its own, `gap`
  /// apart, until set to zero again.
  void set_pacing(Duration gap);
  /// Objects of up to so many bytes are taken from now on, in place of max_message.
  void set_longest(std::size_t bytes) { options_.max_message = bytes; }
  [[nodiscard]] std::size_t unsent_bytes() const { return unsent_; }
  /// From now on it is read from however much is unsent; past `drop_bytes` it is closed.
  void keep_reading(std::size_t drop_bytes);
  [[nodiscard]] bool keeps_reading() const { return keeps_reading_; }
  /// All that was sent is with the peer's kernel.
  [[nodiscard]] bool is_delivered() const;
  /// So many came, in all.
  [[nodiscard]] std::uint64_t read_bytes() const { return read_; }
  /// Reads nothing more until resume(): what the peer sends waits with it.
  void pause() { paused_ = true; }
  void resume();

  /// Delivers no more; when all that was sent is written, waits a moment for the peer to close, and
  /// closes at once where that one goes on sending.
  void close_when_written();
  void close(const std::string& why);
  [[nodiscard]] bool is_open() const { return open_; }

  [[nodiscard]] const std::string& peer() const { return peer_; }
  /// The addresses of both ends, without their ports.
  [[nodiscard]] const std::string& peer_host() const { return peer_host_; }
  [[nodiscard]] const std::string& own_host() const { return own_host_; }
  /// The kernel's smoothed round trip (TCP_INFO); zero before the first measurement.
  [[nodiscard]] Duration round_trip() const;
  /// For a link that others wait behind: a peer that does not acknowledge what was sent to it for
  /// so long is gone.
  void set_patience(Duration longest_silence);
  /// Lets the kernel acknowledge what came at once: the peer measures the round trip by that, and
  /// has nothing else to go by where what it sends is not answered.
  void acknowledge_now();

 private:
  void read();
  [[nodiscard]] bool may_read() const;
  [[nodiscard]] int descriptor() const;
  void on_read(std::size_t bytes);
  void discard(std::size_t bytes);
  [[nodiscard]] bool is_flooded() const { return discarded_ > options_.discard_bytes; }
  void write_next();
  void on_written();
  void write_more();
  std::size_t deliver_objects();
  void make_room(bool was_full);
  void lose_framing(const std::string& why);
  void end_writing();

  asio::ip::tcp::socket socket_;
  asio::steady_timer pace_timer_;
  asio::steady_timer linger_timer_;
  ConnectionOptions options_;
  Events events_;
  std::string peer_;
  std::string peer_host_;
  std::string own_host_;

  std::string in_;           // what is read into; starts with the bytes of an unfinished object
  std::size_t in_size_ = 0;  // bytes of `in_` that are filled
  json::ObjectScanner scanner_;

  std::string out_;          // sent but not yet handed to the kernel
  std::string writing_;      // being written
  std::size_t written_ = 0;  // of `writing_`, when paced
  std::size_t unsent_ = 0;
  std::uint64_t read_ = 0;
  Duration gap_{};
  std::size_t discarded_ = 0;  // bytes that came while it ends

  bool open_ = true;
  bool reading_ = false;
  bool paused_ = false;
  bool keeps_reading_ = false;
  bool writing_now_ = false;
  bool ending_ = false;  // what still comes is thrown away; closes when all is written
};

}  // namespace fogctl
