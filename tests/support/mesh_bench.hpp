// Fog nodes as far as the mesh goes, over real connections on 127.0.0.1 and without multicast, and
// bare peers that do as the test says.
#pragma once

#include <algorithm>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/log.hpp"
#include "node/mesh.hpp"
#include "support/loopback.hpp"

namespace fogctl::support {

using namespace std::chrono_literals;

/// Stands still unless the test advances it.
struct TestClock final : Clock {
  [[nodiscard]] Instant now() const override { return instant; }
  [[nodiscard]] WallTime wall_now() const override { return WallTime(1'795'412'131s); }
  Instant instant{1000s};
};

inline SchedulerOptions scheduler_options(const std::string& id) {
  SchedulerOptions options;
  options.node = id;
  options.name = "fog-" + id;
  options.policy = find_policy("original");
  return options;
}

/// A Mesh and what a node gives it: connections, a Scheduler with one worker, and a clock. The loop
/// does not run any more once one is gone.
class Fog {
 public:
  Fog(Loop& loop, const std::string& id, std::vector<HostPort> peers = {},
      std::size_t max_neighbours = 32)
      : acceptor_(loop.io, {asio::ip::address_v4::loopback(), 0}),
        connections_(
            {},
            {.on_object = [this](PeerId peer, std::string_view text) { on_object(peer, text); },
             .on_batch = [this](PeerId) { perform(); },
             .on_closed = [this](PeerId peer, const std::string& why) { on_closed(peer, why); }}),
        scheduler(scheduler_options(id), Random(1)),
        mesh_(loop.io, {std::move(peers), std::nullopt, max_neighbours}, connections_, scheduler,
              actions_, clock,
              {.adopt = [this](tcp::socket socket) { return adopt(std::move(socket)); },
               .perform = [this] { perform(); }}),
        self_{id, "fog-" + id, wire::protocol_version, to_string(address())} {
    scheduler.on_load({{}, 1, 0}, clock.now(), actions_);
    accept();
  }
  [[nodiscard]] HostPort address() const {
    return {"127.0.0.1", acceptor_.local_endpoint().port()};
  }
  void start() { mesh_.start(self_); }
  void tick(Duration passed = 0s) {
    clock.instant += passed;
    mesh_.tick();
    scheduler.on_tick(clock.now(), actions_);
    perform();
  }
  [[nodiscard]] std::size_t neighbours() const { return scheduler.neighbours().size(); }
  [[nodiscard]] const Neighbour& neighbour() const { return scheduler.neighbours().at(0); }

  std::vector<std::string> heard;  // the kinds of messages, in their order
  int accepted = 0;
  TestClock clock;

 private:
  void accept() {
    acceptor_.async_accept([this](asio::error_code error, tcp::socket socket) {
      if (error) return;
      ++accepted;
      (void)adopt(std::move(socket));
      accept();
    });
  }
  PeerId adopt(tcp::socket socket) {
    std::string greeting;
    wire::append_fog_ready(greeting, clock.wall_now(), self_);
    return connections_.adopt(std::move(socket), greeting);
  }
  void on_object(PeerId peer, std::string_view text) {
    json::Object scratch;
    const auto message = wire::parse_message(text, scratch);
    REQUIRE(message);
    heard.push_back(*json::read_string(*scratch.find("message_type")));
    std::visit(
        [&](const auto& kind) {
          if constexpr (requires { mesh_.on_message(peer, kind); }) mesh_.on_message(peer, kind);
        },
        *message);
  }
  void on_closed(PeerId peer, const std::string& why) { mesh_.on_closed(peer, why); }
  void perform() {
    for (const Action& action : std::exchange(actions_, {})) {
      std::visit(
          [&](const auto& kind) {
            if constexpr (requires { mesh_.perform(kind); }) mesh_.perform(kind);
          },
          action);
    }
    connections_.flush();
  }

  tcp::acceptor acceptor_;
  Actions actions_;
  Connections connections_;

 public:
  Scheduler scheduler;

 private:
  Mesh mesh_;
  wire::NodeIdentity self_;
};

/// Something that listens and says what the test says.
class Listening {
 public:
  explicit Listening(asio::io_context& io) : acceptor_(io, {asio::ip::address_v4::loopback(), 0}) {
    accept();
  }
  [[nodiscard]] HostPort address() const {
    return {"127.0.0.1", acceptor_.local_endpoint().port()};
  }
  std::list<Peer> links;  // every connection that came

 private:
  void accept() {
    acceptor_.async_accept([this](asio::error_code error, tcp::socket socket) {
      if (error) return;
      links.emplace_back(std::move(socket)).start_reading();
      accept();
    });
  }
  tcp::acceptor acceptor_;
};

/// Objects as fogctl nodes write them.
inline std::string ready_of(const std::string& node, const std::string& listen = "") {
  std::string text;
  wire::append_fog_ready(text, WallTime(1s), {node, "fog-" + node, 2, listen});
  return text;
}

inline std::string known_node(const std::string& node, const std::string& address) {
  std::string text;
  wire::append_known_nodes(text, {{{node, address}}});
  return text;
}

struct MeshBench {
  MeshBench() { set_log_level(LogLevel::off); }
  ~MeshBench() { set_log_level(LogLevel::info); }
  /// A peer that connects to the node.
  Peer& connect(const Fog& fog) {
    tcp::socket socket(loop.io);
    socket.connect({asio::ip::address_v4::loopback(), fog.address().port});
    Peer& peer = peers.emplace_back(std::move(socket));
    peer.start_reading();
    return peer;
  }
  bool receives(const Peer& peer, std::string_view text, std::size_t times = 1) {
    return loop.run_until([&] { return count(peer, text) >= times; });
  }
  static std::size_t count(const Peer& peer, std::string_view text) {
    std::size_t found = 0;
    for (auto at = peer.received.find(text); at != std::string::npos;
         at = peer.received.find(text, at + 1)) {
      ++found;
    }
    return found;
  }

  Loop loop;
  std::list<Peer> peers;
};

inline constexpr const char* is_ready = "\"message_type\":\"fog_ready\",";
inline constexpr const char* is_ack = "\"message_type\":\"fog_ready_ack\",";
inline constexpr const char* is_state = "\"message_type\":\"state\",";

}  // namespace fogctl::support
