#include "queue/redis_route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/log.hpp"
#include "queue/redis_password.hpp"
#include "queue/redis_sentinel.hpp"

namespace fogctl {
namespace {

std::string value_in(std::string_view info, std::string_view label) {
  const auto start = info.find(label);
  if (start == std::string_view::npos) return {};
  const auto rest = info.substr(start + label.size());
  return std::string(rest.substr(0, rest.find_first_of("\r\n")));
}

void add_reason(std::string& reasons, const std::string& who, const std::string& why) {
  if (!reasons.empty()) reasons += "; ";
  reasons += who + ": " + why;
}

/// A node's line is "id 10.0.0.7:6381@16381,name flags …".
std::optional<RedisEndpoint> node_in(std::string_view line) {
  const auto start = line.find(' ');
  if (start == std::string_view::npos) return std::nullopt;
  std::string_view at = line.substr(start + 1);
  const std::string_view flags = at.substr(std::min(at.find(' '), at.size()));
  for (const std::string_view absent : {"noaddr", "handshake", "fail"}) {
    if (flags.substr(0, flags.find(' ', 1)).find(absent) != std::string_view::npos) return {};
  }
  at = at.substr(0, at.find_first_of("@ "));
  const auto colon = at.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  RedisEndpoint node{std::string(at.substr(0, colon)), 0};
  const std::string_view port = at.substr(colon + 1);
  std::from_chars(port.data(), port.data() + port.size(), node.port);
  if (node.port == 0) return std::nullopt;
  return node;
}

}  // namespace

std::vector<RedisEndpoint> parse_cluster_nodes(std::string_view text) {
  std::vector<RedisEndpoint> nodes;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (auto node = node_in(text.substr(0, end))) nodes.push_back(std::move(*node));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return nodes;
}

RedisRoute::RedisRoute(RedisAddress address, RedisTimeouts timeouts)
    : address_(std::move(address)), timeouts_(timeouts), sentinels_(address_.sentinels) {}

Result<RedisSession> RedisRoute::open() {
  return address_.sentinels.empty() ? open_node() : open_master();
}

// Every sentinel is asked until one leads to a master: during a failover they may differ.
Result<RedisSession> RedisRoute::open_master() {
  std::vector<RedisEndpoint> sentinels;
  {
    const std::lock_guard lock(mutex_);
    sentinels = sentinels_;
  }
  std::string reasons;
  std::vector<RedisEndpoint> refused;
  bool has_answer = false;
  for (const RedisEndpoint& sentinel : sentinels) {
    const std::string who = "sentinel " + to_string(sentinel);
    const auto named = ask_sentinel(sentinel, with_password(address_), timeouts_);
    if (!named) {
      add_reason(reasons, who, named.error().message);
      continue;
    }
    if (!std::exchange(has_answer, true)) prefer(sentinel);
    if (std::ranges::find(refused, *named) != refused.end()) continue;
    const std::string names =
        fmt::format("{} names {} as master {}", who, to_string(*named), address_.master);
    auto session = greet(address_.at(*named));
    if (!session) {
      if (session.error().code == ErrorCode::unauthorized) return session;
      add_reason(reasons, names, without_address(session.error(), address_.at(*named)).message);
      refused.push_back(*named);
      continue;
    }
    const auto role = session->connection->call({"ROLE"});
    if (!role || role->size() == 0 || role->is_error() || (*role)[0].text() != "master") {
      add_reason(reasons, names, "it is none; a failover may be under way");
      refused.push_back(*named);
      continue;
    }
    prefer(sentinel);
    settle(*session, fmt::format("master {} by the word of {}", address_.master, who));
    return session;
  }
  return failure(ErrorCode::unavailable,
                 fmt::format("cannot connect to redis {}: {}", address_.display(), reasons));
}

Result<RedisSession> RedisRoute::open_node() {
  std::string reasons;
  std::optional<ErrorCode> code;
  for (const RedisAddress& server : candidates()) {
    auto session = greet(server);
    if (session) {
      settle(*session, "cluster of " + address_.display());
      return session;
    }
    const std::string why = without_address(session.error(), server).message;
    if (!code) code = session.error().code;
    if (server.display() == address_.display()) {
      reasons += reasons.empty() ? why : "; itself: " + why;
    } else {
      add_reason(reasons, "node " + server.display(), why);
    }
  }
  return failure(*code, fmt::format("cannot connect to redis {}: {}", address_.display(), reasons));
}

Result<RedisSession> RedisRoute::open_at(const RedisEndpoint& node) {
  auto session = greet(address_.at(node));
  if (session) session->generation = 0;
  return session;
}

Result<RedisSession> RedisRoute::greet(const RedisAddress& server) {
  RedisSession session;
  session.generation = generation();
  session.server = server;
  auto connection = RedisConnection::open(with_password(server), timeouts_);
  if (!connection) return std::unexpected(connection.error());
  session.connection = std::move(*connection);
  const auto info = session.connection->call({"INFO", "server"});
  if (!info) return std::unexpected(info.error());
  if (info->is_error()) return std::unexpected(error_of(*info));
  session.run_id = value_in(info->text(), "run_id:");
  const auto id = session.connection->call({"CLIENT", "ID"});
  if (!id) return std::unexpected(id.error());
  if (!id->is_error()) session.client_id = std::to_string(id->integer());
  if (value_in(info->text(), "redis_mode:") == "cluster") learn_nodes(*session.connection);
  return session;
}

/// Where a node of the cluster may be, the likeliest first.
std::vector<RedisAddress> RedisRoute::candidates() const {
  std::vector<RedisAddress> all;
  const auto add = [&](RedisAddress server) {
    const auto same = [&](const RedisAddress& other) {
      return other.display() == server.display();
    };
    if (std::ranges::none_of(all, same)) all.push_back(std::move(server));
  };
  const std::lock_guard lock(mutex_);
  if (server_) add(*server_);
  add(address_);
  for (const RedisEndpoint& node : nodes_) add(address_.at(node));
  return all;
}

void RedisRoute::learn_nodes(RedisConnection& node) {
  const auto told = node.call({"CLUSTER", "NODES"});
  if (!told || told->is_error()) return;  // those that are known remain
  auto nodes = parse_cluster_nodes(told->text());
  const std::lock_guard lock(mutex_);
  nodes_ = std::move(nodes);
}

void RedisRoute::prefer(const RedisEndpoint& sentinel) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(sentinels_, sentinel);
  std::rotate(sentinels_.begin(), found, found == sentinels_.end() ? found : found + 1);
}

