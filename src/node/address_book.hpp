// The addresses at which neighbours may be found, and when each is to be dialled next. Decides
// only: the time is passed in, and the owner dials. Belongs to one thread.
//
// Rules:
// 1. An address that an operator named stays for ever; another one is forgotten when it could not
//    be reached, and nobody spoke of it, for a minute.
// 2. Attempts back off exponentially, up to 2 s while the node there was alive in the last minute,
//    else up to 30 s.
// 3. A node that is linked already is not dialled; nor is this node itself; nor, for a minute, one
//    that has enough neighbours.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"

namespace fogctl {

class AddressBook {
 public:
  AddressBook(std::string own_node, Random random)
      : own_node_(std::move(own_node)), random_(random) {}

  /// An operator named it.
  void add_static(const std::string& address, Instant now);
  enum class Source { node_itself, hearsay };
  /// A node is there, says somebody; `node` is its id, or empty. So it is alive now. One that says
  /// so itself is dialled before those that are only told of, and always finds room.
  void hear_of(const std::string& address, const std::string& node, Source source, Instant now);

  /// Up to `room` addresses to dial now, the longest due first, and every static one. They count as
  /// being dialled until one of the next three is called.
  [[nodiscard]] std::vector<std::string> take_due(std::size_t room, Instant now);
  void on_unreachable(const std::string& address, Instant now);
  /// What answered there is this node itself.
  void on_self(const std::string& address);
  /// A link is up to `node` (empty: an original one), by dialling `address` where that is not
  /// empty.
  void on_linked(const std::string& address, const std::string& node, Instant now);

  void on_unlinked(const std::string& address, const std::string& node, Instant now);
  /// The node there has enough neighbours.
  void leave_alone(const std::string& node, Instant now);

  /// When take_due may have something to give; none: not before something is heard.
  [[nodiscard]] std::optional<Instant> next_due() const;
  /// Some address of the node; empty: none is known.
  [[nodiscard]] std::string address_of(const std::string& node) const;

 private:
  struct Entry {
    bool is_static = false;
    bool is_busy = false;  // being dialled, or linked
    std::string node;      // the last that was there
    Instant alive_at;      // when somebody last spoke of it
    Instant dial_at;
    Duration back_off{};
  };
  void put_off(Entry& entry, Instant now);
  [[nodiscard]] bool make_room(Source source);
  [[nodiscard]] bool is_wanted(const Entry& entry) const;

  std::string own_node_;
  Random random_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::multiset<std::string> linked_;  // nodes
};

}  // namespace fogctl
