// A fog node's part in the mesh: finds neighbours (named, heard by multicast, told of by others),
// keeps links to them, greets, and tells the Scheduler who is there. What is handed to whom is the
// Scheduler's. Network thread only.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "net/multicast.hpp"
#include "node/address_book.hpp"
#include "node/connections.hpp"
#include "scheduling/scheduler.hpp"
#include "wire/messages.hpp"

namespace fogctl {

struct MeshOptions {
  std::vector<HostPort> peers;                // named neighbours
  std::optional<MulticastOptions> discovery;  // none: nobody is looked for, or answered
  std::size_t max_neighbours = 32;
};

class Mesh {
 public:
  struct Events {
    /// A connection was opened: number it and greet.
    std::function<PeerId(asio::ip::tcp::socket socket)> adopt;
    /// Actions were added from outside of a batch.
    std::function<void()> perform;
  };

  Mesh(asio::io_context& io, MeshOptions options, Connections& connections, Scheduler& scheduler,
       Actions& actions, const Clock& clock, Events events);

  /// `self`: who this node is, its address included.
  void start(wire::NodeIdentity self);
  /// Looks for nobody any more; the links stay.
  void stop_looking();
  /// To be called every 100 ms or so.
  void tick();

  void on_message(PeerId peer, const wire::FogReady& ready);
  void on_message(PeerId peer, const wire::FogReadyAck& ack);
  void on_message(PeerId peer, const wire::State& state);
  void on_message(PeerId peer, const wire::Kinds& kinds);
  void on_message(PeerId peer, const wire::KnownNodes& known);
  void on_message(PeerId peer, const wire::Leave& leave);
  void on_message(PeerId peer, const wire::CloudReady& ready);
  void on_message(PeerId peer, const wire::ErrorMessage& error);
  void on_closed(PeerId peer, const std::string& why);

  void perform(const ShareState& action);
  void perform(const ShareKinds& action);
  void perform(const CloseLink& action);

  /// Where the neighbour can be reached, as far as it is known: HOST:PORT.
  [[nodiscard]] std::string address_of(PeerId peer) const;

 private:
  struct Link {
    bool is_opened_here = false;
    std::string dialled;                    // the address, where it was opened here
    std::optional<wire::NodeIdentity> who;  // once it said fog_ready; its name is for people
    std::string address;                    // where others can reach it; empty: not known
    std::string shown;                      // the other end, for people
    Instant since;
    std::uint64_t read_bytes = 0;  // when that was looked at last
  };
  [[nodiscard]] bool has_other_link(PeerId peer, const wire::NodeIdentity& who) const;
  [[nodiscard]] bool is_fogctl(PeerId peer) const;

  void dial_due();
  void on_dialled(const std::string& address, Result<asio::ip::tcp::socket> socket);
  void note_missing(const std::string& address, const std::string& why);
  void join(PeerId peer, Link& link, const wire::NodeIdentity& who);
  void drop(PeerId peer, const std::string& why);
  void tell_known_nodes(PeerId to);
  void tell_of(const Link& link, PeerId newcomer);

  void on_datagram(std::string_view text, const asio::ip::address& from);
  void on_hello(const wire::FogHello& hello, const asio::ip::address& from);
  void say_hello();
  void announce_when_due(Instant now);

  asio::io_context& io_;
  const MeshOptions options_;
  Connections& connections_;
  Scheduler& scheduler_;
  Actions& actions_;
  const Clock& clock_;
  const Events events_;

  wire::NodeIdentity self_;
  std::uint16_t own_port_ = 0;
  std::map<PeerId, Link> links_;  // opened here, or whose peer said fog_ready
  std::optional<AddressBook> book_;
  std::optional<Multicast> multicast_;
  bool is_looking_ = false;
  std::size_t dialling_ = 0;
  std::set<std::string> missing_;  // named addresses that the log calls unreachable

  Instant announce_at_;
  Duration announce_pause_{};
  Instant gossip_at_;
  json::Object scratch_;
  std::string buffer_;
};

}  // namespace fogctl
