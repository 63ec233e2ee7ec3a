// What a node with a free worker has asked its neighbours for: which of its steal requests wait for
// an answer, and when it may ask again. Pure: the time is passed in. Belongs to one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "scheduling/actions.hpp"

namespace fogctl {

/// This task was withdrawn for a neighbour that asked.
struct StealPromise {
  std::string uid;
  PeerId link = 0;
  std::int64_t request = 0;
};

class StealRequests {
 public:
  /// Nobody waits longer for an answer.
  static constexpr Duration patience = std::chrono::seconds(1);
  /// After so long it asks again when everybody refused, twice as long each time, up to a second.
  /// By simulation more often brings fewer tasks in time: long ones take what urgent ones need.
  static constexpr Duration shortest_pause = std::chrono::milliseconds(100);
  static constexpr Duration longest_pause = std::chrono::seconds(1);

  /// A request to `link` goes out; its number, from 1 on.
  [[nodiscard]] std::int64_t add(PeerId link, Instant now);
  /// Nothing is asked for, and the pause is over.
  [[nodiscard]] bool may_ask(Instant now) const { return asked_.empty() && now >= ask_at_; }
  [[nodiscard]] std::size_t size() const { return asked_.size(); }

  /// A task came for it. False: there is no such request over this link (any more).
  [[nodiscard]] bool on_task(PeerId link, std::int64_t request);
  /// It was refused. False: likewise.
  [[nodiscard]] bool on_refusal(PeerId link, std::int64_t request, Instant now);
  /// The links that did not answer in time; those requests are over.
  [[nodiscard]] std::vector<PeerId> give_up(Instant now);

  /// When a request is given up or, with none, the pause ends; none: it is over at `now`.
  [[nodiscard]] std::optional<Instant> next(Instant now) const;

 private:
  struct Asked {
    PeerId link = 0;
    std::int64_t request = 0;
    Instant until;
  };
  [[nodiscard]] bool take(PeerId link, std::int64_t request);
  void end_round(Instant now);

  std::vector<Asked> asked_;
  std::int64_t last_ = 0;
  bool has_won_ = false;  // in this round of requests
  Duration pause_ = shortest_pause;
  Instant ask_at_;
};

}  // namespace fogctl
