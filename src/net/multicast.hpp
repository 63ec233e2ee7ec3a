// Says short texts to everybody on the networks of this machine, and hears what others say: UDP
// multicast on every interface that is up, or on the one that was named. Interfaces may come and
// go. Belongs to the thread that runs its io_context.
#pragma once

#include <netinet/in.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "net/address.hpp"

namespace fogctl {

struct MulticastOptions {
  HostPort group{"228.0.0.5", 8005};  // an IPv4 multicast address
  int ttl = 5;                        // routers that a datagram may pass, and one
  std::string interface;              // name; empty: every one but loopback, or that if it is alone
};

/// An IPv4 multicast address, and a port.
[[nodiscard]] bool is_multicast_group(const HostPort& group);

class Multicast {
 public:
  struct Events {
    std::function<void(std::string_view text, const asio::ip::address& from)> on_text;
    std::function<void()> on_new_interface;  // what was said before did not go there
  };

  Multicast(asio::io_context& io, MulticastOptions options, Events events);

  /// Never fails: where there is no interface yet, or the port is taken, it tries again every
  /// second, and says so once.
  void start();
  void stop();
  /// One datagram on each interface; at most 1,400 bytes. Lost where there is none.
  void send(std::string_view text) { send_on(joined_, text); }
  /// From within on_new_interface: on those alone.
  void send_to_new(std::string_view text) { send_on(new_, text); }

 private:
  void scan();
  [[nodiscard]] bool open();
  void receive();
  using Interfaces = std::map<int, in_addr>;  // by index, with their addresses
  void send_on(const Interfaces& interfaces, std::string_view text);
  void note(const std::string& problem);

  asio::io_context& io_;
  const MulticastOptions options_;
  const Events events_;
  asio::ip::udp::socket socket_;
  asio::steady_timer timer_;
  Interfaces joined_;
  Interfaces new_;  // of these, by the last look
  std::array<char, 2048> in_{};
  asio::ip::udp::endpoint from_;
  std::string problem_;  // as it was last told
  bool is_stopped_ = false;
};

}  // namespace fogctl
