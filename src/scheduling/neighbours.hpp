// What one node knows of its neighbours: the links to them, what each last said of itself, and what
// is on its way to and from each. Pure: the time is passed in. Belongs to one thread.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "placement/placement.hpp"
#include "placement/verdict.hpp"
#include "scheduling/actions.hpp"

namespace fogctl {

inline constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

/// Who is at the other end of a link, once it has said so.
struct NeighbourIdentity {
  std::string node;         // id; empty for an original one
  std::string name;         // for people
  std::string address;      // of its end of the link, without the port
  std::string own_address;  // of this node's end, as it goes into offloading_fog
  bool is_opened_here = false;
  /// Of a task that it takes, in bytes.
  std::size_t max_message = no_limit;

  [[nodiscard]] bool is_original() const { return node.empty(); }
  /// What tells it from others: an original one has nothing but its address.
  [[nodiscard]] const std::string& id() const { return is_original() ? address : node; }
};

/// What is to be sent over a link yet, in bytes. One that has too much is full, until it has less
/// than half of that: what is sent to it at once is sent in vain if it breaks, and all that comes
/// later waits behind it. One that has none takes any task, however long.
class Unsent {
 public:
  void add(std::size_t bytes, std::size_t most) {
    bytes_ += bytes;
    is_full_ |= bytes_ > most;
  }
  /// True: there is room again.
  bool set(std::size_t bytes, std::size_t most) {
    bytes_ = 0;
    add(bytes, most);
    return bytes_ <= most / 2 && std::exchange(is_full_, false);
  }
  [[nodiscard]] bool is_full() const { return is_full_; }

 private:
  std::size_t bytes_ = 0;
  bool is_full_ = false;
};

struct Neighbour {
  PeerId link = 0;
  NeighbourIdentity who;
  NodeState state;
  Instant state_at;  // when it came; only meaningful once has_state
  bool has_state = false;
  Instant heard_at;               // anything
  std::optional<Duration> delay;  // a round trip
  bool is_second = false;         // retired because of another link to the same node
  bool is_closed_here = false;    // its link, by this node
  bool is_retired = false;        // takes no new task; the link closes when it is empty
  Instant retired_at;
  std::size_t handed_now = 0;  // tasks handed to it that are unanswered
  std::size_t taken_now = 0;   // tasks taken from it that are unanswered
  Unsent unsent;
  std::uint64_t handed = 0;  // in all
  std::uint64_t taken = 0;
  Instant ask_at;     // for a task that waits there: not before
  Instant answer_at;  // when it asks this node for one: not before
  /// What was handed to it since its last state, in seconds of a worker, by the slack it had there
  /// (wait_slacks: the first that is no shorter).
  std::array<double, wait_slacks.size()> sent_work{};

  /// Notes that a task was handed to it which has `slack` left and runs for about `execution`.
  void note_sent(Duration slack, Duration execution);
  /// What a task that is to start within `slack` waits there at `now`, by its last state and what
  /// was handed to it since.
  [[nodiscard]] WaitEstimate start_wait(Duration slack, Instant now) const;
  [[nodiscard]] bool is_empty() const { return handed_now == 0 && taken_now == 0; }
};

struct NeighbourRules {
  std::string own_node;  // this node's id
  Duration sharing_interval = std::chrono::seconds(1);
  std::size_t most = 32;  // links to fogctl neighbours that take tasks
};

class Neighbours {
 public:
  explicit Neighbours(NeighbourRules rules) : rules_(std::move(rules)) {}

  /// A link is up. Of two links to the same node the one opened by the smaller id stays, of two
  /// opened by the same node the newer one; of two to an original neighbour the newer one.
  void add(PeerId link, NeighbourIdentity who, Instant now);
  /// Where it was the one that stays, a second link to the same node takes its place.
  void remove(PeerId link);
  [[nodiscard]] Neighbour* find(PeerId link);
  /// The one that takes new tasks under this id; null where there is none.
  [[nodiscard]] Neighbour* find(std::string_view id);
  /// Sorted by id.
  [[nodiscard]] const std::vector<Neighbour>& all() const { return neighbours_; }
  [[nodiscard]] std::vector<Neighbour>& all() { return neighbours_; }

  /// Why it takes no task; none: it takes some. Retired, without a state that is young enough, or
  /// with one that says so.
  [[nodiscard]] std::optional<PlaceVerdict> why_none(const Neighbour& neighbour, Instant now) const;
  /// As a place for a task; of one that takes some. `candidate` is as it was made: it is filled
  /// where it stays, since copying what has just been written costs more than writing it.
  static void describe(const Neighbour& neighbour, Instant now, Candidate& candidate);

  /// Changes with who they are, and their order.
  [[nodiscard]] std::uint64_t version() const { return version_; }

  /// A link whose peer was not heard of for three sharing intervals, its own being counted where
  /// that is the longer one.
  [[nodiscard]] bool is_silent(const Neighbour& neighbour, Instant now) const;
  /// This node did not run for `gap`: nobody was silent meanwhile.
  void forgive(Duration gap, Instant now);

  /// More links than allowed: retires the farthest, sparing one in four that no distance decides
  /// about. The one that was retired, or null.
  Neighbour* retire_surplus(Instant now);

 private:
  static constexpr int silent_intervals = 3;
  /// What an original node shares at.
  static constexpr Duration original_interval = std::chrono::seconds(1);
  /// No neighbour is waited for as if it shared more seldom than this, whatever it says.
  static constexpr Duration longest_interval = std::chrono::hours(24);

  [[nodiscard]] Duration longest_age(const Neighbour& neighbour) const;
  [[nodiscard]] bool is_spared(const Neighbour& neighbour) const;
  [[nodiscard]] bool newer_stays(const Neighbour& older, const NeighbourIdentity& newer) const;

  NeighbourRules rules_;
  std::vector<Neighbour> neighbours_;
  std::uint64_t version_ = 1;
};

// Inline: a decision asks them about every neighbour.

inline Duration Neighbours::longest_age(const Neighbour& neighbour) const {
  const Duration its_own =
      neighbour.who.is_original() ? original_interval : neighbour.state.sharing_interval;
  return silent_intervals * std::min(longest_interval, std::max(rules_.sharing_interval, its_own));
}

inline std::optional<PlaceVerdict> Neighbours::why_none(const Neighbour& neighbour,
                                                        Instant now) const {
  const bool has_said = neighbour.has_state && neighbour.state.expected_wait.has_value();
  if (neighbour.is_retired || !has_said) return PlaceVerdict::takes_none;
  if (now - neighbour.state_at > longest_age(neighbour)) return PlaceVerdict::silent;
  return std::nullopt;
}

inline void Neighbours::describe(const Neighbour& neighbour, Instant now, Candidate& candidate) {
  candidate.site = Site::neighbour;
  candidate.node = neighbour.who.id();
  candidate.address = neighbour.who.address;
  candidate.is_original = neighbour.who.is_original();
  candidate.takes_copies = neighbour.state.takes_copies && !candidate.is_original;
  candidate.expected_wait = *neighbour.state.expected_wait;
  candidate.link_delay = neighbour.delay.value_or(Duration::zero());
  candidate.report_age = now - neighbour.state_at;
  candidate.workers = neighbour.state.workers;
}

}  // namespace fogctl
