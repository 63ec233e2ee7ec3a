// The Mesh's part about multicast: saying hello, hearing others, answering endpoints.
#include <algorithm>
#include <variant>

#include "node/mesh.hpp"

namespace fogctl {
namespace {

using std::chrono::seconds;

/// While it has no neighbour a node says hello again, ever more seldom; later that it is alive.
constexpr Duration first_announcement = seconds(1);
constexpr Duration longest_pause_alone = seconds(8);
constexpr Duration alive_interval = seconds(30);

}  // namespace

/// An original node opens a connection at every hello: once there is a neighbour it is repeated as
/// fog_alive, which such a node ignores.
void Mesh::say_hello() {
  if (!is_looking_ || !multicast_) return;
  const bool has_neighbour =
      std::ranges::any_of(links_, [](const auto& item) { return item.second.who.has_value(); });
  multicast_->send(wire::fog_hello({own_port_, self_}, has_neighbour));
  const Duration longest = has_neighbour ? alive_interval : longest_pause_alone;
  announce_pause_ = std::clamp(announce_pause_ * 2, first_announcement, longest);
  announce_at_ = clock_.now() + announce_pause_;
}

void Mesh::announce_when_due(Instant now) {
  if (now >= announce_at_) say_hello();
}

void Mesh::on_datagram(std::string_view text, const asio::ip::address& from) {
  const auto message = wire::parse_datagram(text, scratch_);
  if (!message || !is_looking_) return;
  if (const auto* hello = std::get_if<wire::FogHello>(&*message)) return on_hello(*hello, from);
  if (std::holds_alternative<wire::EndpointHello>(*message)) {
    multicast_->send(wire::fog_ack({own_port_, self_}));
  }
}

void Mesh::on_hello(const wire::FogHello& hello, const asio::ip::address& from) {
  const std::string host = from.to_string();
  std::string address = reachable_address(hello.identity.listen, host);
  if (hello.identity.is_original()) {
    const bool is_linked = std::ranges::any_of(links_, [&](const auto& item) {
      const Connection* connection = connections_.find(item.first);
      return item.second.who && item.second.who->is_original() && connection != nullptr &&
             connection->peer_host() == host;
    });
    if (is_linked) return;
  }
  if (address.empty()) address = to_string(HostPort{host, hello.tcp_port});
  book_->hear_of(address, hello.identity.is_original() ? "" : hello.identity.node,
                 AddressBook::Source::node_itself, clock_.now());
  dial_due();
}

}  // namespace fogctl
