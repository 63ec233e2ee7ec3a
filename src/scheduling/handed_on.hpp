// Tasks that were handed on, to a neighbour or the cloud, and whose answers have not come: under
// which id each went over which link, and when its answer is overdue. Belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "scheduling/actions.hpp"

namespace fogctl {

class HandedOn {
 public:
  /// Ids are unique in the process, counted from a random start between 2^32 and 2^52: no original
  /// peer counts there (protocol.md part 2).
  explicit HandedOn(Random& random);

  /// The task goes over `link`; the id under which it does.
  [[nodiscard]] std::int64_t add(std::string uid, PeerId link, Instant overdue_at);
  void remove(std::int64_t id);
  /// Answers over `link` may take so much longer than was thought.
  void postpone(PeerId link, Duration by);
  /// The uid of the task that went over `link` as `id`; none: no such task waits (any more).
  [[nodiscard]] std::optional<std::string> find(std::int64_t id, PeerId link) const;
  /// The uids of all that went over `link`, sorted: the same order in every run of a simulation.
  [[nodiscard]] std::vector<std::string> over(PeerId link) const;

  /// When the next answer is overdue; none: none will be.
  [[nodiscard]] std::optional<Instant> next_overdue() const;
  struct Overdue {
    std::string uid;
    std::int64_t id = 0;
  };
  /// One whose answer is overdue at `now`.
  [[nodiscard]] std::optional<Overdue> overdue(Instant now) const;

  [[nodiscard]] std::size_t size() const { return tasks_.size(); }

 private:
  using Timers = std::set<std::pair<Instant, std::int64_t>>;  // when each is overdue
  struct Task {
    std::string uid;
    PeerId link = 0;
    Timers::iterator timer;
  };
  std::unordered_map<std::int64_t, Task> tasks_;
  Timers timers_;
  std::int64_t next_id_;
};

}  // namespace fogctl