/// A session that came to another server than the last one did opens a generation.
void RedisRoute::settle(RedisSession& session, const std::string& whose_word) {
  std::string before;
  {
    const std::lock_guard lock(mutex_);
    if (session.generation != generation_) return;  // it is left at the next opportunity
    const bool is_same = server_ && server_->display() == session.server.display();
    if (is_same) return;
    if (server_) {
      before = server_->display();
      session.generation = ++generation_;
    }
    server_ = session.server;
    whose_word_ = session.server.display() == address_.display() ? "" : whose_word;
  }
  if (before.empty()) return;
  log(LogLevel::warning, "redis is now at {}; it was at {}", display(), before);
}

void RedisRoute::follow(const RedisRedirect& moved, const RedisSession& from) {
  RedisEndpoint to = moved.to;
  if (to.host.empty()) to.host = from.server.socket_path.empty() ? from.server.host : "127.0.0.1";
  RedisAddress server = address_.at(to);
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    if (from.generation != generation_) return;
    if (server_ && server_->display() == server.display()) return;
    is_first = generation_ == 1;
    ++generation_;
    server_ = server;
    whose_word_ = "cluster of " + address_.display();
  }
  // To find it is nothing to tell of; that it moved is.
  log(is_first ? LogLevel::debug : LogLevel::info, "slot {} of the queue is at redis {} (says {})",
      moved.slot, to_string(to), from.server.display());
}

void RedisRoute::renew(std::uint64_t of) {
  const std::lock_guard lock(mutex_);
  if (of == generation_) ++generation_;
}

std::uint64_t RedisRoute::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

std::string RedisRoute::display() const {
  const std::lock_guard lock(mutex_);
  if (!server_) return address_.display();
  if (whose_word_.empty()) return server_->display();
  return fmt::format("{} ({})", server_->display(), whose_word_);
}

/// The password as its file has it now; where that cannot be read, the one from before.
RedisAddress RedisRoute::with_password(RedisAddress server) const {
  if (server.password_file.empty()) return server;
  if (auto password = read_redis_password(server.password_file)) {
    server.password = std::move(*password);
  }
  return server;
}

}  // namespace fogctl
