// Those who connected to a node: clients, people, and other nodes that dialled it. There are at
// most so many that of the files which the process may have open enough are left for all else,
// whoever comes first: a Redis that comes back finds connections to it, a task its program. A link
// that the node itself opened is none of these. Network thread only.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>

#include "scheduling/actions.hpp"

namespace fogctl {

/// What else needs open files, by the node's options.
struct FileNeeds {
  std::size_t workers = 0;
  std::size_t links = 0;  // to neighbours and the cloud, that this node opens
};

/// How the files that may be open are divided.
struct FileShares {
  std::size_t limit = 0;
  std::size_t needed = 0;  // by all but guests, at most
  std::size_t guests = 0;  // the rest, yet half of the limit at least

  [[nodiscard]] std::size_t kept() const { return limit - guests; }
};
[[nodiscard]] FileShares share_files(std::size_t limit, const FileNeeds& needs);

class Guests {
 public:
  /// The log says so where not all that is needed can be kept.
  explicit Guests(const FileShares& shares);

  [[nodiscard]] bool has_room() const { return peers_.size() < shares_.guests; }
  void add(PeerId peer) { peers_.insert(peer); }
  /// Nothing happens where it is no guest. The log says so when there is room again.
  void remove(PeerId peer);
  /// What one is told that there is no room for. The log says it once, until there is room again.
  [[nodiscard]] std::string refuse();

 private:
  const FileShares shares_;
  std::unordered_set<PeerId> peers_;
  bool said_full_ = false;
};

}  // namespace fogctl
