// The last decisions of a node, each with every place that was thought of, and what came of it: for
// people who ask why a task went where it went. Bounded, and cheap to write: what is the same as
// for the decision before is kept once, and judgements and texts are made when somebody asks.
// Belongs to one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "placement/verdict.hpp"
#include "scheduling/actions.hpp"

namespace fogctl {

/// A name or uid (is_valid_name) without an allocation.
class ShortText {
 public:
  ShortText() {}  // NOLINT: its bytes stay as they are, for speed
  explicit ShortText(std::string_view text) { set(text); }
  void set(std::string_view text) {
    size_ = static_cast<std::uint8_t>(std::min(text.size(), bytes_.size()));
    std::copy_n(text.begin(), size_, bytes_.begin());
  }
  [[nodiscard]] std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  std::uint8_t size_ = 0;
  std::array<char, 64> bytes_;
};

/// A candidate as it was seen, for a decision or several. Lengths are in seconds, and short: of
/// these a node keeps the most.
struct SeenPlace {
  PeerId link = 0;  // a neighbour's; else 0
  float wait = 0;   // before the task would start there, the way apart; as the policy reads it
  float deviation = 0;
  float link_delay = 0;  // a round trip
  float run = 0;         // what the task takes there by the node's own word; < 0: it has none
  float age = 0;         // since the node said how busy it is, at the first of the decisions
  Site site = Site::here;
  /// in_time: to be judged. Else why it was no candidate, or has_handed_on.
  PlaceVerdict verdict = PlaceVerdict::in_time;
};
static_assert(sizeof(SeenPlace) == 32);

/// Where a plan sends the task first, and where it has copies wait.
struct Choice {
  static constexpr std::size_t most_copies = 2;
  bool is_somewhere = false;
  Site site = Site::here;
  PeerId link = 0;  // of a neighbour; else 0
  std::string_view reason;
  std::array<PeerId, most_copies> copies{};  // of neighbours; 0: none
  [[nodiscard]] bool is_same(const Choice& other) const {
    return is_somewhere == other.is_somewhere && site == other.site && link == other.link &&
           copies == other.copies;
  }
};

/// A copy that waits at a neighbour, or is to.
struct DecidedCopy {
  enum class Fate : std::uint8_t { planned, sent, began, turned_away };
  PeerId link = 0;
  Duration after{};     // the decision
  Duration expected{};  // what it waits, the way there included
  Fate fate = Fate::planned;
};
/// As it stands in messages: "turned_away".
[[nodiscard]] std::string_view to_string(DecidedCopy::Fate fate);

/// How a task ended, as this node saw it.
struct TaskEnding {
  Duration waited{};  // until the result came, the execution apart
  Duration execution{};
  bool is_in_time = false;
  std::optional<TaskErrorCode> error;
  ShortText node;  // the name of the one that ran it
};

struct Decision {
  Instant at;
  Choice choice;
  Duration expected{};  // what the task waits from now on, the way included
  Duration slack{};     // until it has to start
  Duration requirement{};
  Duration waited{};  // before the decision
  Duration run{};     // expected, where a node has no word of its own
  int offload_times = 0;
  int max_offload = 0;
  TaskClass weight = TaskClass::light;
  bool cloud_processing = false;
  bool is_last = true;  // the task was not placed again
  std::uint8_t copy_count = 0;
  std::array<DecidedCopy, 4> copies{};  // the first of them
  ShortText uid;
  ShortText name;  // of the task
  std::optional<Choice> shadow;
  std::optional<TaskEnding> ending;

  void add_copy(const DecidedCopy& copy) {
    if (copy_count < copies.size()) copies[copy_count++] = copy;
  }
  /// The last at that neighbour; null: it is not kept.
  [[nodiscard]] DecidedCopy* copy_at(PeerId link);
};

/// What a policy would have done that decides beside the live one, and acts on nothing.
struct ShadowCounts {
  std::uint64_t decisions = 0;
  std::uint64_t differing = 0;           // that it would have sent elsewhere
  std::array<std::uint64_t, 3> sites{};  // where it would have sent them, by Site
  std::uint64_t nowhere = 0;
};

class DecisionLog {
 public:
  /// Places that are kept at most, 8 MiB; a decision whose places were overwritten is forgotten.
  static constexpr std::size_t most_places = std::size_t{1} << 18;
  static constexpr Duration longest_memory = std::chrono::hours(1);

  /// Keeps the last `most` decisions; 0: none. Memory is taken as it is filled.
  explicit DecisionLog(std::size_t most) : most_(most) {}

  [[nodiscard]] bool is_on() const { return most_ > 0; }
  /// The next one, at `now`, to be filled in. Its number, from 1 on, is decided().
  Decision& add(Instant now);
  [[nodiscard]] std::uint64_t decided() const { return decided_; }
  /// Of the last one: this was thought of, too.
  void see(const SeenPlace& place);
  /// ... and these neighbours, for it and those that say again() after it.
  void see_neighbours(std::span<const SeenPlace> neighbours);
  /// ... and the same neighbours as for the decision before, while those will be kept for long.
  [[nodiscard]] bool keeps_neighbours() const {
    return neighbours_.first + places_.size() / 2 >= seen_;
  }
  void see_neighbours_again() { last().neighbours = neighbours_; }

  /// Null: it is forgotten, or there was none.
  [[nodiscard]] Decision* find(std::uint64_t number);

  struct Found {
    Decision decision;
    std::vector<SeenPlace> places;  // the neighbours last; ages are those at the decision
  };
  /// Those about the task that are not forgotten, the oldest first.
  [[nodiscard]] std::vector<Found> of(std::string_view uid, Instant now) const;

 private:
  struct Block {
    std::uint64_t first = 0;
    std::uint32_t size = 0;
    Instant at;
  };
  struct Kept {
    Block own;
    Block neighbours;
    Decision decision;
  };
  void append(const SeenPlace& place) {
    const bool is_needed = seen_ - needed_from_ >= places_.size();  // what it would overwrite
    if (is_needed && places_.size() < most_places) grow();
    places_[seen_++ & (places_.size() - 1)] = place;
  }
  void grow();
  [[nodiscard]] std::uint64_t first_place_of(const Kept& kept) const;
  [[nodiscard]] Kept& last() { return kept_[(decided_ - 1) % most_]; }
  [[nodiscard]] bool is_whole(const Block& block) const {
    return block.size == 0 || block.first + places_.size() >= seen_;
  }
  void append_to(std::vector<SeenPlace>& places, const Block& block, Instant at) const;

  std::size_t most_;
  std::vector<Kept> kept_;         // a ring, once it is full
  std::vector<SeenPlace> places_;  // a ring; grows while what it would overwrite is needed
  Block neighbours_;               // the last
  std::uint64_t decided_ = 0;
  std::uint64_t seen_ = 0;
  std::uint64_t needed_from_ = 0;  // the first place of the oldest decision
};

}  // namespace fogctl
