// An event loop for tests of sockets, and peers that do as the test says. Nothing sleeps: a test
// waits for what it expects, and gives up after a time that a loaded machine does not need.
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <asio/connect.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fogctl::support {

using asio::ip::tcp;

class Loop {
 public:
  /// Runs events until `is_done`; false: it gave up.
  template <typename Done>
  bool run_until(Done is_done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_done()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      io.run_one_for(std::chrono::milliseconds(50));
    }
    return true;
  }
  /// Runs what is ready, again and again, until nothing is.
  void run_ready() {
    while (io.poll() > 0) {
    }
  }

  asio::io_context io{1};

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io);
};

/// The two ends of a TCP connection over 127.0.0.1.
inline std::pair<tcp::socket, tcp::socket> connected_pair(asio::io_context& io) {
  tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  tcp::socket client(io);
  client.connect(acceptor.local_endpoint());
  tcp::socket server = acceptor.accept();
  return {std::move(server), std::move(client)};
}

/// The two ends of a byte stream that knows no timers: when one end is full it is full at once.
inline std::pair<tcp::socket, tcp::socket> stream_pair(asio::io_context& io) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {tcp::socket(io, tcp::v4(), ends[0]), tcp::socket(io, tcp::v4(), ends[1])};
}

/// The far end of a connection: keeps what it reads, and reads only when it is told to.
class Peer {
 public:
  explicit Peer(tcp::socket socket) : socket_(std::move(socket)) { socket_.non_blocking(true); }

  void start_reading() {
    socket_.async_read_some(asio::buffer(chunk_), [this](asio::error_code error, std::size_t size) {
      if (error == asio::error::operation_aborted) return;  // this peer may be gone
      is_closed = static_cast<bool>(error);
      received.append(chunk_.data(), size);
      if (!error) start_reading();
    });
  }
  /// Writes as much as the kernel takes at once; how much.
  std::size_t write(std::string_view bytes) {
    std::size_t written = 0;
    asio::error_code error;
    while (!error && written < bytes.size()) {
      written += socket_.write_some(asio::buffer(bytes.substr(written)), error);
    }
    return written;
  }
  void close() {
    asio::error_code ignored;
    socket_.close(ignored);
  }

  std::string received;
  bool is_closed = false;  // by the other side

 private:
  tcp::socket socket_;
  std::array<char, 65536> chunk_{};
};

/// The far end of a connection over which each write stays apart, as no TCP connection shows it.
class PacketPeer {
 public:
  /// Stores the near end in `near`.
  PacketPeer(asio::io_context& io, tcp::socket& near) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    near = tcp::socket(io, tcp::v4(), ends[0]);
    fd_ = ends[1];
  }
  ~PacketPeer() { ::close(fd_); }
  PacketPeer(const PacketPeer&) = delete;
  PacketPeer& operator=(const PacketPeer&) = delete;

  /// Reads what has come; each write is one item.
  const std::vector<std::string>& packets() {
    std::string packet(1 << 17, '\0');
    while (true) {
      const auto size = ::recv(fd_, packet.data(), packet.size(), MSG_DONTWAIT);
      if (size <= 0) return packets_;
      packets_.push_back(packet.substr(0, static_cast<std::size_t>(size)));
    }
  }

 private:
  int fd_ = -1;
  std::vector<std::string> packets_;
};

}  // namespace fogctl::support
