// Textbook queueing systems on the simulator's own machinery (its events, queues and draws), to
// hold it against what is known of them. A server's mean service takes one second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/draws.hpp"

namespace fogctl::support {

enum class Dispatch {
  one_of_drawn,  // the shortest of `choices` stations drawn with replacement
  stale_board,   // the shortest by a board that is written every `board_every`
  tied_copies,   // a copy at each drawn one; the start of one takes the others away
  least_work,    // the drawn one with the least work in it
};

struct QueueingSystem {
  std::size_t stations = 1;  // each with one queue, first come first served
  std::size_t servers = 1;   // of each station
  double load = .9;          // per server
  sim::ExecutionShape service{.kind = sim::ExecutionShape::Kind::exponential};
  Dispatch dispatch = Dispatch::one_of_drawn;
  std::size_t choices = 1;
  Duration board_every = std::chrono::seconds(1);
  std::optional<Duration> patience = {};  // who does not start within it goes away
  std::size_t tasks = 200'000;            // the first fifth is the warm-up
  bool keeps_starts = false;
};

/// Of one run.
struct QueueingRun {
  double response = 0;          // mean, s
  double wait = 0;              // mean before the start, s
  double delayed = 0;           // share that waits at all
  double long_wait = 0;         // share that waits longer than a second
  double lost = 0;              // share that goes away
  std::vector<Instant> starts;  // of every task, where it keeps them
};

[[nodiscard]] QueueingRun run_queueing(const QueueingSystem& system, std::uint64_t seed);

}  // namespace fogctl::support
