#include "node/guests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace fogctl {
namespace {

/// Standard files, timers, the listener, multicast, a queue file and its journal, the record, files
/// that are looked into, and one who is being refused.
constexpr std::size_t own_files = 64;
/// A connection to a Redis, and a program under its keeper, with what its start takes for a moment.
constexpr std::size_t files_of_worker = 16;
/// So much of the room is free again, and there is room: else the log would tell of each who
/// leaves, and of the next who is refused.
constexpr std::size_t share_free = 16;

}  // namespace

FileShares share_files(std::size_t limit, const FileNeeds& needs) {
  const std::size_t needed = own_files + files_of_worker * needs.workers + needs.links;
  return {limit, needed, limit - std::min(needed, limit / 2)};
}

Guests::Guests(const FileShares& shares) : shares_(shares) {
  if (shares_.kept() >= shares_.needed) return;
  log(LogLevel::warning,
      "'ulimit -n' is {}: half of it is for connections to this node, and its queue, its links to "
      "other nodes and the programs of tasks may need {} more at the worst; raise it",
      shares_.limit, shares_.needed - shares_.kept());
}

void Guests::remove(PeerId peer) {
  peers_.erase(peer);
  const std::size_t free = shares_.guests - peers_.size();
  if (!said_full_ || free <= shares_.guests / share_free) return;
  said_full_ = false;
  log(LogLevel::info, "there is room for connections again");
}

std::string Guests::refuse() {
  std::string why = fmt::format(
      "no room for more than {} connections to this node: {} of the {} files that it may have open "
      "('ulimit -n') are kept for its queue, other nodes and the programs of tasks",
      peers_.size(), shares_.kept(), shares_.limit);
  if (!std::exchange(said_full_, true)) {
    log(LogLevel::warning, "a connection is refused, and so are others until some leave: {}", why);
  }
  return why;
}

}  // namespace fogctl
