#include "node/connections.hpp"

#include <utility>

#include "base/log.hpp"
#include "wire/messages.hpp"

namespace fogctl {

Connections::Connections(const ConnectionOptions& options, Events events)
    : options_(options), events_(std::move(events)) {}

PeerId Connections::adopt(asio::ip::tcp::socket socket, std::string_view greeting) {
  const PeerId id = ++last_peer_;
  auto connection = std::make_shared<Connection>(std::move(socket), options_);
  log(LogLevel::debug, "connection {} with {}", id, connection->peer());
  peers_[id].connection = connection;
  connection->start(
      {.on_object = [this, id](std::string_view text) { events_.on_object(id, text); },
       .on_batch = [this, id] { events_.on_batch(id); },
       .on_framing_lost =
           [this, id](const Error& why) {
             std::string answer;
             wire::append_error(answer, "invalid_message", why.message);
             send(id, answer);
           },
       .on_closed =
           [this, id](const std::string& why) {
             log(LogLevel::debug, "connection {} closed: {}", id, why);
             peers_.erase(id);
             events_.on_closed(id, why);
           },
       .on_written =
           [this, id] {
             if (events_.on_written) events_.on_written(id);
           }});
  connection->send(greeting);
  connection->flush();
  return id;
}

Connection* Connections::find(PeerId peer) {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : found->second.connection.get();
}

void Connections::send(PeerId id, std::string_view objects) {
  const auto peer = peers_.find(id);
  if (peer == peers_.end()) return;  // it left; a result for a chosen uid is kept by the queue
  Connection& connection = *peer->second.connection;
  const bool was_open = connection.is_open();
  connection.send(objects);
  if (was_open && !connection.is_open() && events_.on_unread) events_.on_unread(id);
  if (peer->second.is_touched) return;
  peer->second.is_touched = true;
  touched_.push_back(id);
}

void Connections::flush() {
  for (const PeerId id : touched_) {
    const auto peer = peers_.find(id);
    if (peer == peers_.end()) continue;
    peer->second.is_touched = false;
    peer->second.connection->flush();
  }
  touched_.clear();
}

void Connections::keep_reading(PeerId peer) {
  constexpr std::size_t room_for_short_ones = 4;
  if (Connection* connection = find(peer)) {
    connection->keep_reading(room_for_short_ones * options_.drop_bytes);
  }
}

void Connections::pause(PeerId peer) {
  Connection* connection = find(peer);
  if (connection == nullptr) return;
  connection->pause();
  paused_.push_back(peer);
}

void Connections::resume_all() {
  for (const PeerId peer : std::exchange(paused_, {})) {
    if (Connection* connection = find(peer)) connection->resume();
  }
}

void Connections::close_when_written() {
  for (auto& [id, peer] : peers_) peer.connection->close_when_written();
}

}  // namespace fogctl
