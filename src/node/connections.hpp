// The TCP connections of a node, by number: those that it accepted and those that it opened. What
// is sent is handed to the kernel by flush(), once for all. Network thread only.
#pragma once

#include <asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/connection.hpp"
#include "scheduling/actions.hpp"

namespace fogctl {

class Connections {
 public:
  struct Events {
    std::function<void(PeerId peer, std::string_view object)> on_object;
    std::function<void(PeerId peer)> on_batch;  // after the objects of one read
    std::function<void(PeerId peer, const std::string& why)> on_closed;
    std::function<void(PeerId peer)> on_written = {};  // less of what was sent to it waits
    std::function<void(PeerId peer)> on_unread = {};   // it reads too slowly; on_closed follows
  };

  Connections(const ConnectionOptions& options, Events events);

  /// Greets first, and starts reading. Numbers are not used again.
  PeerId adopt(asio::ip::tcp::socket socket, std::string_view greeting);
  /// Null: it is gone.
  [[nodiscard]] Connection* find(PeerId peer);
  /// Nothing happens where the peer is gone.
  void send(PeerId peer, std::string_view objects);
  void flush();
  /// The peer is a node: it is read from however much is to be sent to it. Past most_unread() it
  /// had better get no more, yet there is room for short messages.
  void keep_reading(PeerId peer);
  [[nodiscard]] std::size_t most_unread() const { return options_.drop_bytes; }
  /// Nothing more is read from the peer until resume_all().
  void pause(PeerId peer);
  void resume_all();
  /// Of an object that is read, in bytes.
  [[nodiscard]] std::size_t max_message() const { return options_.max_message; }

  void close_when_written();
  [[nodiscard]] bool empty() const { return peers_.empty(); }

 private:
  struct Peer {
    std::shared_ptr<Connection> connection;
    bool is_touched = false;  // has something to flush
  };

  const ConnectionOptions options_;
  const Events events_;
  std::unordered_map<PeerId, Peer> peers_;
  PeerId last_peer_ = cloud_link;
  std::vector<PeerId> touched_;
  std::vector<PeerId> paused_;
};

}  // namespace fogctl
